"""What is looked at before anything is trained, so that no finished training is lost to it."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from course_lib.complexity import build_meta
from course_lib.training.checks import check_arguments
from course_suite.errors import UserError
from course_suite.records.store import schema_problem
from course_suite.training_plan import Plan
from course_suite.training_record import record_of

STATES = 3  # numbers kept for each weight: itself and, at most, two of the optimiser
CHECKPOINTS = 3  # the one in place, the one that is being written, and as much again for copies of the weights
SPARE = 2**20
PLACEHOLDER = {
    "seed": 0, "history": {}, "wall_seconds": 1.0, "peak_memory_mib": 1.0, "images_per_second": 1.0,
    "peak_fraction": 1.0,
    "metrics": {"train_accuracy": 1.0, "train_loss": 0.0, "test_accuracy": 1.0, "test_loss": 0.0},
}  # fmt: skip


def check_record(plan: Plan, name: str, device: str, processes: int) -> None:
    """See that the record to come keeps to the schema.

    Raises:
        UserError: it would not.
    """
    problem = schema_problem(record_of(plan, name, [PLACEHOLDER], device, processes))
    if problem and problem.startswith("name:"):
        raise UserError(f"--name must be small letters, digits, - and _, a letter or digit first; got {name!r}")
    if problem:
        raise UserError(f"the record of this run would break the schema at {problem}")


def check_numbers(plan: Plan) -> None:
    """See that no number of the run is out of its range.

    Raises:
        ValueError: one is.
    """
    names = ("epochs", "batch_size", "lr", "momentum", "weight_decay", "label_smoothing")
    check_arguments(**{name: plan.settings[name] for name in names})
    if plan.settings["optimizer"] != "sdlm":
        plan.fit_arguments()


def check_folders(plan: Plan, work: Path, out: Path) -> None:
    """See that both folders can be written to, and that the checkpoints will have room.

    Raises:
        UserError: a folder cannot be made or written to, or the disk is too full.
    """
    for option, folder in (("--work", work), ("--out", out)):
        try:
            with tempfile.NamedTemporaryFile(dir=_there_already(folder), prefix=".course-") as file:
                file.write(b"\0" * 4096)
        except OSError as error:
            raise UserError(f"{folder} cannot be written to ({error.strerror}): give {option} another folder") from None
    weights = build_meta(plan.model, **plan.built_options).state_dict().values()
    needed = CHECKPOINTS * STATES * sum(tensor.numel() * tensor.element_size() for tensor in weights) + SPARE
    free = shutil.disk_usage(_there_already(work)).free
    if free < needed:
        raise UserError(
            f"{work} has {free / 2**20:,.0f} MiB free, and the checkpoints of {plan.model} need {needed / 2**20:,.0f} "
            f"MiB: make room, or give --work another folder"
        )


def _there_already(folder: Path) -> Path:
    """The folder, or the nearest above it that exists: a check leaves nothing behind."""
    return next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
