"""Figures as a reader sees them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from course_suite.ledger.compare import VERDICTS
from course_suite.ledger.entry import Entry

NOTHING = "–"
SIGNS = {
    "reproduced": "=", "rounded": "≈", "measured": "~", "ambiguous": "?", "differs": "≠", "not attempted": "–",
}  # fmt: skip


def figure_text(value: Any) -> str:
    """A printed or computed value: thousands set apart, floats to six digits, parts joined by slashes."""
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return "holds" if value else "does not hold"
    if isinstance(value, list):
        return " / ".join(map(figure_text, value))
    if isinstance(value, dict):
        spread = "" if value["spread"] is None else f" ± {value['spread']:.2f}"
        return f"{value['mean']:.2f}{spread} (n = {value['n']})"
    if isinstance(value, int):
        return f"{value:,}" if abs(value) >= 10_000 else str(value)
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def stated_text(value: Any) -> str:
    """A figure as it was printed; floats with all their digits."""
    if isinstance(value, list):
        return " / ".join(map(stated_text, value))
    if value is True:
        return "stated"
    return repr(value) if isinstance(value, float) else figure_text(value)


def told_text(entry: Entry) -> str:
    """The figure of an entry as it stands in a sentence, with a space after it; nothing for a statement."""
    unit = "%" if entry.unit == "%" else ""
    return "" if True in entry.stated_parts else f"{stated_text(entry.stated)}{unit} "


def verdict_text(verdict: str | None) -> str:
    """A verdict as sign and word."""
    return f"{SIGNS[verdict]} {verdict}" if verdict else "not reviewed"


def counts(entries: Iterable[Entry]) -> dict[str, int]:
    """How many entries have each verdict, from best to worst."""
    found = Counter(entry.verdict for entry in entries)
    return {verdict: found[verdict] for verdict in VERDICTS}


def counts_text(entries: Iterable[Entry]) -> str:
    """The counts in one line: "21 reproduced, 3 rounded, 2 differ"."""
    words = {
        verdict: "differ" if verdict == "differs" and number > 1 else verdict
        for verdict, number in counts(entries).items()
    }
    return ", ".join(f"{number} {words[verdict]}" for verdict, number in counts(entries).items() if number)
