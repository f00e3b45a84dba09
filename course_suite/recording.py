"""``course records``: what is recorded, and whether it still holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from course_lib.data import DataError, data_root, load
from course_lib.data.cifar import FOLDER as CIFAR_FOLDER
from course_suite.errors import UserError
from course_suite.records import RECORDS, RecordError, check_record, load_records, summarise

# Where each data set lies in the folder of data; None for the one that comes with scikit-learn.
SETS = {"digits": None, "mnist": "MNIST", "fashion_mnist": "FashionMNIST", "cifar10": CIFAR_FOLDER}


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

    Records of data that are not on this machine are checked for their network alone.
    """
    try:
        records = _load(folder)
    except UserError as error:
        return [str(error)]
    at_hand = sets_at_hand()
    return [problem for record in records for problem in check_record(record, at_hand)]


def sets_at_hand() -> list[str]:
    """The names of the data sets that lie on this machine."""
    return [name for name in SETS if _is_at_hand(name)]


def _load(folder: Path) -> list[dict[str, Any]]:
    try:
        return load_records(folder)
    except RecordError as error:
        raise UserError(str(error)) from error


def _is_at_hand(name: str) -> bool:
    """Whether the data lie on this machine; nothing is downloaded to find out."""
    folder = SETS[name]
    try:
        return folder is None or ((data_root() / folder).is_dir() and bool(load(name)))
    except (DataError, ValueError):
        return False


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
