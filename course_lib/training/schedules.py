"""Learning rate schedules: pure functions of the step, so that a run can resume at any of them.

A schedule is called with the number of steps done and the number of steps in all, and returns what the peak learning
rate is multiplied with. Any function of that form will do.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

Schedule = Callable[[int, int], float]


@dataclass(frozen=True)
class Constant:
    """The same learning rate at each step."""

    def __call__(self, step: int, total_steps: int) -> float:  # noqa: ARG002
        """1, always."""
        return 1.0


@dataclass(frozen=True)
class Cosine:
    """Half a cosine from the peak at the first step down to nearly 0 at the last.

    Loshchilov and Hutter 2017, SGDR, arXiv:1608.03983, equation 5, without restarts.
    """

    def __call__(self, step: int, total_steps: int) -> float:
        """From 1 down towards 0."""
        return 0.5 * (1 + math.cos(math.pi * step / total_steps))


@dataclass(frozen=True)
class OneCycle:
    """Up to the peak over the first part of the run, then down to nearly nothing, both along half a cosine.

    Smith and Topin 2018, Super-convergence, arXiv:1708.07120, section 3.

    Differs from the paper: cosines in place of straight lines, as in torch's OneCycleLR; the momentum stays constant.
    """

    warmup: float = 0.3
    start: float = 1 / 25
    end: float = 1 / 250_000

    def __call__(self, step: int, total_steps: int) -> float:
        """From ``start`` up to 1 at the share ``warmup`` of all steps, then down to ``end``."""
        top = max(self.warmup * total_steps - 1, 0.0)
        if step <= top:
            return _cosine(self.start, 1.0, step / top if top else 1.0)
        return _cosine(1.0, self.end, (step - top) / max(total_steps - 1 - top, 1e-9))


@dataclass(frozen=True)
class Steps:
    """The learning rate times ``factor`` at each of the given shares of the run.

    The defaults are those of He et al. 2015, arXiv:1512.03385, section 4.2: a tenth after 32,000 and again after
    48,000 of 64,000 steps.
    """

    at: tuple[float, ...] = (0.5, 0.75)
    factor: float = 0.1

    def __call__(self, step: int, total_steps: int) -> float:
        """``factor`` to the power of the number of shares that are reached."""
        return self.factor ** sum(step >= share * total_steps for share in self.at)


@dataclass(frozen=True)
class Table:
    """A factor of its own for each part of the run.

    The defaults are those of LeCun et al. 1998, section III-B, for a peak of 0.0005 and 20 passes: 0.0005 for two
    passes, 0.0002 for three, 0.0001 for three, 0.00005 for four, then 0.00001.

    Args:
        until: shares of the run at which the next factor begins.
        factors: one more than ``until`` has shares.
    """

    until: tuple[float, ...] = (0.1, 0.25, 0.4, 0.6)
    factors: tuple[float, ...] = (1.0, 0.4, 0.2, 0.1, 0.02)

    def __call__(self, step: int, total_steps: int) -> float:
        """The factor of the part that the step is in."""
        return self.factors[sum(step >= share * total_steps for share in self.until)]


SCHEDULES: dict[str, Schedule] = {
    "constant": Constant(),
    "cosine": Cosine(),
    "lecun1998": Table(),
    "one-cycle": OneCycle(),
    "step": Steps(),
}


def find_schedule(schedule: str | Schedule) -> Schedule:
    """A schedule by its name, or the schedule itself.

    Raises:
        ValueError: the name is not known.
    """
    if callable(schedule):
        return schedule
    if schedule not in SCHEDULES:
        raise ValueError(f"schedule must be one of {', '.join(SCHEDULES)}, or a function, got {schedule!r}")
    return SCHEDULES[schedule]


def _cosine(first: float, last: float, share: float) -> float:
    """From ``first`` to ``last`` along half a cosine, at ``share`` of the way."""
    return last + (first - last) * 0.5 * (1 + math.cos(math.pi * share))
