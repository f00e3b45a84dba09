"""Settings, lock and generated files: each number and address in one place, and a word when two places disagree."""

import re
import shutil
from pathlib import Path

import pytest
import yaml

from course_suite import doctor, lock, published
from course_suite.errors import UserError
from course_suite.parameters import parse_value, typed
from course_suite.project import Project, find_project

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.texts


@pytest.fixture
def copy(tmp_path):
    """The project's files that settings are generated into."""
    for name in ("pyproject.toml", "requirements.lock", "constraints.txt", "README.md", "CITATION.cff", "_toc.yml"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copy(ROOT / "CHANGELOG.md", tmp_path)
    shutil.copytree(ROOT / "notebooks", tmp_path / "notebooks")
    return Project(tmp_path)


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_the_lock_fits_the_project_file():
    assert lock.lock_problems(Project(ROOT)) == []


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("pyproject.toml", '"rich>=13.9"', '"rich>=99"', "pyproject.toml asks for >=99"),
        ("pyproject.toml", '"rich>=13.9"', '"not-locked"', "lacks not-locked"),
        (
            "requirements.lock",
            "torchinfo==1.8.0 \\",
            "--index-url https://example.invalid\ntorchinfo==1.8.0 \\",
            "address",
        ),
        ("constraints.txt", "torchinfo==1.8.0", "torchinfo==1.7.0", "constraints.txt is out of step"),
    ],
)
def test_a_lock_out_of_step_is_told(copy, name, old, new, message):
    edit(copy.root / name, old, new)
    assert any(message in problem for problem in lock.lock_problems(copy))


def test_an_unhashed_line_is_told(copy):
    path = copy.root / "requirements.lock"
    path.write_text(path.read_text() + "six==1.16.0\n")
    assert "requirements.lock: six==1.16.0 has no hash" in lock.lock_problems(copy)


def test_the_address_of_the_repository_stands_in_one_place():
    for folder in ("book", "course_lib", ".github"):
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in {".md", ".py", ".yml", ".toml"}:
                assert "OWNER/" not in re.sub(r"``OWNER/NAME``", "", path.read_text()), path
    assert "OWNER" not in (ROOT / "_config.yml").read_text()


def test_generated_files_follow_the_settings(copy):
    assert published.generated_problems(copy) == []
    assert published.UNPUBLISHED in (copy.root / "README.md").read_text()  # no table of dead links
    edit(copy.root / "pyproject.toml", "OWNER", "someone")
    changed = Project(copy.root)
    assert len(published.generated_problems(changed)) == 2
    assert sorted(published.write_generated(changed)) == ["CITATION.cff", "README.md"]
    readme = (copy.root / "README.md").read_text()
    assert "github/someone/cnn-recomputed/blob/v0.1.0/notebooks/09_lenet5.ipynb" in readme
    assert yaml.safe_load((copy.root / "CITATION.cff").read_text())["repository-code"].endswith(
        "someone/cnn-recomputed"
    )
    assert published.generated_problems(changed) == []


def test_a_release_refuses_placeholders(copy):
    problems = published.release_problems(copy)
    assert [problem.split(" = ")[0] for problem in problems] == ["[tool.course] repository", "[tool.course] site"]
    text = (copy.root / "pyproject.toml").read_text()
    (copy.root / "pyproject.toml").write_text(text.replace("OWNER", "someone"))
    released = Project(copy.root)
    published.write_generated(released)
    assert published.release_problems(released) == []


def test_a_release_without_a_section_of_the_changelog_is_refused(copy):
    edit(copy.root / "CHANGELOG.md", f"## {copy.settings.version}", "## 0.0.9")
    assert f"CHANGELOG.md has no section '## {copy.settings.version}'" in published.release_problems(copy)


def test_a_project_is_found_from_inside_and_missed_from_outside(tmp_path, monkeypatch):
    assert find_project(ROOT / "course_suite" / "ledger").root == ROOT
    monkeypatch.setattr("course_suite.project.__file__", str(tmp_path / "a" / "b" / "c.py"))
    with pytest.raises(UserError, match="is not inside a copy of the course"):
        find_project(tmp_path)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 1e-3),
        ("3", 3),
        ("true", True),
        ("None", None),
        ("[1, 2]", [1, 2]),
        ("adam", "adam"),
        ("1.2.3", "1.2.3"),
    ],
)
def test_values_keep_their_type(text, value):
    parsed = parse_value(text)
    assert (type(parsed), parsed) == (type(value), value)


@pytest.mark.parametrize(
    ("text", "default", "value"), [("3", 0.5, 3.0), ("123", "name", "123"), ("7", None, 7), ("false", True, False)]
)
def test_values_take_the_type_of_the_default(text, default, value):
    result = typed("p", text, default)
    assert (type(result), result) == (type(value), value)


@pytest.mark.parametrize(("text", "default"), [("1", True), ("true", 1), ("1.5", 1), ("x", 1), ("x", 0.5)])
def test_values_of_another_type_are_refused(text, default):
    with pytest.raises(UserError, match=f"parameter p takes {type(default).__name__}"):
        typed("p", text, default)


def test_doctor_finds_what_is_wrong(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "nowhere"))
    assert doctor.data_found().status == doctor.PROBLEM
    (tmp_path / "MNIST" / "raw").mkdir(parents=True)
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    assert doctor.data_found().detail.endswith(": MNIST")
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(1, 1, 0))
    assert doctor.disk(Project(ROOT)).status == doctor.PROBLEM
    monkeypatch.setattr(doctor.sys, "version_info", (3, 14, 0))
    assert doctor.python_version().status == doctor.WARNING


def test_doctor_compares_the_packages_with_the_lock(copy):
    assert doctor.packages(copy).status == doctor.OK
    edit(copy.root / "requirements.lock", "torchinfo==1.8.0", "torchinfo==1.7.0")
    finding = doctor.packages(copy)
    assert finding.status == doctor.WARNING
    assert "torchinfo 1.8.0 (lock: ==1.7.0)" in finding.detail
    assert finding.remedy
