"""When a chapter must run again: a key over its code, its parameters, course_lib's sources and the locked environment.

The rooms that no chapter imports are left out of course_lib's sources: the suite, the ledger, the records. A test looks
that none does.
"""

from __future__ import annotations

import platform
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from course_lib.suite.files import digest, digest_files
from course_lib.suite.project import Project

NOT_IMPORTED = ("suite", "ledger", "records")
FORMAT = 1  # raise it when an executed copy made by an older suite must not be used any more


def source_files(root: Path) -> list[Path]:
    """The files of course_lib."""
    files = (root / "course_lib").rglob("*")
    return [path for path in files if path.is_file() and path.suffix != ".pyc" and "__pycache__" not in path.parts]


def library_files(root: Path) -> list[Path]:
    """The files of course_lib that a chapter can depend on."""
    library = root / "course_lib"
    return [path for path in source_files(root) if path.relative_to(library).parts[0] not in NOT_IMPORTED]


def environment_key(project: Project) -> str:
    """A hash of course_lib's sources, the lock and the Python that runs the chapters."""
    sources = digest_files(library_files(project.root), project.root)
    lock = digest_files([project.root / "requirements.lock"], project.root)
    return digest([FORMAT, sources, lock, platform.python_version(), platform.system(), platform.machine()])


def chapter_key(notebook: NotebookNode, parameters: dict[str, Any], device: str, environment: str) -> str:
    """The key of one run. Prose does not count; ``device`` is the resolved one, ``cpu`` or ``cuda``."""
    code = [[cell.source, cell.metadata.get("tags", [])] for cell in notebook.cells if cell.cell_type == "code"]
    return digest([code, parameters, device, environment])
