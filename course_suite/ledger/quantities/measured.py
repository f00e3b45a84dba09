"""What training runs measured, from ``course_suite.records``."""

from __future__ import annotations

from typing import Any

from course_suite.ledger.quantities import quantity


@quantity
def measured(record: str, metric: str = "test_accuracy", error: bool = False) -> dict[str, Any] | None:
    """A metric over the runs of a record, in percent: n, mean, standard deviation. None while there is no record.

    Args:
        record: the name of the record.
        metric: ``test_accuracy`` or another metric of the runs.
        error: 100 less the accuracy.
    """
    from course_suite.records import load_records, summarise

    for found in load_records():
        if found["name"] == record:
            n, mean, spread = summarise(found, metric)
            mean = 100 * (1 - mean if error else mean)
            return {"n": n, "mean": round(mean, 4), "spread": None if spread is None else round(100 * spread, 4)}
    return None
