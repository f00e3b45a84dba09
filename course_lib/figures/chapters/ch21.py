"""What came after: two recipes for the same networks, and what a larger image costs.

Every function takes numbers that the caller counted or looked up, draws them, and returns a figure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator

from course_lib.figures.style import BLACK, BLUE, MARKERS, PALETTE, VERMILLION, WIDTH
from course_lib.measuring import Timing


def two_recipes(pairs: Mapping[str, tuple[float, float, float]], named: Sequence[str]) -> Figure:
    """An arrow for each network, from its accuracy under the older recipe to that under the newer one.

    Args:
        pairs: by name: multiply-adds in units of 10^9, accuracy in per cent before, and after.
        named: the networks whose names are written at their arrows.
    """
    figure = Figure(figsize=(WIDTH, 4.6), layout="constrained")
    ax = figure.subplots()
    for name, (macs, before, after) in pairs.items():
        color = VERMILLION if name in named else BLUE
        ax.annotate(
            "", (macs, after), (macs, before), arrowprops={"arrowstyle": "-|>", "color": color, "linewidth": 1.6}
        )
        ax.plot(macs, before, "o", color=color, markersize=4)
        if name in named:
            ax.annotate(
                name,
                (macs, after),
                xytext=(0, 6),
                textcoords="offset points",
                ha="center",
                fontsize=10,
                zorder=5,
                bbox={"facecolor": "white", "alpha": 0.8, "pad": 1, "linewidth": 0},
            )
    low, high = min(before for _, before, _ in pairs.values()), max(after for *_, after in pairs.values())
    ax.set(xscale="log", ylim=(low - 1, high + 1.5))
    ax.set(xlabel="multiply-adds of one image, $10^9$", ylabel="accuracy on ImageNet, %")
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    return figure


def cost_by_side(sides: Sequence[int], costs: Mapping[str, Sequence[float]]) -> Figure:
    """Multiply-adds against the side of the image, relative to the first side, with the square of the side as a guide.

    Args:
        sides: in pixels, rising.
        costs: by name, one count for each side.
    """
    figure = Figure(figsize=(WIDTH, 3.8), layout="constrained")
    ax = figure.subplots()
    guide = [(side / sides[0]) ** 2 for side in sides]
    ax.plot(sides, guide, "--", color=BLACK, linewidth=1, label="square of the side")
    for (name, counts), color, marker in zip(costs.items(), PALETTE, MARKERS, strict=False):
        ax.plot(sides, [count / counts[0] for count in counts], marker + "-", color=color, label=name)
    ax.set(
        xscale="log", yscale="log", xlabel="side of the image, pixels", ylabel=f"multiply-adds, {sides[0]} pixels = 1"
    )
    ax.xaxis.set_major_locator(FixedLocator(sides))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    ax.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    ax.legend(fontsize=10)
    return figure


def time_bars(times: Mapping[str, Timing]) -> Figure:
    """A bar for each network: the median time of one call, in milliseconds, with its spread."""
    figure = Figure(figsize=(WIDTH, 0.5 * len(times) + 1.0), layout="constrained")
    ax = figure.subplots()
    for place, timing in enumerate(times.values()):
        ax.barh(place, 1000 * timing.median, xerr=1000 * timing.spread, color=BLUE, height=0.6, capsize=4)
    ax.set(xlabel="milliseconds for one image", ylim=(len(times) - 0.4, -0.6))
    ax.set_yticks(range(len(times)), times)
    ax.grid(False, axis="y")
    return figure
