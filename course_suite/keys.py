"""When a chapter must run again: a key over its code, its parameters, its device, the modules of course_lib that it
reaches, and the versions of the packages that it runs with.

A chapter imports course_lib alone; course_lib never imports course_suite, which a test holds.
"""

from __future__ import annotations

import platform
import re
import tomllib
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from course_suite.files import digest, digest_files
from course_suite.project import Project
from course_suite.reach import code_digest, data_files, reached

FORMAT = 2  # raise it when an executed copy made by an older suite must not be used any more
RUNNERS = {"ipykernel", "ipython"}  # beside what a reader needs: what carries out the cells


def package_files(root: Path, package: str = "course_lib") -> list[Path]:
    """The files of a package of the project, data included."""
    files = (root / package).rglob("*")
    return [path for path in files if path.is_file() and path.suffix != ".pyc" and "__pycache__" not in path.parts]


def runtime_pins(lock: str, roots: set[str]) -> list[str]:
    """The lock's lines of the packages ``roots`` and of all that they need, which the lock's "via" lines say."""
    blocks = re.findall(r"^([A-Za-z0-9._-]+)(==[^\n\\]*)((?:.*\n(?=\s))*.*)", lock, flags=re.MULTILINE)
    needed = set(roots)
    needed_by = [(canonicalize_name(name), _via(rest), f"{name}{pin}".strip()) for name, pin, rest in blocks]
    grown = True
    while grown:
        more = {name for name, via, _ in needed_by if via & needed} - needed
        needed |= more
        grown = bool(more)
    return sorted(line for name, _, line in needed_by if name in needed)


def _via(rest: str) -> set[str]:
    """The packages that need a package, from the comment below it in the lock."""
    return {canonicalize_name(word) for word in re.findall(r"^\s*#(?:\s+via)?\s+([A-Za-z0-9._-]+)", rest, re.M)}


def runtime_key(project: Project) -> str:
    """A hash of what chapters run with: the pins of a reader's packages and all below them, the Python, the system."""
    table = tomllib.loads((project.root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    roots = RUNNERS | {canonicalize_name(Requirement(line).name) for line in table["dependencies"]}
    pins = runtime_pins((project.root / "requirements.lock").read_text(encoding="utf-8"), roots)
    return digest([FORMAT, pins, platform.python_version(), platform.system(), platform.machine()])


def library_key(project: Project, notebook: NotebookNode) -> str:
    """A hash of the modules of course_lib that a chapter's code reaches, and of the data beside them."""
    modules = reached([cell.source for cell in notebook.cells if cell.cell_type == "code"], project.root)
    code = {path.relative_to(project.root).as_posix(): code_digest(path) for path in modules}
    return digest([code, digest_files(data_files(modules), project.root)])


def chapter_key(project: Project, notebook: NotebookNode, parameters: dict[str, Any], device: str, runtime: str) -> str:
    """The key of one run. Prose does not count; ``device`` is the resolved one, ``cpu`` or ``cuda``."""
    code = [[cell.source, cell.metadata.get("tags", [])] for cell in notebook.cells if cell.cell_type == "code"]
    return digest([code, parameters, device, runtime, library_key(project, notebook)])
