"""Which weights a run keeps: the last ones, their moving average, or those of the best epoch."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from course_lib.training.history import History


class Keeper:
    """The weights of a run beside those that are being trained.

    Args:
        model: what is being trained.
        decay: of the exponential moving average of its weights and buffers; None for no average.
        patience: epochs without a lower validation loss after which the run stops; None for a run of full length,
            which keeps its last weights.
    """

    def __init__(self, model: nn.Module, decay: float | None, patience: int | None) -> None:
        self.model, self.patience = model, patience
        self.average = None
        if decay is not None:
            self.average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(decay), use_buffers=True)
        self.best: dict[str, Tensor] | None = None

    @property
    def judged(self) -> nn.Module:
        """The model that is tested: with the average of the weights where there is one."""
        return self.model if self.average is None else self.average.module

    def after_step(self) -> None:
        """Take the new weights into the average."""
        if self.average is not None:
            self.average.update_parameters(self.model)

    def after_epoch(self, history: History) -> None:
        """Keep the weights if no epoch before had a lower validation loss."""
        if self.patience is not None and best_epoch(history) == history.epochs:
            self.best = on_cpu(self.judged)

    def stops(self, history: History) -> bool:
        """Whether the validation loss has not fallen for too long."""
        return self.patience is not None and history.epochs - best_epoch(history) >= self.patience

    def weights(self) -> dict[str, Tensor]:
        """What the run gives if it ends now, on the CPU."""
        return on_cpu(self.judged) if self.best is None else self.best

    def finish(self) -> None:
        """Give the model these weights, and evaluation mode."""
        if self.best is not None or self.average is not None:
            self.model.load_state_dict(self.weights())
        self.model.eval()

    def state_dict(self) -> dict[str, Any]:
        """What is needed to go on, beside ``weights``; empty for a run that keeps its last weights."""
        if self.average is None and self.best is None:
            return {}
        average = None if self.average is None else on_cpu(self.average)
        return {"trained": on_cpu(self.model), "average": average, "best": self.best}

    def load_state_dict(self, state: dict[str, Any], weights: dict[str, Tensor]) -> None:
        """The inverse: of ``state_dict`` and of ``weights``."""
        self.model.load_state_dict(state.get("trained", weights))
        if self.average is not None:
            self.average.load_state_dict(state["average"])
        self.best = state.get("best")


def best_epoch(history: History) -> int:
    """The epoch with the lowest validation loss, from 1; the first of several; 0 before the first."""
    losses = history.validation_loss
    return losses.index(min(losses)) + 1 if losses else 0


def on_cpu(model: nn.Module) -> dict[str, Tensor]:
    """Copies of the weights and buffers on the CPU."""
    return {
        name: tensor.detach().to("cpu", copy=True, memory_format=torch.contiguous_format)
        for name, tensor in model.state_dict().items()
    }
