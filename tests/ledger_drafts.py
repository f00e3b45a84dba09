"""Entries of the ledger, made up for its tests."""

from __future__ import annotations

from pathlib import Path

from course_suite.ledger import Entry, load

ENTRY = """\
# a comment that stays
- id: {id}
  model: Some network
  quantity: something
  stated: {stated}
  source: lecun1998gradient
  location: Table 1
"""


def written(folder: Path, text: str, name: str = "some.yaml") -> Path:
    """A file with that text."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def entry_of(folder: Path, stated: object, more: str = "", name: str = "an-entry") -> Entry:
    """An entry that was read from a file; ``more`` are further lines of it."""
    return load(written(folder, ENTRY.format(id=name, stated=stated) + more))[0]
