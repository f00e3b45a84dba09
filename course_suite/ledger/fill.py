"""Write what a review found into a file of entries, and leave everything else in it as it is."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import yaml

from course_suite.files import write_if_changed
from course_suite.ledger.entry import Entry, EntryError, load
from course_suite.ledger.ledger import Ledger
from course_suite.ledger.review import Review, problems, review

BEGINS = re.compile(r"^(\s*)- id:\s*(\S+)\s*$")


def fill_file(path: Path, chosen: Callable[[Entry], bool] = lambda _: True) -> tuple[list[Review], list[str]]:
    """Compute the entries of a file, and write what was found into it. Returns the reviews, and what is still wrong.

    Args:
        chosen: whether an entry is to be computed; all are by default.

    Raises:
        EntryError: the file, or another one of its folder, holds no entries.
    """
    ledger = Ledger(entry for other in sorted(path.parent.glob("*.yaml")) for entry in load(other))
    reviews, lines = [], []
    for entry in load(path):
        if chosen(entry):
            try:
                reviews.append(review(entry, ledger))
            except EntryError as error:
                lines.append(str(error))
    write_if_changed(path, filled(path.read_text(encoding="utf-8"), reviews))
    written = {entry.id: entry for entry in load(path)}
    reviews = [found._replace(entry=written[found.entry.id]) for found in reviews]
    return reviews, lines + [line for found in reviews for line in problems(found)]


def filled(text: str, reviews: Iterable[Review]) -> str:
    """The text with ``found`` and ``verdict`` of each reviewed entry, and ``gives`` of its explanation.

    Entries must be written as blocks that begin with ``- id:``, their fields a line each or more.
    """
    by_id = {found.entry.id: found for found in reviews}
    blocks = _blocks(text.splitlines())
    return "\n".join(line for name, lines in blocks for line in _filled(lines, by_id.get(name))) + "\n"


def _blocks(lines: list[str]) -> list[tuple[str | None, list[str]]]:
    blocks: list[tuple[str | None, list[str]]] = [(None, [])]
    for line in lines:
        match = BEGINS.match(line)
        if match:
            blocks.append((match[2], []))
        blocks[-1][1].append(line)
    return blocks


def _filled(lines: list[str], found: Review | None) -> list[str]:
    if found is None:
        return lines
    indent = " " * (len(BEGINS.match(lines[0])[1]) + 2)
    values = {"verdict": found.verdict}
    if found.entry.compute is not None:
        values = {"found": found.found, **values}
    lines = [line for line in lines if not re.match(rf"{indent}(found|verdict):", line)]
    place = _after(lines, indent)
    new = [f"{indent}{name}: {_flow(value)}" for name, value in values.items()]
    lines = lines[:place] + new + lines[place:]
    if found.entry.explained_by is not None:
        lines = [re.sub(r"^(\s+gives:).*", lambda m: f"{m[1]} {_flow(found.gives)}", line) for line in lines]
    return lines


def _after(lines: list[str], indent: str) -> int:
    """Where the found value goes: before the reason and what follows it, else after the last field."""
    for number, line in enumerate(lines):
        if re.match(rf"{indent}(reason|explained_by|chapter):", line):
            return number
    last = max(number for number, line in enumerate(lines) if line.strip() and not line.lstrip().startswith("#"))
    return last + 1


def _flow(value: Any) -> str:
    return yaml.safe_dump(value, default_flow_style=True, width=1000, allow_unicode=True).removesuffix("...\n").strip()
