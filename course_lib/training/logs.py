"""Logs of a run while it goes on: give one to ``fit(after_epoch=...)``."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

from course_lib.training.history import History

Log = Callable[[History], None]


def rows(history: History) -> list[dict[str, float]]:
    """One row for each epoch: its number from 1, and each field of the history that has a value for it.

    A field with fewer values than epochs, such as a test after the last one alone, has its values in the last rows.
    """
    fields = {name: values for name, values in history.to_dict().items() if name != "step_loss" and values}
    missing = {name: history.epochs - len(values) for name, values in fields.items()}
    return [
        {"epoch": epoch + 1}
        | {name: values[epoch - missing[name]] for name, values in fields.items() if epoch >= missing[name]}
        for epoch in range(history.epochs)
    ]


def csv_log(path: str | Path) -> Log:
    """Writes a table to ``path`` after each epoch, a row for each so far; a run that is resumed keeps its rows."""
    path = Path(path)

    def write(history: History) -> None:
        lines = rows(history)
        names = list(dict.fromkeys(name for line in lines for name in line))
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", newline="", encoding="utf-8") as file:
            table = csv.DictWriter(file, names)
            table.writeheader()
            table.writerows(lines)

    return write


def tensorboard_log(folder: str | Path) -> Log:
    """Writes events for TensorBoard into ``folder`` after each epoch; the epoch is the step.

    Raises:
        ModuleNotFoundError: tensorboard is not installed; it is in the extra ``logs``.
    """
    from torch.utils.tensorboard import SummaryWriter

    writers: list[SummaryWriter] = []

    def write(history: History) -> None:
        row = rows(history)[-1]
        epoch = int(row.pop("epoch"))
        if not writers:
            writers.append(SummaryWriter(str(folder), purge_step=epoch))
        for name, value in row.items():
            writers[0].add_scalar(name, value, epoch)
        writers[0].flush()

    return write


def line(history: History, epochs: int) -> str:
    """The last epoch in a line: "epoch 3 of 10: loss 0.1234, test 97.12 %, 12.3 s"."""
    parts = [f"loss {history.train_loss[-1]:.4f}"]
    if history.validation_accuracy:
        parts.append(f"validation {100 * history.validation_accuracy[-1]:.2f} %")
    if history.test_accuracy:
        parts.append(f"test {100 * history.test_accuracy[-1]:.2f} %")
    return f"epoch {history.epochs} of {epochs}: {', '.join(parts)}, {history.seconds[-1]:.1f} s"
