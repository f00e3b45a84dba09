"""Optimisers with weight decay on weights alone, in torch's fused form."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch import nn, optim

OPTIMISERS: dict[str, type[optim.Optimizer]] = {"sgd": optim.SGD, "adam": optim.Adam, "adamw": optim.AdamW}

OptimiserMaker = Callable[[list[dict[str, Any]]], optim.Optimizer]


def parameter_groups(
    model: nn.Module, weight_decay: float, lr_scale: Mapping[str, float] | None = None
) -> list[dict[str, Any]]:
    """Two groups: weights, which decay, then biases and the scales and shifts of norms, which do not.

    He et al. 2019, Bag of tricks, arXiv:1812.01187, section 3.1. What has one axis or none belongs to the second.

    Args:
        lr_scale: two groups more for each part of the model that has a learning rate of its own: how its parameters'
            names begin, such as "features", and what its rate is, as a multiple of the others'. The first that fits
            a name is taken. A group's multiple is its entry "lr_scale".

    Raises:
        ValueError: no parameter's name begins so.
    """
    groups: dict[tuple[float, bool], list[nn.Parameter]] = {}
    unused = set(lr_scale or {})
    for name, parameter in model.named_parameters():
        part = next((part for part in lr_scale or {} if name == part or name.startswith(f"{part}.")), None)
        unused.discard(part)
        if parameter.requires_grad:
            scale = 1.0 if part is None else (lr_scale or {})[part]
            groups.setdefault((scale, parameter.ndim > 1), []).append(parameter)
    if unused:
        parts = dict.fromkeys(name.partition(".")[0] for name, _ in model.named_parameters())
        raise ValueError(f"lr_scale must name parts of the model, such as {', '.join(parts)}, got {min(unused)!r}")
    ordered = sorted(groups, key=lambda group: (group[0] != 1.0, group[0], not group[1]))
    return [
        {"params": groups[scale, decays], "weight_decay": weight_decay if decays else 0.0}
        | ({} if scale == 1.0 else {"lr_scale": scale})
        for scale, decays in ordered
    ]


def make_optimiser(
    optimizer: str | OptimiserMaker,
    model: nn.Module,
    *,
    lr: float,
    momentum: float,
    weight_decay: float,
    lr_scale: Mapping[str, float] | None = None,
) -> optim.Optimizer:
    """The optimiser of that name, or what the given function makes of the parameter groups.

    Raises:
        ValueError: the name is not known, no parameter is to be trained, or ``lr_scale`` names no part of the model.
    """
    groups = parameter_groups(model, weight_decay, lr_scale)
    if not groups:
        raise ValueError("model must have at least one parameter with requires_grad, got none")
    if callable(optimizer):
        return optimizer(groups)
    if optimizer not in OPTIMISERS:
        raise ValueError(f"optimizer must be one of {', '.join(OPTIMISERS)}, or a function, got {optimizer!r}")
    options = {"momentum": momentum} if optimizer == "sgd" else {}
    return OPTIMISERS[optimizer](groups, lr=lr, fused=True, **options)


def set_learning_rate(optimizer: optim.Optimizer, lr: float) -> None:
    """Use ``lr`` from the next step on, or its multiple in a group that has an "lr_scale"."""
    for group in optimizer.param_groups:
        group["lr"] = lr * group.get("lr_scale", 1.0)
