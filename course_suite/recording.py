"""``course records``: what is recorded, and whether it still holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from course_lib.data import NAMES, is_at_hand
from course_suite.errors import UserError
from course_suite.records import RECORDS, RecordError, check_record, load_records, summarise


def print_records(console: Console, folder: Path = RECORDS) -> None:
    """A table of the records: network, data, runs, accuracy, speed, device.

    Raises:
        UserError: a file is not a record.
    """
    records = _load(folder)
    if not records:
        console.print("No runs are recorded yet; course train makes them.")
        return
    table = Table(title="Recorded training runs")
    for heading in ("record", "data", "device"):
        table.add_column(heading)
    for heading in ("epochs", "runs", "test accuracy", "images/s", "of peak"):
        table.add_column(heading, justify="right")
    for record in records:
        table.add_row(*_cells(record))
    console.print(table)


def check_records(folder: Path = RECORDS) -> list[str]:
    """One line for each way in which a record no longer fits what the code builds.

    Records of data that are not on this machine are checked for their network alone; nothing is downloaded.
    """
    try:
        records = _load(folder)
    except UserError as error:
        return [str(error)]
    at_hand = sets_at_hand()
    return [problem for record in records for problem in check_record(record, at_hand)]


def sets_at_hand() -> list[str]:
    """The names of the data sets that lie on this machine."""
    return [name for name in NAMES if is_at_hand(name)]


def _load(folder: Path) -> list[dict[str, Any]]:
    try:
        return load_records(folder)
    except RecordError as error:
        raise UserError(str(error)) from error


def _cells(record: dict[str, Any]) -> list[str]:
    n, mean, spread = summarise(record)
    speeds = sorted(run["images_per_second"] for run in record["runs"])
    shares = [run["peak_fraction"] for run in record["runs"] if run["peak_fraction"] is not None]
    return [
        record["name"],
        record["data"]["title"],
        record["environment"]["gpu"] or record["device"],
        str(record["hyperparameters"]["epochs"]),
        str(n),
        f"{mean:.2%}" + ("" if spread is None else f" ± {spread:.2%}"),
        f"{speeds[len(speeds) // 2]:,.0f}",
        f"{max(shares):.0%}" if shares else "",
    ]
