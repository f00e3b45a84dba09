"""The rooms that are left out of a chapter's key are imported by no chapter, and by no room that a chapter imports."""

import ast
from pathlib import Path

import nbformat
import pytest

from course_lib.suite.keys import NOT_IMPORTED, library_files

ROOT = Path(__file__).parents[2]


def imported(source: str) -> set[str]:
    """The rooms of course_lib that a piece of code imports, anywhere in it."""
    nodes = list(ast.walk(ast.parse(source)))
    names = [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    names += [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    return {name.split(".")[1] for name in names if name.startswith("course_lib.")}


@pytest.mark.parametrize("path", sorted(ROOT.glob("notebooks/*.ipynb")), ids=lambda path: path.stem)
def test_no_chapter_imports_a_room_outside_its_key(path):
    cells = [cell for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"]
    code = [cell.source for cell in cells if "pip install" not in cell.source]
    assert set().union(*map(imported, code)).isdisjoint(NOT_IMPORTED)


def test_no_room_of_the_key_imports_one_outside():
    sources = [path for path in library_files(ROOT) if path.suffix == ".py"]
    assert len(sources) > 50
    wrong = {path.name for path in sources if imported(path.read_text(encoding="utf-8")) & set(NOT_IMPORTED)}
    assert wrong == set()
