"""Which modules of course_lib a piece of code reaches, directly or through others, and what of them counts.

An import counts wherever it stands, in a function too, and so does a module that a text names. A module that finds
others at run time counts with all that lies in its folder. Of a module its code counts: neither docstrings nor comments
nor where the lines are broken.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from course_suite.files import digest

PACKAGE = "course_lib"
NAMED = re.compile(rf"\b{PACKAGE}(?:\.\w+)*")
AT_RUN_TIME = {"import_module", "iter_modules", "walk_packages", "__import__"}
MAGIC = re.compile(r"^(\s*)[%!].*$", flags=re.MULTILINE)


def reached(sources: Iterable[str], root: Path) -> set[Path]:
    """The files of ``root``'s course_lib that these pieces of code reach; a cell's magic lines are left out.

    What cannot be parsed is taken to reach every module.
    """
    names: set[str] = set()
    for source in sources:
        tree = _parsed(source)
        names |= _named(tree, "") if tree else {_name(path, root) for path in (root / PACKAGE).rglob("*.py")}
    found: set[Path] = set()
    waiting = _files(names, root)
    while waiting:
        path = waiting.pop()
        found.add(path)
        waiting |= set(_imports(path, root, path.stat().st_mtime_ns)) - found
    return found


def data_files(modules: set[Path]) -> list[Path]:
    """The files beside these modules that are no code: a module may read any of its folder."""
    folders = {path.parent for path in modules}
    beside = [path for folder in folders for path in folder.iterdir() if path.is_file()]
    return sorted(path for path in beside if path.suffix not in (".py", ".pyc", ".tmp"))


def code_digest(path: Path) -> str:
    """A hash of a module's code."""
    return _code_digest(path, path.stat().st_mtime_ns)


@cache
def _code_digest(path: Path, _mtime: int) -> str:
    tree = ast.parse(path.read_bytes())
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and _has_docstring(
            node
        ):
            del node.body[0]
    return digest(ast.dump(tree))


def _parsed(source: str) -> ast.AST | None:
    """The code of a cell, its magic lines left out; None where it is no Python even so."""
    for text in (source, MAGIC.sub(r"\1pass", source)):
        try:
            return ast.parse(text)
        except SyntaxError:
            continue
    return None


def _has_docstring(node: ast.AST) -> bool:
    first = node.body[0] if node.body else None
    return isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)


@cache
def _imports(path: Path, root: Path, _mtime: int) -> frozenset[Path]:
    """The modules that the module at ``path`` names."""
    tree = ast.parse(path.read_bytes())
    found = _files(_named(tree, _package(path, root)), root)
    words = {getattr(node, "id", None) or getattr(node, "attr", None) for node in ast.walk(tree)}
    if words & AT_RUN_TIME:
        found |= set(path.parent.rglob("*.py"))
    return frozenset(found)


def _named(tree: ast.AST, package: str) -> set[str]:
    """The dotted names that code imports, or that a text in it holds; ``package`` is where relative imports start."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join(filter(None, [*parents, node.module or ""]))
            names |= {f"{base}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            names |= set(NAMED.findall(node.value))
    return {name for name in names if name.split(".")[0] == PACKAGE}


def _files(names: Iterable[str], root: Path) -> set[Path]:
    """The files that are loaded for these dotted names: each package on the way, and the module at its end."""
    found = set()
    for name in names:
        place = root
        for part in name.split("."):
            place = place / part
            found |= {path for path in (place / "__init__.py", place.with_suffix(".py")) if path.is_file()}
    return found


def _name(path: Path, root: Path) -> str:
    return ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")


def _package(path: Path, root: Path) -> str:
    name = _name(path, root)
    return name if path.name == "__init__.py" else name.rpartition(".")[0]
