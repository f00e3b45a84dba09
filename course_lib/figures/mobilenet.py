"""Drawings for MobileNet: what a number is computed from, what a ReLU leaves of a plane, shapes of blocks, shares.

Every function takes numbers that the caller computed, draws them, and returns a figure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, Polygon, Rectangle

from course_lib.figures.style import BLACK, BLUE, GREY, HEADING, MARKERS, ORANGE, PALETTE, VERMILLION, WIDTH

OFFSET = 3  # pixels by which a channel is drawn beside and above the one in front of it


class Reads(NamedTuple):
    """Which numbers of a map one number of the output is computed from: channels, and pixels of each axis."""

    channels: range
    pixels: range


class BlockLayer(NamedTuple):
    """What stands between two layers of a block: its channels, and whether an activation made it."""

    channels: int
    activated: bool = True


def what_is_read(cases: Mapping[str, Reads], *, num_channels: int, side: int) -> Figure:
    """A map as a stack of channels, once per case, with the numbers that one number of the output is computed from."""
    figure = Figure(figsize=(WIDTH, 2.5), layout="constrained")
    for ax, (title, reads) in zip(figure.subplots(1, len(cases)), cases.items(), strict=True):
        for channel in reversed(range(num_channels)):
            left = bottom = OFFSET * channel
            for row in range(side):
                for column in range(side):
                    read = channel in reads.channels and row in reads.pixels and column in reads.pixels
                    corner = (left + column, bottom + side - 1 - row)
                    style = {"facecolor": ORANGE if read else "white", "edgecolor": BLACK if read else GREY}
                    ax.add_patch(Rectangle(corner, 1, 1, linewidth=0.8, zorder=2 * (num_channels - channel), **style))
        reach = side + OFFSET * (num_channels - 1)
        count = len(reads.channels) * len(reads.pixels) ** 2
        ax.set(xlim=(-0.3, reach + 0.3), ylim=(-0.3, reach + 0.3), aspect="equal", xlabel=f"{count} numbers")
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set_visible(False)
        ax.grid(False)
        ax.set_title(title, **HEADING)
    return figure


def recovered_points(points: Any, recovered: Mapping[str, Any]) -> Figure:
    """Points of a plane, and beside them what was recovered of them: each (num, 2), the same color for the same point.

    Every panel has the same scale; points that are nan are missing.
    """
    panels = {"input": np.asarray(points), **{title: np.asarray(found) for title, found in recovered.items()}}
    columns = 3
    rows = -(-len(panels) // columns)
    figure = Figure(figsize=(WIDTH, 2.0 * rows), layout="constrained")
    axes = list(figure.subplots(rows, columns, squeeze=False).flat)
    limit = 1.1 * float(np.abs(panels["input"]).max())
    for ax, (title, found) in zip(axes, panels.items(), strict=False):
        ax.scatter(found[:, 0], found[:, 1], c=np.arange(len(found)), cmap="viridis", s=5, linewidths=0)
        ax.set(xlim=(-limit, limit), ylim=(-limit, limit), aspect="equal", xticks=[], yticks=[])
        ax.spines[:].set(visible=True, linewidth=0.6)
        ax.set_title(title, **HEADING)
    for ax in axes[len(panels) :]:
        ax.remove()
    return figure


def block_shapes(blocks: Mapping[str, Sequence[BlockLayer]], labels: Mapping[str, Sequence[str]]) -> Figure:
    """Blocks from left to right: a bar per map, as tall as it has channels, and the shortcut as an arc.

    Args:
        blocks: the maps of each block, input first. One without an activation is hatched.
        labels: the layers between them, one fewer than maps. A block whose ends have equal channels, and more than
            three maps, is drawn with a shortcut.
    """
    figure = Figure(figsize=(WIDTH, 1.75 * len(blocks)), layout="constrained")
    tallest = max(layer.channels for layers in blocks.values() for layer in layers)
    for ax, (title, layers) in zip(figure.subplots(len(blocks), 1), blocks.items(), strict=True):
        heights = [layer.channels / tallest for layer in layers]
        for place, (layer, height) in enumerate(zip(layers, heights, strict=True)):
            style = {"facecolor": BLUE if layer.activated else "white", "hatch": "" if layer.activated else "////"}
            ax.add_patch(Rectangle((place - 0.07, -height / 2), 0.14, height, edgecolor=BLUE, zorder=2, **style))
            ax.annotate(str(layer.channels), (place, -0.57), ha="center", va="top", fontsize=10)
        for place, label in enumerate(labels[title]):
            left, right = heights[place] / 2, heights[place + 1] / 2
            corners = [(place, -left), (place, left), (place + 1, right), (place + 1, -right)]
            ax.add_patch(Polygon(corners, facecolor="#dddddd", edgecolor="none", zorder=1))
            ax.annotate(label, (place + 0.5, 0), ha="center", va="center", fontsize=9, zorder=3)
        if layers[0].channels == layers[-1].channels and len(layers) > 3:
            _draw_shortcut(ax, len(layers) - 1, heights[0] / 2)
        ax.set(xlim=(-0.25, len(layers) - 0.75), ylim=(-0.95, 0.85), xticks=[], yticks=[])
        ax.spines[:].set_visible(False)
        ax.grid(False)
        ax.set_title(title, loc="left", **HEADING)
    return figure


def share_bars(shares: Mapping[str, Mapping[str, float]]) -> Figure:
    """For each kind, a bar per measure as long as its share: ``shares[kind][measure]`` between 0 and 1."""
    measures = list(next(iter(shares.values())))
    figure = Figure(figsize=(WIDTH, 0.26 * len(shares) * (len(measures) + 0.8) + 1.1), layout="constrained")
    ax = figure.subplots()
    height = 0.8 / len(measures)
    for index, measure in enumerate(measures):
        values = [100 * kind[measure] for kind in shares.values()]
        places = [place + (index - (len(measures) - 1) / 2) * height for place in range(len(values))]
        color, hatch = PALETTE[index % len(PALETTE)], ("", "///", "...", "xx")[index % 4]
        ax.barh(places, values, height, color=color, hatch=hatch, edgecolor="white", linewidth=0, label=measure)
    ax.set(xlabel="share (%)", xlim=(0, 100))
    ax.set_yticks(range(len(shares)), list(shares))
    ax.invert_yaxis()
    ax.grid(False, axis="y")
    figure.legend(loc="outside lower center", ncols=len(measures), fontsize=11)
    return figure


def accuracy_by_cost(curves: Mapping[str, Sequence[tuple[float, float]]], *, xlabel: str, ylabel: str) -> Figure:
    """A line per case through points of (cost, accuracy); the cost is logarithmic, and the points carry it."""
    figure = Figure(figsize=(WIDTH, 3.4), layout="constrained")
    ax = figure.subplots()
    for index, (label, points) in enumerate(curves.items()):
        costs, accuracies = zip(*points, strict=True)
        color, marker = PALETTE[index % len(PALETTE)], MARKERS[index % len(MARKERS)]
        ax.plot(costs, accuracies, marker=marker, color=color, label=label)
    ax.set(xscale="log", xlabel=xlabel, ylabel=ylabel)
    every = sorted({cost for points in curves.values() for cost, _ in points})
    ax.set_xticks(_apart(every), [f"{cost:g}" for cost in _apart(every)])
    ax.minorticks_off()
    ax.legend(fontsize=11)
    return figure


def _apart(values: Sequence[float]) -> list[float]:
    """Those of the rising values that are a third larger than the last one taken: labels that do not touch."""
    taken: list[float] = []
    for value in reversed(values):
        if not taken or value * 1.33 <= taken[-1]:
            taken.append(value)
    return taken[::-1]


def _draw_shortcut(ax: Axes, last: int, height: float) -> None:
    """An arrow over a block, from the first map to the last."""
    top = 0.62
    ax.plot([0, 0, last], [height, top, top], color=VERMILLION, linewidth=1.5)
    style = {"arrowstyle": "->", "mutation_scale": 12, "color": VERMILLION, "linewidth": 1.5}
    ax.add_patch(FancyArrowPatch((last, top), (last, height), shrinkA=0, **style))
    ax.annotate("added", (last / 2, top + 0.03), ha="center", va="bottom", fontsize=9, color=VERMILLION)
