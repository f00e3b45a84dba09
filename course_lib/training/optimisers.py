"""Optimisers with weight decay on weights alone, in torch's fused form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import nn, optim

OPTIMISERS: dict[str, type[optim.Optimizer]] = {"sgd": optim.SGD, "adam": optim.Adam, "adamw": optim.AdamW}

OptimiserMaker = Callable[[list[dict[str, Any]]], optim.Optimizer]


def parameter_groups(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Two groups: weights, which decay, then biases and the scales and shifts of norms, which do not.

    He et al. 2019, Bag of tricks, arXiv:1812.01187, section 3.1. What has one axis or none belongs to the second.
    """
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    groups = [
        {"params": [parameter for parameter in trained if parameter.ndim > 1], "weight_decay": weight_decay},
        {"params": [parameter for parameter in trained if parameter.ndim <= 1], "weight_decay": 0.0},
    ]
    return [group for group in groups if group["params"]]


def make_optimiser(
    optimizer: str | OptimiserMaker, model: nn.Module, *, lr: float, momentum: float, weight_decay: float
) -> optim.Optimizer:
    """The optimiser of that name, or what the given function makes of the parameter groups.

    Raises:
        ValueError: the name is not known, or no parameter is to be trained.
    """
    groups = parameter_groups(model, weight_decay)
    if not groups:
        raise ValueError("model must have at least one parameter with requires_grad, got none")
    if callable(optimizer):
        return optimizer(groups)
    if optimizer not in OPTIMISERS:
        raise ValueError(f"optimizer must be one of {', '.join(OPTIMISERS)}, or a function, got {optimizer!r}")
    options = {"momentum": momentum} if optimizer == "sgd" else {}
    return OPTIMISERS[optimizer](groups, lr=lr, fused=True, **options)


def set_learning_rate(optimizer: optim.Optimizer, lr: float) -> None:
    """Use ``lr`` for all groups from the next step on."""
    for group in optimizer.param_groups:
        group["lr"] = lr
