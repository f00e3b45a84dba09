"""The curves of the recorded runs, for the piece on depth and seeds."""

from __future__ import annotations

import re
from typing import Any

CURVES = ("train_loss", "test_loss", "train_accuracy", "test_accuracy")


def runs() -> list[dict[str, Any]]:
    """From course_suite/records/data: of every record the curves of every run, as they stand there."""
    from course_suite.records import load_records

    return [described(record) for record in load_records()]


def described(record: dict[str, Any]) -> dict[str, Any]:
    """A record's name, data, and curves by seed; its depth, where it belongs to the plain or residual family."""
    family = re.fullmatch(r"(plain|resnet)(\d+)_digits", record["name"])
    return {
        "name": record["name"],
        "network": record["model"]["name"],
        "data": record["data"]["title"],
        "family": family and {"plain": "plain", "resnet": "residual"}[family[1]],
        "depth": family and int(family[2]),
        "runs": [{"seed": run["seed"], **{name: run["history"][name] for name in CURVES}} for run in record["runs"]],
    }
