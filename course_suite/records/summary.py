"""What several runs say together: how many, the mean, the spread, and whether they were trained to the end."""

from __future__ import annotations

import statistics
from typing import Any, NamedTuple

from course_lib.training import Interval, interval

TRAINED_BELOW = 5.0  # training error in per cent; a plan's entry may state another


class Summary(NamedTuple):
    """``n`` values, their mean, and their standard deviation (of a sample; None for a single value)."""

    n: int
    mean: float
    spread: float | None


def summarise(record: dict[str, Any], metric: str = "test_accuracy") -> Summary:
    """One metric over the runs of a record."""
    values = [run["metrics"][metric] for run in record["runs"]]
    return Summary(len(values), statistics.fmean(values), statistics.stdev(values) if len(values) > 1 else None)


def errors(record: dict[str, Any], part: str = "test") -> list[float]:
    """The error of each run in per cent, on the "test" or the "train" images.

    Training images are tested when the training is done. Older records lack that; for them it is the error during the
    last epoch, while the weights were changing.
    """
    name = f"{part}_accuracy"
    return [100 * (1 - run["metrics"].get(name, run["history"][name][-1])) for run in record["runs"]]


def error_interval(record: dict[str, Any]) -> Interval | None:
    """The mean test error in per cent with its interval, of seeds and test images; None for a single run."""
    values = errors(record)
    return interval(values, num_test=record["data"]["num_test"]) if len(values) > 1 else None


def trained_below(entry: dict[str, Any]) -> float:
    """The training error, in per cent, that the runs of a plan's entry must stay below to count as trained.

    100 where the training error is itself what is compared.
    """
    return float(entry.get("trained_below", TRAINED_BELOW))


def is_trained(record: dict[str, Any], entry: dict[str, Any]) -> bool:
    """Whether every run learned its training images; a record that is not trained stands in no comparison."""
    return max(errors(record, "train")) <= trained_below(entry)
