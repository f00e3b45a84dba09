"""The committed notebooks as they stand: plain Markdown, sound code, and solutions that nothing waits for."""

import ast
import builtins
import re
from pathlib import Path

import nbformat
import pytest
from papermill.iorw import load_notebook_node
from papermill.parameterize import parameterize_notebook

from course_suite.reader.markup import left_over

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted(path for path in ROOT.glob("notebooks/*.ipynb") if ".mine" not in path.name)

pytestmark = [pytest.mark.texts, pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)]


@pytest.fixture
def cells(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    return notebook.cells


def texts(cells):
    return [cell.source for cell in cells if cell.cell_type == "markdown"]


def test_no_markup_of_the_page_is_left(cells):
    assert [left for text in texts(cells) for left in left_over(text)] == []


def test_the_first_cell_brings_the_library_and_the_text_says_where_its_numbers_are_from(cells):
    assert next(cell for cell in cells if cell.cell_type == "code").id == "install"
    assert sum("those of the recorded run" in text for text in texts(cells)) == 1


def test_papermill_puts_other_parameters_behind_the_chapters_own(path):
    notebook = parameterize_notebook(load_notebook_node(str(path)), {"seed": 7})
    at = next(i for i, cell in enumerate(notebook.cells) if "parameters" in cell.metadata.get("tags", []))
    injected = notebook.cells[at + 1]
    assert injected.metadata.tags == ["injected-parameters"]
    assert "seed = 7" in injected.source


def test_solutions_are_closed_and_no_code_cell_holds_one(cells):
    solutions = [text for text in texts(cells) if "<summary>Solution to Exercise " in text]
    exercises = [text for text in texts(cells) if re.search(r"^> \*\*Exercise [\d.]+", text, re.MULTILINE)]
    assert len(solutions) == len(exercises)
    assert all(text.startswith("<details>\n<summary>") and text.endswith("</details>") for text in solutions)
    assert not [text for text in texts(cells) if "<details open" in text]


def test_running_all_cells_needs_no_solution(cells):
    """Each name that a cell reads was given by a cell before it: solutions give none."""
    given, missing = set(dir(builtins)) | {"get_ipython"}, []
    for cell in cells:
        if cell.cell_type == "code":
            tree = ast.parse(cell.source)
            names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
            given |= {node.id for node in names if not isinstance(node.ctx, ast.Load)} | set(_bound(tree))
            # What a function or a key reads is looked up when it is called: by then the reader has answered.
            missing += [name for name in _read_at_once(tree) if name not in given]
    assert missing == []


def _bound(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from (alias.asname or alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.ExceptHandler) and node.name:
            yield node.name


def _read_at_once(node):
    """The names that are read when a cell runs: those outside the bodies of functions."""
    if isinstance(node, ast.FunctionDef | ast.Lambda):
        return
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        yield node.id
    for child in ast.iter_child_nodes(node):
        yield from _read_at_once(child)
