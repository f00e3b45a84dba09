"""What several runs say together: how many, the mean, the spread."""

from __future__ import annotations

import statistics
from typing import Any, NamedTuple


class Summary(NamedTuple):
    """``n`` values, their mean, and their standard deviation (of a sample; None for a single value)."""

    n: int
    mean: float
    spread: float | None


def summarise(record: dict[str, Any], metric: str = "test_accuracy") -> Summary:
    """One metric over the runs of a record."""
    values = [run["metrics"][metric] for run in record["runs"]]
    return Summary(len(values), statistics.fmean(values), statistics.stdev(values) if len(values) > 1 else None)
