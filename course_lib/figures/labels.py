"""Names beside points, where they cover least of what is there already."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from matplotlib.axes import Axes

from course_lib.figures.style import GREY

FONT_SIZE = 9  # points
NEAREST_FIRST = ((1, 0), (-1, 0), (0, 1), (0, -1), (0.7, 0.7), (-0.7, 0.7), (0.7, -0.7), (-0.7, -0.7))

Box = tuple[float, float, float, float]  # left, bottom, right, top in pixels


class Circle(NamedTuple):
    """A point that is drawn already: its place in the data's units, its radius in points (1/72 inch)."""

    x: float
    y: float
    radius: float


def place_labels(ax: Axes, circles: Mapping[str, Circle], names: Iterable[str] | None = None) -> None:
    """Write names beside their circles, each where it covers least of circles, names and the outside.

    The figure must have been laid out (``figure.draw_without_rendering()``). Widths are estimated from the number of
    letters. A name that had to go far from its circle gets a thin line to it.

    Args:
        ax: with the limits that it will keep.
        circles: everything that must not be covered.
        names: those of the circles that get a name; None for all.
    """
    pixels = ax.figure.dpi / 72  # per point
    frame = tuple(ax.get_window_extent().extents)
    centres = {name: tuple(ax.transData.transform(circle[:2])) for name, circle in circles.items()}
    taken = [_around(*centres[name], 0.8 * circle.radius * pixels) for name, circle in circles.items()]
    height = 1.1 * FONT_SIZE * pixels
    for name in circles if names is None else names:
        across, up = centres[name]
        gap, width = (circles[name].radius + 3) * pixels, 0.58 * FONT_SIZE * len(name) * pixels
        best = min(
            _places(across, up, gap, width, height),
            key=lambda box: sum(_shared(box, other) for other in taken) + 3 * (_area(box) - _shared(box, frame)),
        )
        taken.append(best)
        distance = math.dist(((best[0] + best[2]) / 2, (best[1] + best[3]) / 2), (across, up))
        line = {"arrowstyle": "-", "color": GREY, "linewidth": 0.6, "shrinkA": 0, "shrinkB": 0}
        ax.annotate(
            name,
            circles[name][:2],
            ((best[0] - across) / pixels, (best[1] - up) / pixels),
            textcoords="offset points",
            fontsize=FONT_SIZE,
            arrowprops=line if distance > gap + 0.6 * width + height else None,
        )


def _around(across: float, up: float, reach: float) -> Box:
    return across - reach, up - reach, across + reach, up + reach


def _places(across: float, up: float, gap: float, width: float, height: float) -> list[Box]:
    """Where a name may stand around a centre, the nearest places first."""
    boxes = []
    for far in (gap, 1.5 * gap + height, 2 * gap + 2.2 * height):
        for dx, dy in NEAREST_FIRST:
            left = across + far * dx - (width if dx < 0 else 0 if dx > 0 else width / 2)
            bottom = up + far * dy - (height if dy < 0 else 0 if dy > 0 else height / 2)
            boxes.append((left, bottom, left + width, bottom + height))
    return boxes


def _area(box: Sequence[float]) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def _shared(one: Sequence[float], other: Sequence[float]) -> float:
    """The area that two boxes share."""
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    return max(0.0, wide) * max(0.0, high)
