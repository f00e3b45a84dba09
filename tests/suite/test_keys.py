"""When a chapter runs again: what is in its key, and what is not. And who may import whom."""

import ast
from pathlib import Path

import nbformat
import pytest

from course_suite.keys import chapter_key, package_files, runtime_key, runtime_pins
from course_suite.project import Project

ROOT = Path(__file__).parents[2]

LOCK = """\
filelock==3.1 \\
    --hash=sha256:aa
    # via torch
numpy==2.0 ; python_version < '3.12' \\
    --hash=sha256:bb
    # via
    #   cnn-recomputed (pyproject.toml)
    #   scipy
numpy==2.1 ; python_version >= '3.12' \\
    --hash=sha256:cc
    # via scipy
ruff==0.1 \\
    --hash=sha256:dd
    # via cnn-recomputed (pyproject.toml)
sphinx==7 \\
    --hash=sha256:ee
    # via sphinx-book-theme
sympy==1.1 \\
    --hash=sha256:ff
    # via Torch_
torch==2.10 \\
    --hash=sha256:00
    # via cnn-recomputed (pyproject.toml)
tinysym==3 \\
    --hash=sha256:11
    # via sympy
"""


def test_pins_are_those_of_the_named_packages_and_of_all_that_they_need():
    assert runtime_pins(LOCK.replace("Torch_", "Torch"), {"torch"}) == [
        "filelock==3.1", "sympy==1.1", "tinysym==3", "torch==2.10",
    ]  # fmt: skip
    assert runtime_pins(LOCK, {"numpy"}) == [
        "numpy==2.0 ; python_version < '3.12'",
        "numpy==2.1 ; python_version >= '3.12'",
    ]
    assert runtime_pins(LOCK, {"nothing"}) == []


def test_the_courses_own_pins_hold_torch_and_no_linter():
    names = {
        pin.split("==")[0] for pin in runtime_pins((ROOT / "requirements.lock").read_text(), {"torch", "matplotlib"})
    }
    assert {"torch", "sympy", "matplotlib", "numpy", "pillow"} <= names
    assert not {"ruff", "sphinx", "papermill", "pytest"} & names


def key(source="x = 1", tags=(), prose="words", parameters=None, device="cpu", runtime="runtime"):
    cells = [nbformat.v4.new_markdown_cell(prose), nbformat.v4.new_code_cell(source, metadata={"tags": list(tags)})]
    return chapter_key(Project(ROOT), nbformat.v4.new_notebook(cells=cells), parameters or {}, device, runtime)


@pytest.mark.parametrize(
    "change",
    [
        {"source": "x = 2"},
        {"tags": ["parameters"]},
        {"parameters": {"x": 2}},
        {"device": "cuda"},
        {"runtime": "another"},
    ],
)
def test_a_run_under_other_conditions_has_another_key(change):
    assert key(**change) != key()


def test_prose_is_not_in_the_key():
    assert key(prose="other words") == key()


def test_the_runtime_is_the_pins_of_a_reader_s_packages_and_of_what_carries_out_the_cells(tmp_path):
    (tmp_path / "pyproject.toml").write_text('[project]\ndependencies = ["numpy>=2", "torch>=2.10"]\n')
    lock = tmp_path / "requirements.lock"
    lock.write_text(LOCK + "ipykernel==7 \\\n    --hash=sha256:22\n")
    before = runtime_key(Project(tmp_path))
    changed = {}
    for pin in ("ruff==0.1", "numpy==2.1", "filelock==3.1", "ipykernel==7"):
        text = lock.read_text()
        lock.write_text(text.replace(pin, f"{pin}.1"))
        changed[pin] = runtime_key(Project(tmp_path)) != before
        lock.write_text(text)
    assert changed == {"ruff==0.1": False, "numpy==2.1": True, "filelock==3.1": True, "ipykernel==7": True}


def test_the_files_of_a_package_are_its_code_and_data_without_what_python_makes(tmp_path):
    for name in ("a.py", "data/b.json", "a.pyc", "__pycache__/a.py"):
        path = tmp_path / "course_lib" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    (tmp_path / "course_lib" / "folder").mkdir()
    assert sorted(path.name for path in package_files(tmp_path)) == ["a.py", "b.json"]


def imported(source: str) -> set[str]:
    """The packages that a piece of code imports, anywhere in it."""
    nodes = list(ast.walk(ast.parse(source)))
    names = [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    names += [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    return {name.split(".")[0] for name in names}


@pytest.mark.texts
@pytest.mark.parametrize("path", sorted(ROOT.glob("notebooks/*.ipynb")), ids=lambda path: path.stem)
def test_a_chapter_imports_no_maker_s_package(path):
    cells = [cell for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"]
    code = [cell.source for cell in cells if "pip install" not in cell.source]
    assert "course_suite" not in set().union(*map(imported, code))


def test_the_readers_package_never_imports_the_makers():
    sources = [path for path in package_files(ROOT) if path.suffix == ".py"]
    assert len(sources) > 50
    wrong = {path.name for path in sources if "course_suite" in imported(path.read_text(encoding="utf-8"))}
    assert wrong == set()
