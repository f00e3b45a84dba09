"""An entry of the ledger: a figure as it was printed, how it is recomputed, and what its last review found."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import yaml

from course_suite.ledger.compare import NEEDS_NO_REASON, RULES, VERDICTS

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
WORDS = ("model", "quantity", "source", "location")  # texts that must not be empty


class EntryError(ValueError):
    """A file of the ledger does not hold entries. The message names file, entry, field and rule."""


@dataclass(frozen=True)
class Cell:
    """Where a figure stands in a printed table; ``columns`` has one name for each part of the figure."""

    table: str
    row: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Explanation:
    """The convention that gives the printed figure: its computation, what that gave when last reviewed, in words."""

    compute: Mapping[str, Any]
    gives: Any
    text: str = ""


@dataclass(frozen=True)
class Entry:
    """One printed figure.

    Attributes:
        id: unique in the whole ledger.
        model: the network, or the subject.
        quantity: what the figure counts.
        stated: exactly as printed: a number, a text where its digits or its form matter, a list for several parts,
            None where the source names a quantity without printing its value.
        unit: of the figure as printed.
        source: key in the bibliography, or ``article-000`` to ``article-004``.
        location: section, table or row.
        compute: the named function and its arguments; None where nothing is computed.
        rule: how printed and computed are compared, one of ``compare.RULES``.
        step: the value of one in the last significant digit, where that is not the last digit printed.
        found: what the computation gave when last reviewed.
        verdict: what that review said, one of ``compare.VERDICTS``.
        reason: why, in one to three sentences; empty where the figure was reproduced or rounded.
        explained_by: for a figure that differs, the convention that gives it.
        chapter: label of the chapter that treats it.
        cell: where it stands in a printed table.
    """

    id: str
    model: str
    quantity: str
    stated: Any
    source: str
    location: str
    unit: str = ""
    compute: Mapping[str, Any] | None = None
    rule: str = "rounded"
    step: float | None = None
    found: Any = None
    verdict: str | None = None
    reason: str = ""
    explained_by: Explanation | None = None
    chapter: str = ""
    cell: Cell | None = None

    @property
    def stated_parts(self) -> list[Any]:
        """The parts of a list, or of numbers joined by slashes between blanks; else the figure itself."""
        return as_parts(self.stated)


def as_parts(stated: Any) -> list[Any]:
    """See :attr:`Entry.stated_parts`."""
    if isinstance(stated, list):
        return stated
    pieces = stated.split(" / ") if isinstance(stated, str) else []
    if len(pieces) > 1 and all(re.match(r"\s*[-~]?\d", piece) for piece in pieces):
        return [piece.strip() for piece in pieces]
    return [stated]


def load(path: Path) -> list[Entry]:
    """The entries of one file, in its order.

    Raises:
        EntryError: the file is not a list of entries; the message names the entry, the field and the rule.
    """
    try:
        items = yaml.load(path.read_text(encoding="utf-8"), Loader=LOADER)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise EntryError(f"{path.name} is not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(items, list):
        raise EntryError(f"{path.name}: the file must hold a list of entries, got {type(items).__name__}")
    found: dict[str, Entry] = {}
    for number, item in enumerate(items, start=1):
        name = item.get("id") if isinstance(item, dict) else None
        try:
            entry = _entry(item)
        except EntryError as error:
            raise EntryError(f"{path.name}, entry {name or number}: {error}") from None
        if entry.id in found:
            raise EntryError(f"{path.name}, entry {entry.id}: the id stands twice")
        found[entry.id] = entry
    return list(found.values())


def _entry(item: Any) -> Entry:
    if not isinstance(item, dict):
        raise EntryError(f"an entry must be a mapping, got {type(item).__name__}")
    known = [field.name for field in fields(Entry)]
    for name in item:
        if name not in known:
            raise EntryError(f"field {name!r} is unknown; the fields are {', '.join(known)}")
    for name in ("id", *WORDS, "stated"):
        if name not in item:
            raise EntryError(f"field {name!r} is missing")
    if not isinstance(item["id"], str) or not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", item["id"]):
        raise EntryError(f"field 'id' must be small letters and digits joined by hyphens, got {item['id']!r}")
    for name in (*WORDS, "unit", "reason", "chapter"):
        value = item.get(name, "")
        if not isinstance(value, str) or (name in WORDS and not value):
            raise EntryError(f"field {name!r} must be a text, got {value!r}")
    _check_choice("rule", item.get("rule", "rounded"), RULES)
    if item.get("verdict") is not None:
        _check_choice("verdict", item["verdict"], VERDICTS)
    if item.get("compute") is None and item.get("verdict") in (*NEEDS_NO_REASON, "differs", "measured"):
        raise EntryError(f"field 'compute' is missing: the verdict {item['verdict']!r} is computed, never declared")
    step = item.get("step")
    if step is not None and (type(step) not in (int, float) or step <= 0):
        raise EntryError(f"field 'step' must be a positive number, got {step!r}")
    _check_compute("compute", item.get("compute"))
    return Entry(**{**item, "cell": _cell(item), "explained_by": _explanation(item)})


def _check_choice(name: str, value: Any, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise EntryError(f"field {name!r} must be one of {', '.join(choices)}, got {value!r}")


def _check_compute(name: str, value: Any) -> None:
    for part in value if isinstance(value, list) else [value]:
        if part is not None and not (isinstance(part, dict) and isinstance(part.get("function"), str)):
            raise EntryError(f"field {name!r} must name a function, such as {{function: params}}, got {part!r}")


def _cell(item: dict) -> Cell | None:
    value = item.get("cell")
    if value is None:
        return None
    if not isinstance(value, dict) or set(value) != {"table", "row", "column"}:
        raise EntryError(f"field 'cell' must have table, row and column, got {value!r}")
    columns = value["column"] if isinstance(value["column"], list) else [value["column"]]
    count = len(as_parts(item["stated"]))
    if len(columns) not in (1, count):
        raise EntryError(f"field 'cell' must have one column or one for each of the {count} parts, got {len(columns)}")
    return Cell(str(value["table"]), str(value["row"]), tuple(map(str, columns)))


def _explanation(item: dict) -> Explanation | None:
    value = item.get("explained_by")
    if value is None:
        return None
    if not isinstance(value, dict) or not {"compute", "gives"} <= set(value) <= {"compute", "gives", "text"}:
        raise EntryError(f"field 'explained_by' must have compute and gives, and may have text, got {value!r}")
    _check_compute("explained_by", value["compute"])
    return Explanation(value["compute"], value["gives"], value.get("text", ""))
