"""What a training run measured, epoch by epoch and step by step."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class History:
    """One value per epoch in each field, and one loss per step in ``step_loss``.

    After ``fit(test_once=True)`` the two fields of the test have one value, that of the last epoch.

    Args:
        train_loss: mean over the epoch's images while the weights were changing, with label smoothing and the
            auxiliary heads where these are in use.
        train_accuracy: share of the epoch's images that were classified rightly, at the same moments.
        test_loss: plain cross-entropy on the test split after the epoch.
        test_accuracy: share of the test split that was classified rightly after the epoch.
        lr: learning rate of the epoch's last step.
        seconds: wall time of the epoch's training, the test not included.
        step_loss: training loss of each step of the run.
        validation_loss, validation_accuracy: as for the test split; empty without a validation split.
    """

    train_loss: tuple[float, ...] = ()
    train_accuracy: tuple[float, ...] = ()
    test_loss: tuple[float, ...] = ()
    test_accuracy: tuple[float, ...] = ()
    lr: tuple[float, ...] = ()
    seconds: tuple[float, ...] = ()
    step_loss: tuple[float, ...] = ()
    validation_loss: tuple[float, ...] = ()
    validation_accuracy: tuple[float, ...] = ()

    @property
    def epochs(self) -> int:
        """Number of epochs that are done."""
        return len(self.train_loss)

    def extended(self, step_loss: list[float], **epoch: float) -> History:
        """The history with one more epoch: a value for each field that has one per epoch."""
        longer = {name: (*getattr(self, name), value) for name, value in epoch.items()}
        return dataclasses.replace(self, step_loss=(*self.step_loss, *step_loss), **longer)

    def to_dict(self) -> dict[str, list[float]]:
        """Plain lists under the names of the fields, ready for JSON."""
        return {field.name: list(getattr(self, field.name)) for field in dataclasses.fields(self)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> History:
        """The inverse of ``to_dict``."""
        return cls(**{name: tuple(numbers) for name, numbers in values.items()})
