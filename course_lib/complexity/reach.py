"""What positions along one axis see of the input's axis, exactly, through windows, strides and upsampling.

Position ``i`` sees the input from a first to a last place. Both repeat: position ``i + period`` sees what ``i`` sees,
``step`` further on. Behind windows and strides the period is 1; behind an upsampling neighbours differ.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from functools import lru_cache
from math import ceil, floor, gcd, lcm
from typing import NamedTuple

LONGEST = 1024  # a period beyond which it is not followed


class Reach(NamedTuple):
    """The first and the last input position that positions 0 to ``period - 1`` see."""

    firsts: tuple[int, ...]
    lasts: tuple[int, ...]
    step: int

    @property
    def period(self) -> int:
        """Positions after which all repeats."""
        return len(self.firsts)

    def of(self, position: int) -> tuple[int, int]:
        """The first and the last input position that ``position`` sees."""
        turns, phase = divmod(position, len(self.firsts))
        return self.firsts[phase] + turns * self.step, self.lasts[phase] + turns * self.step


POSITION = Reach((0,), (0,), 1)


def _gathered(reach: Reach, period: int, step: int, sources: Callable[[int], Iterable[int]]) -> Reach | None:
    """A new axis of which position ``i`` sees what the positions ``sources(i)`` of the old one see."""
    if period > LONGEST:
        return None
    firsts, lasts = [], []
    for position in range(period):
        seen = [reach.of(source) for source in sources(position)]
        if not seen:  # a hole, as behind a transposed convolution with gaps
            return None
        firsts.append(min(first for first, _ in seen))
        lasts.append(max(last for _, last in seen))
    return _shortest(Reach(tuple(firsts), tuple(lasts), step))


def _shortest(reach: Reach) -> Reach:
    """The same with the smallest period."""
    for period in range(1, reach.period):
        if reach.period % period == 0 and reach.step * period % reach.period == 0:
            short = Reach(reach.firsts[:period], reach.lasts[:period], reach.step * period // reach.period)
            if all(short.of(i) == reach.of(i) for i in range(reach.period)):
                return short
    return reach


@lru_cache(maxsize=4096)
def slide(reach: Reach, kernel: int, stride: int, padding: int, dilation: int) -> Reach | None:
    """Behind a window; ``padding`` is that in front, and may be negative."""
    if reach.period == 1:  # nearly always
        (first,), (last,), step = reach
        return Reach((first - padding * step,), (last + ((kernel - 1) * dilation - padding) * step,), step * stride)
    period = reach.period // gcd(reach.period, stride)
    step = reach.step * stride * period // reach.period
    return _gathered(reach, period, step, lambda i: (i * stride - padding + tap * dilation for tap in range(kernel)))


@lru_cache(maxsize=4096)
def slide_back(reach: Reach, kernel: int, stride: int, padding: int, dilation: int) -> Reach | None:
    """Behind a transposed window."""

    def sources(position: int) -> list[int]:
        place = position + padding
        low, high = ceil(Fraction(place - (kernel - 1) * dilation, stride)), place // stride
        return [source for source in range(low, high + 1) if (place - source * stride) % dilation == 0]

    return _gathered(reach, reach.period * stride, reach.step, sources)


@lru_cache(maxsize=4096)
def resample(reach: Reach, ratio: Fraction, mode: str, corners: bool) -> Reach | None:
    """Behind a resampling that takes one output position for ``ratio`` input positions."""

    def sources(position: int) -> Iterable[int]:
        if mode == "nearest":
            return (floor(position * ratio),)
        centre = position * ratio if corners else (position + Fraction(1, 2)) * ratio - Fraction(1, 2)
        if mode == "nearest-exact":
            return (floor(centre + Fraction(1, 2)),)
        low = floor(centre)
        if low == centre:
            return (low,)
        return (low, low + 1) if mode == "linear" else range(low - 1, low + 3)

    turns = reach.period // gcd(reach.period, ratio.numerator)
    return _gathered(reach, ratio.denominator * turns, reach.step * ratio.numerator * turns // reach.period, sources)


@lru_cache(maxsize=4096)
def join(reaches: tuple[Reach, ...]) -> Reach | None:
    """Where branches meet, position by position; None where their positions do not belong together."""
    first = reaches[0]
    if any(other.step * first.period != first.step * other.period for other in reaches):
        return None
    period = lcm(*(reach.period for reach in reaches))
    if period > LONGEST:
        return None
    seen = [[reach.of(position) for reach in reaches] for position in range(period)]
    return _shortest(
        Reach(
            tuple(min(low for low, _ in all_seen) for all_seen in seen),
            tuple(max(high for _, high in all_seen) for all_seen in seen),
            first.step * period // first.period,
        )
    )
