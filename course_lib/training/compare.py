"""Whether two sets of runs differ: the one rule of the course for "told apart".

A comparison takes one number from each run of two contestants, both with the same seeds. Two sources of chance stand
behind the difference of the means: the seeds, and the images on which the errors were counted. The interval holds
both. Two contestants are *told apart* when the interval leaves out 0; beside a "not told apart" stands the smallest
difference that would have been seen.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import NamedTuple

from scipy.special import nctdtrinc, stdtrit
from torch import Tensor

POWER = 0.8  # a difference "would have been seen" when four experiments in five would tell it apart


class Interval(NamedTuple):
    """A mean of ``n`` runs, and the interval that holds the true mean with a chance of ``level``."""

    mean: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return f"{self.mean:.1f} ({self.low:.1f} to {self.high:.1f})".replace("-", "−")


class Comparison(NamedTuple):
    """The difference of two means, ``first`` less ``second``, in the unit of the values.

    Args:
        difference: of the means.
        low, high: the interval of the true difference.
        smallest_seen: the smallest true difference that would have been told apart in four experiments of five, with
            so many runs that spread so far.
        n: runs of each, or the fewer of the two.
    """

    difference: float
    low: float
    high: float
    smallest_seen: float
    n: int

    @property
    def told_apart(self) -> bool:
        """Whether the interval leaves out 0."""
        return self.low > 0 or self.high < 0

    def verdict(self, lower: str = "better", higher: str = "worse") -> str:
        """What the first is beside the second: ``lower``, ``higher`` or "not told apart"."""
        return "not told apart" if not self.told_apart else lower if self.difference < 0 else higher

    def __str__(self) -> str:
        numbers = f"{self.difference:+.1f} ({self.low:+.1f} to {self.high:+.1f})".replace("-", "−")
        if self.told_apart:
            return numbers
        return f"{numbers}, not told apart; {self.smallest_seen:.1f} would have been seen"


def interval(values: Sequence[float], *, num_test: int | None = None, level: float = 0.95) -> Interval:
    """The mean of one contestant's runs, with an interval by Student's t.

    Args:
        values: one for each run, two at least. With ``num_test`` they are error rates in per cent.
        num_test: on how many test images the errors were counted; they were drawn by chance too.
        level: the chance that the interval holds the true mean.

    Raises:
        ValueError: fewer than two values, one that is not finite, an error outside 0..100, or a level outside 0..1.
    """
    _check(values, num_test, level)
    images = _image_variance(statistics.fmean(values), num_test)
    half = _spread([(statistics.variance(values) / len(values), len(values) - 1)], images).half_width(level)
    mean = statistics.fmean(values)
    return Interval(mean, mean - half, mean + half, len(values))


def compare(
    first: Sequence[float],
    second: Sequence[float],
    *,
    paired: bool = True,
    num_test: int | None = None,
    comparisons: int = 1,
    level: float = 0.95,
) -> Comparison:
    """Compare two contestants by one number from each of their runs.

    Seeds: the t interval of the paired differences, or Welch's for runs that are not paired. Test images, with
    ``num_test``: the variance of the difference of two proportions, one error and one right answer added to each
    (Agresti and Caffo 2000, The American Statistician 54(4)). Both networks see the same images and tend to fail on
    the same ones, so this is an upper bound; ``compare_on_images`` has the exact one. The two variances are added,
    and the degrees of freedom follow Satterthwaite 1946, Biometrics Bulletin 2(6).

    Args:
        first, second: one value for each run. With ``num_test`` they are error rates in per cent.
        paired: ``first[i]`` and ``second[i]`` have the seed in common.
        num_test: on how many test images the errors were counted; None for values that are not error rates.
        comparisons: how many the table makes: a false "told apart" anywhere in it stays below 1 - ``level``
            (Bonferroni).
        level: the chance that the intervals hold the true differences.

    Raises:
        ValueError: fewer than two runs, pairs that do not match, a value that is not finite, an error outside 0..100.
    """
    for values in (first, second):
        _check(values, num_test, level)
    if comparisons < 1:
        raise ValueError(f"comparisons must be at least 1, got {comparisons}")
    images = sum(_image_variance(statistics.fmean(values), num_test) for values in (first, second))
    if paired:
        if len(first) != len(second):
            raise ValueError(f"paired runs must be as many on both sides, got {len(first)} and {len(second)}")
        pairs = [one - other for one, other in zip(first, second, strict=True)]
        seeds = [(statistics.variance(pairs) / len(pairs), len(pairs) - 1)]
    else:
        seeds = [(statistics.variance(values) / len(values), len(values) - 1) for values in (first, second)]
    difference = statistics.fmean(first) - statistics.fmean(second)
    return _spread(seeds, images).comparison(difference, min(len(first), len(second)), 1 - (1 - level) / comparisons)


def compare_on_images(first: Tensor, second: Tensor, *, comparisons: int = 1, level: float = 0.95) -> Comparison:
    """Compare two contestants by what each run got wrong, image by image; the difference is in per cent.

    As ``compare``, but the images' share is counted and not bounded: it is the variance over the images of the
    difference of the two mean errors, divided by their number.

    Args:
        first, second: (runs, images) bool, True for an error; the same seeds and the same images in the same order.

    Raises:
        ValueError: the shapes differ, or there are fewer than two runs or two images.
    """
    if first.shape != second.shape or first.ndim != 2 or min(first.shape) < 2:
        raise ValueError(
            f"both must be (runs, images), at least two of each, got {tuple(first.shape)} and {tuple(second.shape)}"
        )
    _check([0.0, 0.0], None, level)
    gaps = 100 * (first.double() - second.double())
    (runs, count), level = gaps.shape, 1 - (1 - level) / comparisons
    seeds = [(gaps.mean(1).var().item() / runs, runs - 1)]
    return _spread(seeds, gaps.mean(0).var().item() / count).comparison(gaps.mean().item(), runs, level)


class _Spread(NamedTuple):
    """The standard error of a mean or of a difference, and its degrees of freedom."""

    error: float
    degrees: float

    def half_width(self, level: float) -> float:
        return float(stdtrit(self.degrees, (1 + level) / 2)) * self.error

    def comparison(self, difference: float, n: int, level: float) -> Comparison:
        half = self.half_width(level)
        seen = float(nctdtrinc(self.degrees, 1 - POWER, stdtrit(self.degrees, (1 + level) / 2))) * self.error
        return Comparison(difference, difference - half, difference + half, seen, n)


def _spread(seeds: list[tuple[float, int]], images: float) -> _Spread:
    """Variances of means with their degrees of freedom, and the variance that the images add, which is known."""
    total = images + sum(variance for variance, _ in seeds)
    weights = sum(variance**2 / degrees for variance, degrees in seeds)
    fewest = min(degrees for _, degrees in seeds)
    return _Spread(math.sqrt(total), min(total**2 / weights, 1e6) if weights else fewest)


def _image_variance(error: float, num_test: int | None) -> float:
    """The variance of an error rate, in per cent squared, that comes from the choice of the test images."""
    if num_test is None:
        return 0.0
    share = (error / 100 * num_test + 1) / (num_test + 2)
    return 100**2 * share * (1 - share) / (num_test + 2)


def _check(values: Sequence[float], num_test: int | None, level: float) -> None:
    if len(values) < 2:
        raise ValueError(f"at least two runs are needed to see how far runs spread, got {len(values)}")
    if not all(map(math.isfinite, values)):
        raise ValueError(f"every value must be finite, got {list(values)}")
    if num_test is not None and num_test < 1:
        raise ValueError(f"num_test must be at least 1, got {num_test}")
    if num_test is not None and not all(0 <= value <= 100 for value in values):
        raise ValueError(f"with num_test, values are error rates in per cent, from 0 to 100; got {list(values)}")
    if not 0 < level < 1:
        raise ValueError(f"level must be between 0 and 1, got {level}")
