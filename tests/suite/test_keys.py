"""Who may import whom: a chapter imports course_lib, and course_lib never imports course_suite."""

import ast
from pathlib import Path

import nbformat
import pytest

from course_suite.keys import package_files

ROOT = Path(__file__).parents[2]


def imported(source: str) -> set[str]:
    """The packages that a piece of code imports, anywhere in it."""
    nodes = list(ast.walk(ast.parse(source)))
    names = [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    names += [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    return {name.split(".")[0] for name in names}


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
