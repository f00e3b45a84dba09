"""Steps that need not be done again: a step's stamp is the hash of all that it depends on, written when it passed."""

from __future__ import annotations

from pathlib import Path

from course_suite.files import write_atomically
from course_suite.project import Project


def stamp_path(project: Project, step: str) -> Path:
    """Where the stamp of a step stands."""
    return project.build / "stamps" / step


def is_fresh(project: Project, step: str, key: str) -> bool:
    """Whether the step passed with the same key before."""
    path = stamp_path(project, step)
    return path.is_file() and path.read_text(encoding="utf-8") == key


def mark(project: Project, step: str, key: str) -> None:
    """The step has passed with this key."""
    write_atomically(stamp_path(project, step), key)


def clear(project: Project, step: str) -> None:
    """The step has to be done again, whatever comes."""
    stamp_path(project, step).unlink(missing_ok=True)
