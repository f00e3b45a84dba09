"""Drawings of pooling: where the windows lie when the size does not divide, and what a shift of the image changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from course_lib.arithmetic import pool_output_size
from course_lib.figures.style import BLUE, HEADING, ORANGE, PALETTE, VERMILLION, WIDTH

PADDING = {"facecolor": "#f2f2f2", "edgecolor": "#8c8c8c", "hatch": "///", "linewidth": 0.6}


class PoolCase(NamedTuple):
    """One pooling along one axis; padding is per side."""

    input_size: int
    kernel_size: int
    stride: int
    padding: int = 0


def ceil_tapes(cases: Mapping[str, PoolCase]) -> Figure:
    """One tape of pixels per case and, below it, its windows: a row each.

    Blue windows lie inside the padded input. Orange ones hang over its end, and ceil mode keeps them. A vermillion,
    dashed one is what rounding up would add, and torch refuses it, for it starts beyond the last pixel.
    """
    heights = [2.3 + _rounded_up(case) for case in cases.values()]
    figure = Figure(figsize=(WIDTH, 0.3 * sum(heights) + 0.75 * len(cases)), layout="constrained")
    axes = figure.subplots(len(cases), 1, squeeze=False, height_ratios=heights)[:, 0]
    low = min(-case.padding for case in cases.values()) - 0.7
    high = max(_end(case) for case in cases.values()) - 0.3
    for ax, (title, case) in zip(axes, cases.items(), strict=True):
        _draw_tape(ax, case)
        ax.set_title(title, **HEADING)
        ax.set(xlim=(low, high), ylabel="output")
    axes[-1].set_xlabel("input pixel")
    return figure


def shift_lines(window_sizes: Sequence[int], changes: Mapping[str, Sequence[float]]) -> Figure:
    """Relative change of a pooled map when the image moves, against the side of the window: a line per pooling."""
    figure = Figure(figsize=(WIDTH, 3.4), layout="constrained")
    ax = figure.subplots()
    for color, marker, (label, values) in zip(PALETTE, "os^", changes.items(), strict=False):
        ax.plot(window_sizes, values, marker=marker, color=color, label=label)
    ax.set(xlabel="side of the window (pixels)", ylabel="relative change", ylim=(0, None), xticks=window_sizes)
    ax.legend()
    return figure


def _rounded_up(case: PoolCase) -> int:
    """Windows when the size is rounded up, without torch's rule."""
    return -(-(case.input_size + 2 * case.padding - case.kernel_size) // case.stride) + 1


def _end(case: PoolCase) -> int:
    """One past the last place that the input, its padding or a window covers."""
    last = (_rounded_up(case) - 1) * case.stride - case.padding + case.kernel_size
    return max(last, case.input_size + case.padding)


def _draw_tape(ax: Axes, case: PoolCase) -> None:
    for pixel in range(-case.padding, case.input_size + case.padding):
        inside = 0 <= pixel < case.input_size
        style = {"facecolor": "white", "edgecolor": "black"} if inside else PADDING
        ax.add_patch(Rectangle((pixel - 0.5, -1.5), 1, 0.9, **style))
        if inside:
            ax.text(pixel, -1.05, str(pixel), ha="center", va="center", fontsize=11)
    kept = pool_output_size(*case, ceil_mode=True)
    fitting = pool_output_size(*case)
    for output in range(_rounded_up(case)):
        color = BLUE if output < fitting else ORANGE if output < kept else VERMILLION
        style = {"facecolor": color} if output < kept else {"fill": False, "linestyle": (0, (3, 1.5))}
        start = output * case.stride - case.padding
        ax.add_patch(Rectangle((start - 0.42, output - 0.35), case.kernel_size - 0.16, 0.7, **style, ec=color, lw=2))
    ax.set(ylim=(_rounded_up(case) - 0.4, -1.7), xticks=range(case.input_size))
    ax.set_yticks(range(_rounded_up(case)))
    ax.grid(False)
