"""``course test``: each step runs when something that it reads has changed, and only then."""

from pathlib import Path

import pytest
from rich.console import Console

from course_suite import testing
from course_suite.project import Project
from course_suite.testing import STEPS, Step, files_in, run_steps

ROOT = Path(__file__).parents[2]


@pytest.fixture
def project(tmp_path):
    for name in ("course_lib/a.py", "book/page.md", "CHANGELOG.md", "_build/made", "course_lib/__pycache__/a.pyc"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("1")
    return Project(tmp_path)


class Steps:
    """Three steps that note that they ran, and fail while they are told to."""

    def __init__(self):
        self.ran, self.failing = [], set()

    def step(self, name, *reads):
        return Step(lambda *_: self.ran.append(name) or name not in self.failing, reads)

    def run(self, project, force=False):
        """Whether all passed, and which ran."""
        self.ran.clear()
        ok = run_steps(project, ["all", "code", "pages"], force, Console(quiet=True))
        return ok, " ".join(self.ran)


@pytest.fixture
def steps(monkeypatch):
    steps = Steps()
    made = {
        "all": steps.step("all"),
        "code": steps.step("code", "course_lib"),
        "pages": steps.step("pages", "course_lib/a.py", "book"),
    }
    monkeypatch.setattr(testing, "STEPS", made)
    return steps


@pytest.mark.parametrize(
    ("changed", "again"),
    [
        ("CHANGELOG.md", "all"),
        ("book/page.md", "all pages"),
        ("course_lib/a.py", "all code pages"),
        ("course_lib/new.py", "all code"),
        ("_build/made", ""),
        ("course_lib/__pycache__/a.pyc", ""),
    ],
)
def test_a_step_runs_again_when_something_that_it_reads_has_changed(project, steps, changed, again):
    assert steps.run(project) == (True, "all code pages")
    assert steps.run(project) == (True, "")
    (project.root / changed).write_text("2")
    assert steps.run(project) == (True, again)


def test_a_failure_stops_no_other_step_and_is_not_remembered_as_a_success(project, steps):
    steps.failing.add("code")
    assert steps.run(project) == (False, "all code pages")
    assert steps.run(project) == (False, "code")
    steps.failing.clear()
    assert steps.run(project) == (True, "code")


def test_a_step_that_failed_after_a_success_is_done_again_when_its_files_are_as_they_were(project, steps):
    steps.run(project)
    (project.root / "course_lib/a.py").write_text("2")
    steps.failing.add("code")
    steps.run(project)
    (project.root / "course_lib/a.py").write_text("1")
    steps.failing.clear()
    assert "code" in steps.run(project)[1]


def test_force_and_another_choice_of_tests_run_every_step(project, steps, monkeypatch):
    steps.run(project)
    assert steps.run(project, force=True) == (True, "all code pages")
    monkeypatch.setenv("COURSE_DATA", "elsewhere")
    assert steps.run(project) == (True, "all code pages")


def test_each_step_names_files_that_are_there():
    for name, step in STEPS.items():
        assert all((ROOT / read).exists() for read in step.reads), name
        assert list(files_in(ROOT, step.reads)), name
