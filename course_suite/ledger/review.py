"""Review an entry: compute it again, compare with what is printed, and say whether that is what the entry records."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from course_suite.ledger.compare import NEEDS_NO_REASON, Part, compare, worst
from course_suite.ledger.entry import Entry, EntryError, Explanation
from course_suite.ledger.evaluate import evaluate
from course_suite.ledger.ledger import Ledger, entries


class Review(NamedTuple):
    """What a computation of today gives.

    Attributes:
        found: the value, or a list of values for a figure in several parts; None where nothing is computed.
        parts: part by part, printed and computed.
        verdict: of the whole figure.
        gives: what the entry's explanation gives, None without one.
    """

    entry: Entry
    found: Any
    parts: list[Part]
    verdict: str
    gives: Any = None


def review(entry: Entry, ledger: Ledger | None = None) -> Review:
    """Compute an entry and compare it with what is printed.

    Args:
        ledger: where the entries lie that the computation refers to. Default: the whole ledger.

    Raises:
        EntryError: the computation fails; the message names the entry and the reason.
    """
    ledger = entries() if ledger is None else ledger
    if entry.compute is None:
        parts = [Part(part, None, entry.verdict) for part in entry.stated_parts]
        return Review(entry, None, parts, entry.verdict or "not attempted")
    try:
        found = evaluate(entry.compute, ledger)
        parts = compare_figure(entry, found)
        gives = evaluate(entry.explained_by.compute, ledger) if entry.explained_by else None
    except ValueError as error:
        raise EntryError(f"{entry.id}: {error}") from error
    return Review(entry, found, parts, _verdict(entry, parts), gives)


def compare_figure(entry: Entry, found: Any) -> list[Part]:
    """A value for the entry's figure, part by part."""
    many = isinstance(found, list) and (isinstance(entry.stated, list) or len(entry.stated_parts) > 1)
    return compare(entry.stated_parts, found if many else [found], entry.rule, entry.step)


def _verdict(entry: Entry, parts: list[Part]) -> str:
    """The verdict of the parts, unless the entry declares the figure ambiguous; so is one that is not printed."""
    if entry.verdict == "ambiguous":
        return "ambiguous"
    return worst(parts) or "ambiguous"


def problems(found: Review) -> list[str]:
    """What of an entry is not as a reviewed entry must be; each line begins with its id."""
    entry, lines = found.entry, []
    if not same(entry.found, found.found):
        lines.append(f"found is now {found.found!r}, recorded {entry.found!r}")
    if entry.verdict != found.verdict:
        lines.append(f"the verdict is now {found.verdict!r}, recorded {entry.verdict!r}")
    incomplete = any(part.verdict == "not attempted" for part in found.parts)
    if (found.verdict not in NEEDS_NO_REASON or incomplete) and not entry.reason.strip():
        lines.append(f"the verdict {found.verdict!r} needs a reason" + (" for the missing parts" if incomplete else ""))
    if entry.explained_by is not None:
        lines += _explanation_problems(entry, entry.explained_by, found)
    return [f"{entry.id}: {line}" for line in lines]


def _explanation_problems(entry: Entry, explanation: Explanation, found: Review) -> list[str]:
    lines = []
    if found.verdict != "differs":
        lines.append(f"an explanation is for a figure that differs, and this one is {found.verdict!r}")
    if not same(explanation.gives, found.gives):
        lines.append(f"the explanation gives {found.gives!r}, recorded {explanation.gives!r}")
    elif worst(compare_figure(entry, found.gives)) not in NEEDS_NO_REASON:
        lines.append(f"the explanation gives {found.gives!r}, which is not the printed {entry.stated!r} either")
    return lines


def same(one: Any, other: Any) -> bool:
    """Whether two values are equal; floats to nine digits, lists and mappings item by item."""
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-9)
    return type(one) is type(other) and one == other
