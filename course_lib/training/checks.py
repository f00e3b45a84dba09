"""What a run refuses before it starts, and what stops it on the way."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Integral

from course_lib.training.checkpoint import Checkpoints
from course_lib.training.errors import TrainingError
from course_lib.training.history import History

DIVERGED = 1e6  # a cross-entropy that no run comes back from


def check_arguments(*, epochs: int, batch_size: int, **numbers: float) -> None:
    """Refuse what no run can use, before anything is touched.

    Raises:
        ValueError: a number is out of its range.
    """
    for name, value in (("epochs", epochs), ("batch_size", batch_size)):
        if not isinstance(value, Integral) or value < 1:
            raise ValueError(f"{name} must be a whole number of at least 1, got {value!r}")
    if not 0 < numbers["lr"] < math.inf:
        raise ValueError(f"lr must be above 0 and finite, got {numbers['lr']}")
    for name, value in numbers.items():
        if not 0 <= value < math.inf:
            raise ValueError(f"{name} must be at least 0 and finite, got {value}")
    if numbers["label_smoothing"] > 1:
        raise ValueError(f"label_smoothing must be between 0 and 1, got {numbers['label_smoothing']}")


def stop_if_diverged(
    step_loss: Sequence[float], rates: Sequence[float], history: History, checkpoints: Checkpoints | None
) -> None:
    """Look at the losses of an epoch's steps.

    Raises:
        TrainingError: one is NaN, infinite or larger than ``DIVERGED``.
    """
    for step, (loss, rate) in enumerate(zip(step_loss, rates, strict=True), start=1):
        if not abs(loss) <= DIVERGED:
            place = f"epoch {history.epochs + 1}, step {step} (learning rate {rate:.3g})"
            raise divergence(f"the loss was {loss} at {place}", checkpoints)


def divergence(what: str, checkpoints: Checkpoints | None) -> TrainingError:
    """The error that says what diverged, where, and where the last good checkpoint is."""
    remedy = "try a lower lr, a longer warm-up or label smoothing"
    return TrainingError(
        f"training diverged: {what}; {remedy}" + (f"; {checkpoints.note()}" if checkpoints is not None else "")
    )
