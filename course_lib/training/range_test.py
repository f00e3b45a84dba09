"""Which learning rates a network bears: one short run through all of them."""

from __future__ import annotations

import copy
import math
from typing import NamedTuple

import numpy as np
from torch import Generator, nn

from course_lib.data import ImageData, Normaliser
from course_lib.training.device import find_device
from course_lib.training.faults import in_one_line
from course_lib.training.group import Group
from course_lib.training.keeper import Keeper
from course_lib.training.loop import Loop, batches
from course_lib.training.optimisers import OptimiserMaker, make_optimiser, set_learning_rate
from course_lib.training.outputs import Criterion, make_criterion
from course_lib.training.reproducible import deterministic_algorithms, seeded

SMOOTHING = 0.9  # what the moving average of the losses keeps of itself at each step
BLOWN_UP = 4.0  # times the lowest loss: the end of the test


class RateTest(NamedTuple):
    """The learning rate of each step, its loss, and the loss smoothed; the test ends where the loss blows up."""

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    smooth: tuple[float, ...]

    @property
    def steepest(self) -> float:
        """The rate at which the smoothed loss falls fastest over the logarithm of the rate: a peak for a schedule."""
        slopes = np.gradient(np.array(self.smooth), np.log(self.rates))
        return self.rates[int(slopes.argmin())]


def rate_range_test(
    model: nn.Module,
    data: ImageData,
    *,
    low: float = 1e-6,
    high: float = 10.0,
    steps: int = 100,
    batch_size: int = 64,
    optimizer: str | OptimiserMaker = "sgd",
    momentum: float = 0.9,
    weight_decay: float = 0.0,
    label_smoothing: float = 0.0,
    criterion: Criterion | None = None,
    aux_weight: float = 0.3,
    precision: str = "fp32",
    seed: int = 0,
    device: str = "auto",
) -> RateTest:
    """Train a copy of ``model`` for some steps while the rate grows from ``low`` to ``high``, each time by a factor.

    Smith 2015, Cyclical learning rates, arXiv:1506.01186, section 3.3.

    Differs from the paper: the rate grows by a factor, not by a difference; the loss is looked at, not the accuracy.

    Args:
        model: stays as it is.
        data: its training images are used, again and again if the steps are more than an epoch's.
        optimizer, momentum, weight_decay, label_smoothing, criterion, aux_weight: as in ``fit``.
        precision, seed, device: as in ``fit``.

    Raises:
        ValueError: the rates or the number of steps are out of range.
    """
    if not 0 < low < high < math.inf or steps < 3:
        raise ValueError(
            f"low and high must be rates, low below high, and steps at least 3, got {low}, {high}, {steps}"
        )
    place, generator = find_device(device), Generator().manual_seed(seed)
    with in_one_line(place, batch_size), seeded(seed, place), deterministic_algorithms(False):
        twin = copy.deepcopy(model).to(place).train()
        loop = Loop(
            forward=twin,
            optimiser=make_optimiser(optimizer, twin, lr=low, momentum=momentum, weight_decay=weight_decay),
            train=data.train.to(place),
            classes=len(data.classes),
            generator=generator,
            prepare=Normaliser(data.stats, place),
            augment=None,
            criterion=make_criterion(criterion, label_smoothing),
            aux_weight=aux_weight,
            precision=precision,
            group=Group(),
            keeper=Keeper(twin, None, None),
        )
        return _run(loop, np.geomspace(low, high, steps).tolist(), batch_size)


def _run(loop: Loop, planned: list[float], batch_size: int) -> RateTest:
    rates, losses, smooth, average, waiting = [], [], [], 0.0, []
    for step, rate in enumerate(planned, start=1):
        waiting = waiting or batches(len(loop.train), batch_size, loop.generator, 1, loop.train.labels.device)
        set_learning_rate(loop.optimiser, rate)
        loss = loop.step(waiting.pop())[0].item()
        if not math.isfinite(loss):
            break
        average = SMOOTHING * average + (1 - SMOOTHING) * loss
        rates.append(rate)
        losses.append(loss)
        smooth.append(average / (1 - SMOOTHING**step))  # of the first steps there are few
        if smooth[-1] > BLOWN_UP * min(smooth):
            break
    return RateTest(tuple(rates), tuple(losses), tuple(smooth))
