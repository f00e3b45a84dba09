"""When a chapter must run again: a key over its code, its parameters, course_lib's sources and the locked environment.

A chapter imports course_lib alone; course_lib never imports course_suite, which a test holds.
"""

from __future__ import annotations

import platform
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from course_suite.files import digest, digest_files
from course_suite.project import Project

FORMAT = 1  # raise it when an executed copy made by an older suite must not be used any more


def package_files(root: Path, package: str = "course_lib") -> list[Path]:
    """The files of a package of the project, data included."""
    files = (root / package).rglob("*")
    return [path for path in files if path.is_file() and path.suffix != ".pyc" and "__pycache__" not in path.parts]


def environment_key(project: Project) -> str:
    """A hash of course_lib's sources, the lock and the Python that runs the chapters."""
    sources = digest_files(package_files(project.root), project.root)
    lock = digest_files([project.root / "requirements.lock"], project.root)
    return digest([FORMAT, sources, lock, platform.python_version(), platform.system(), platform.machine()])


def chapter_key(notebook: NotebookNode, parameters: dict[str, Any], device: str, environment: str) -> str:
    """The key of one run. Prose does not count; ``device`` is the resolved one, ``cpu`` or ``cuda``."""
    code = [[cell.source, cell.metadata.get("tags", [])] for cell in notebook.cells if cell.cell_type == "code"]
    return digest([code, parameters, device, environment])
