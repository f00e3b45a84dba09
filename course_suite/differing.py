"""``course diff``: two versions of the book, number by number: glued values, figures, recorded runs."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

from course_suite.errors import UserError
from course_suite.records import RecordError, errors, load_records

NOTEBOOKS = ("_build/executed", "executed", "html/_sources/notebooks", "_sources/notebooks", ".")
RECORDS = ("course_suite/records/data", "records/data")
NUMBER = re.compile(r"^[-+−]?\d[\d,]*(?:\.\d+)?(?:[eE][-+]?\d+)?")
KINDS = ("value", "figure", "record")
KEYS = "key-"  # answers of exercises, encoded: no page shows them


class Item(NamedTuple):
    """One thing that a book says: where, of which kind, and under which name."""

    place: str
    kind: str
    name: str


class Change(NamedTuple):
    """An item that one book says differently from the other; None where it does not say it."""

    item: Item
    before: str | None
    after: str | None

    @property
    def size(self) -> str:
        """By how much a number changed, in per cent of what it was; empty where that cannot be said."""
        before, after = (_number(text) for text in (self.before, self.after))
        return "" if before is None or after is None or not before else f"{100 * (after / before - 1):+.1f} %"


class Differences(NamedTuple):
    """The changes, and how many items the two books have in common by kind."""

    changes: list[Change]
    common: dict[str, int]


def read_book(folder: Path) -> dict[Item, str]:
    """What a version of the book says: a checkout with executed chapters, a built site, or a folder of notebooks.

    Chapters are known by their names without numbers, so that one that moves is still the same.

    Raises:
        UserError: the folder holds no executed chapter, or a broken one.
    """
    found: dict[Item, str] = {}
    places = [folder / place for place in NOTEBOOKS]
    notebooks = next((files for place in places if (files := sorted(place.glob("[0-9]*_*.ipynb")))), [])
    notebooks = [path for path in notebooks if ".failed" not in path.name]
    if not notebooks:
        raise UserError(f"{folder} holds no executed chapters: give a checkout after make book, or a built site")
    for path in notebooks:
        try:
            cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        except (OSError, ValueError, KeyError) as error:
            raise UserError(f"{path} is not a notebook: {str(error).splitlines()[0]}") from None
        found |= _of_chapter(path.stem.partition("_")[2], cells)
    for place in RECORDS:
        if (folder / place).is_dir():
            found |= _of_records(folder / place)
    return found


def _of_chapter(chapter: str, cells: list[dict[str, Any]]) -> dict[Item, str]:
    found = {}
    for number, cell in enumerate(cells):
        figure = cell["metadata"].get("mystnb", {}).get("figure", {}).get("name", f"cell {number}")
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            glued = output.get("metadata", {}).get("scrapbook", {}).get("name")
            if glued and not glued.startswith(KEYS):
                text = "".join(data.get("application/papermill.record/text/plain", "")).strip("'\"")
                found[Item(chapter, "value", glued)] = text
            for kind in ("image/svg+xml", "image/png"):
                if kind in data and not glued:
                    image = "".join(data[kind]).encode()
                    found[Item(chapter, "figure", figure)] = hashlib.sha256(image).hexdigest()[:12]
                    break
    return found


def _of_records(folder: Path) -> dict[Item, str]:
    try:
        records = load_records(folder)
    except RecordError as error:
        raise UserError(str(error)) from error
    return {
        Item(record["data"]["title"], "record", record["name"]): ", ".join(f"{error:.2f}" for error in errors(record))
        + " %"
        for record in records
    }


def differences(before: dict[Item, str], after: dict[Item, str]) -> Differences:
    """What changed between two books. Chapters that one of them has not executed are left out."""
    both = {item.place for item in before} & {item.place for item in after}
    compared = {item for item in before.keys() | after.keys() if item.place in both or item.kind == "record"}
    changes = [
        Change(item, before.get(item), after.get(item))
        for item in sorted(compared, key=lambda item: (KINDS.index(item.kind), item))
        if before.get(item) != after.get(item)
    ]
    shared = before.keys() & after.keys()
    return Differences(changes, {kind: sum(item.kind == kind for item in shared) for kind in KINDS})


def lines_of(found: Differences) -> Iterator[str]:
    """The differences as text, one line each, after a line that counts them."""
    yield summary(found)
    for item, before, after in found.changes:
        size = Change(item, before, after).size
        text = f"{item.kind:7}{item.place}: {item.name}: {before or '(none)'} -> {after or '(none)'}"
        yield f"{text}  ({size})" if size else text


def summary(found: Differences) -> str:
    """How many items were compared and how many differ, in a sentence."""
    counts = ", ".join(f"{count:,} {kind}{'s' if count != 1 else ''}" for kind, count in found.common.items())
    new, gone = (sum(getattr(change, side) is None for change in found.changes) for side in ("before", "after"))
    return f"{counts} in both; {len(found.changes) - new - gone} changed, {new} new, {gone} gone"


def page_of(found: Differences, before: str, after: str) -> str:
    """The differences as one HTML page that needs no other file."""
    rows = "\n".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in _cells(change)) + "</tr>" for change in found.changes
    )
    heads = "".join(f"<th>{head}</th>" for head in ("kind", "where", "name", "before", "after", "change"))
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{escape(f"{before} and {after}")}</title>
<style>
body {{ font: 16px/1.5 sans-serif; margin: 2rem; color-scheme: light dark }}
table {{ border-collapse: collapse }}
td, th {{ border-bottom: 1px solid #8888; padding: 0.2rem 0.8rem; text-align: left; vertical-align: top }}
</style>
<h1>What changed from {escape(before)} to {escape(after)}</h1>
<p>{escape(summary(found))}.</p>
<table><thead><tr>{heads}</tr></thead><tbody>
{rows}
</tbody></table>
</html>
"""


def _cells(change: Change) -> tuple[str, ...]:
    place, kind, name = change.item
    return kind, place, name, change.before or "", change.after or "", change.size


def _number(text: str | None) -> float | None:
    """The number that a text begins with."""
    match = NUMBER.match(text or "")
    return float(match.group().replace(",", "").replace("−", "-")) if match else None
