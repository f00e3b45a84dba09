"""What several pages' tables are made of: Markdown tables, medians with their range, and verdicts."""

from __future__ import annotations

import statistics


def table(header: list[str], rows: list[list[str]], right: int | None = None) -> str:
    """A Markdown table whose last ``right`` columns stand to the right; all but the first by default."""
    right = len(header) - 1 if right is None else right
    marks = ["---"] * (len(header) - right) + ["---:"] * right
    return "\n".join("| " + " | ".join(line) + " |" for line in [header, marks, *rows])


def spread(values: list[float], digits: int = 1) -> str:
    """The median, and the lowest and highest."""
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def verdict(is_met: bool) -> str:
    """In a word."""
    return "met" if is_met else "missed"
