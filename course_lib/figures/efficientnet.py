"""Drawings for EfficientNet: networks scaled in several ways, and published accuracy against published cost.

Every function takes numbers that the caller has, draws them, and returns a figure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, NullLocator

from course_lib.figures.style import BLACK, BLUE, VERMILLION, WIDTH

GAP = 0.12  # between two blocks, as a share of the height of the tallest


def scaled_stacks(cases: Mapping[str, Sequence[tuple[int, int]]]) -> Figure:
    """A column per network, a box per block from the bottom up: as wide as its channels, as high as its maps.

    Args:
        cases: for each network the (channels, side of the map) of its blocks, first block first.
    """
    figure = Figure(figsize=(WIDTH, 3.8), layout="constrained")
    ax = figure.subplots()
    widest = max(channels for blocks in cases.values() for channels, _ in blocks)
    tallest = max(side for blocks in cases.values() for _, side in blocks)
    top = 0.0
    for place, blocks in enumerate(cases.values()):
        height = 0.0
        for channels, side in blocks:
            share = 0.9 * channels / widest
            ax.add_patch(Rectangle((place - share / 2, height), share, side, facecolor=BLUE, edgecolor="white"))
            height += side + GAP * tallest
        top = max(top, height)
    ax.set(xlim=(-0.6, len(cases) - 0.4), ylim=(-0.02 * top, top))
    ax.set_xticks(range(len(cases)), cases, fontsize=10)
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    ax.tick_params(length=0)
    ax.grid(False)
    return figure


def accuracy_against_cost(
    family: Mapping[str, tuple[float, float]], others: Mapping[str, tuple[float, float]], *, xlabel: str, ylabel: str
) -> Figure:
    """Networks as (cost, accuracy), the cost on a logarithmic axis: a family on a line, the others as marks."""
    figure = Figure(figsize=(WIDTH, 4.0), layout="constrained")
    ax = figure.subplots()
    ax.plot(*zip(*family.values(), strict=True), "o-", color=BLUE)
    ax.plot(*zip(*others.values(), strict=True), "s", color=VERMILLION, linestyle="")
    for points, color, offset, side in ((family, BLUE, (-4, 5), "right"), (others, BLACK, (7, -4), "left")):
        for name, point in points.items():
            ax.annotate(name, point, offset, textcoords="offset points", fontsize=9, color=color, ha=side)
    costs = [cost for cost, _ in (*family.values(), *others.values())]
    ax.set(xscale="log", xlabel=xlabel, ylabel=ylabel, xlim=(0.6 * min(costs), 4 * max(costs)))
    ax.margins(y=0.1)
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.xaxis.set_minor_locator(NullLocator())
    return figure
