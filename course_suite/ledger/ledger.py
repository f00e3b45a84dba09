"""All entries together, by id, and the computations that refer to other entries."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from course_suite.ledger.entry import Entry, EntryError, load

ENTRIES = Path(__file__).resolve().parent / "entries"
REFERENCE = re.compile(r"([a-z0-9-]+)(?:\[(\d+)\])?")


class Ledger:
    """Entries by id. What one computation takes from another entry is that entry's printed figure.

    Raises:
        EntryError: an id stands twice.
    """

    def __init__(self, items: Iterable[Entry]) -> None:
        self._entries: dict[str, Entry] = {}
        for entry in items:
            if entry.id in self._entries:
                raise EntryError(f"the id {entry.id} stands in two files")
            self._entries[entry.id] = entry

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries.values())

    def __len__(self) -> int:
        return len(self._entries)

    def __getitem__(self, name: str) -> Entry:
        """The entry with that id.

        Raises:
            EntryError: there is none.
        """
        if name not in self._entries:
            raise EntryError(f"no entry has the id {name!r}")
        return self._entries[name]

    def printed(self, reference: str) -> Any:
        """The printed figure of another entry, or one of its parts: "an-id" or "an-id[1]", counted from 0.

        Raises:
            EntryError: there is no such entry or part, or it has several parts and none was chosen.
        """
        match = REFERENCE.fullmatch(reference)
        if match is None:
            raise EntryError(f"a reference must be an id, such as an-id or an-id[1], got {reference!r}")
        parts = self[match[1]].stated_parts
        if match[2] is None and len(parts) > 1:
            raise EntryError(f"{reference} has {len(parts)} parts: choose one, such as {reference}[0]")
        number = int(match[2] or 0)
        if number >= len(parts):
            raise EntryError(f"{match[1]} has {len(parts)} parts, so there is no [{number}]")
        return parts[number]


def entries(source: str | None = None, folder: Path = ENTRIES) -> Ledger:
    """All entries, or those of one file: a key of the bibliography, or ``articles``.

    Raises:
        EntryError: a file does not hold entries, an id stands twice, or there is no such file.
    """
    if source is None:
        return _all(folder)
    path = folder / f"{source}.yaml"
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in folder.glob("*.yaml")))
        raise EntryError(f"no file of entries is called {source!r}; there are: {known}")
    return Ledger(load(path))


@cache
def _all(folder: Path) -> Ledger:
    return Ledger(entry for path in sorted(folder.glob("*.yaml")) for entry in load(path))
