"""What a machine can do, and what code makes of it: rooflines, bandwidth by size of the data, shares of the peak."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from course_lib.figures.style import BLACK, BLUE, MARKERS, PALETTE, WIDTH

GIGA = 1e9


class Point(NamedTuple):
    """Measured code: multiply-adds per byte that it moves, and multiply-adds a second that it reaches."""

    intensity: float
    rate: float


def roofline(
    peak: float, bandwidths: Mapping[str, float], points: Mapping[str, Point], trail: Sequence[Point] = ()
) -> Figure:
    """Speed against arithmetic intensity, both logarithmic, under the roof that the machine sets.

    Args:
        peak: multiply-adds a second; the flat part of the roof.
        bandwidths: bytes a second by name; each is a slope: solid, dashed, dotted.
        points: code to place, by the name that the legend shows.
        trail: further points without a name, joined by a thin line.
    """
    figure = Figure(figsize=(WIDTH, 4.6), layout="constrained")
    ax = figure.subplots()
    every = [*points.values(), *trail]
    low, high = min(p.intensity for p in every) / 2, max(p.intensity for p in every) * 2
    for style, (name, speed) in zip(("-", "--", ":"), bandwidths.items(), strict=False):
        _draw_roof(ax, peak, speed, (low, high), style, f"roof: {name}")
    if trail:
        ax.plot(*_coordinates(trail), ".-", color="#8c8c8c", linewidth=1, label="thin matrix products", zorder=1)
    for index, (name, point) in enumerate(points.items()):
        marker, color = MARKERS[index % len(MARKERS)], PALETTE[index % len(PALETTE)]
        ax.plot(*_coordinates([point]), marker, color=color, markersize=9, label=name, linestyle="")
    floor = min(p.rate for p in every) / GIGA / 2
    ax.set(xscale="log", yscale="log", xlim=(low, high), ylim=(floor, 3 * peak / GIGA))
    ax.set(xlabel="multiply-adds per byte", ylabel="multiply-adds per second (10⁹)")
    figure.legend(loc="outside lower center", ncols=2, fontsize=10)
    return figure


def bandwidth_curve(sizes: Sequence[int], speeds: Sequence[float]) -> Figure:
    """Bytes a second against the bytes that the arrays have together; both in the units of the axes."""
    figure = Figure(figsize=(WIDTH, 3.2), layout="constrained")
    ax = figure.subplots()
    ax.plot(np.asarray(sizes) / 2**20, np.asarray(speeds) / GIGA, "o-", color=BLUE)
    ax.set_xscale("log", base=2)
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:g}" if value >= 1 else f"1/{1 / value:g}")
    ax.set(xlabel="size of the three arrays together (MiB)", ylabel="10⁹ bytes per second", ylim=(0, None))
    return figure


def peak_shares(shares: Mapping[str, float]) -> Figure:
    """A bar for each method, as long as its share of the peak is large; the axis is logarithmic.

    A number stands in its bar where the bar comes near the line of the peak, beside it where it is short.
    """
    figure = Figure(figsize=(WIDTH, 0.42 * len(shares) + 1.0), layout="constrained")
    ax = figure.subplots()
    percent = [100 * share for share in shares.values()]
    floor = 10 ** np.floor(np.log10(min(percent)) - 0.5)
    places = range(len(percent))
    ax.barh(places, percent, left=0, color=BLUE, height=0.6)
    for place, value in zip(places, percent, strict=True):
        text, near = f"{value:.0f}%" if value >= 10 else f"{value:.2g}%", value >= 10
        place_of_text = {"xytext": (-5 if near else 5, 0), "textcoords": "offset points", "va": "center"}
        ax.annotate(
            text, (value, place), **place_of_text, ha="right" if near else "left", color="white" if near else BLACK,
            fontsize=11,
        )  # fmt: skip
    ax.axvline(100, color=BLACK, linewidth=1, linestyle="--")
    ax.annotate("peak", (100, len(percent) - 0.6), (5, 0), textcoords="offset points", va="center", fontsize=11)
    ax.set(xscale="log", xlim=(floor, max(1000, 4 * max(percent))), xlabel="share of the peak (%)")
    ax.set_yticks(places, shares)
    ax.xaxis.set_major_locator(LogLocator(numticks=5))  # more would run into each other
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    ax.minorticks_off()
    ax.invert_yaxis()
    ax.grid(False, axis="y")
    return figure


def _draw_roof(ax: Axes, peak: float, speed: float, ends: tuple[float, float], style: str, label: str) -> None:
    """The slope of one bandwidth up to the peak, and the peak from there on."""
    x = np.array([ends[0], np.clip(peak / speed, *ends), ends[1]])
    ax.plot(x, np.minimum(peak, x * speed) / GIGA, linestyle=style, color=BLACK, linewidth=1.5, label=label, zorder=0)


def _coordinates(points: Sequence[Point]) -> tuple[list[float], list[float]]:
    return [point.intensity for point in points], [point.rate / GIGA for point in points]
