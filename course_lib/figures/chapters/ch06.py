"""Drawings of how a network learns: a kernel while it is learned, walks down a loss, a graph with its gradients.

Every function takes numbers that the caller computed, draws them, and returns a figure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from course_lib.figures.style import BLUE, HEADING, PALETTE, SIGNED, VERMILLION, WIDTH, as_array


def learning_strip(kernels: Mapping[str, Any], maps: Sequence[Any]) -> Figure:
    """Kernels (K, K) in the order of learning, and below each the map (H, W) that it makes.

    White is zero, red above it and blue below. The kernels share one scale of colour; each map has its own.
    """
    arrays = {title: as_array(kernel) for title, kernel in kernels.items()}
    pictures = [as_array(picture) for picture in maps]
    largest = max(np.abs(kernel).max() for kernel in arrays.values())
    figure = Figure(figsize=(WIDTH, 2 * WIDTH / len(arrays) + 0.5), layout="constrained")
    axes = figure.subplots(2, len(arrays), squeeze=False)
    for column, (title, kernel) in enumerate(arrays.items()):
        limits = (largest, np.quantile(np.abs(pictures[column]), 0.995))  # few pixels are far beyond the rest
        for ax, picture, limit in zip(axes[:, column], (kernel, pictures[column]), limits, strict=True):
            ax.imshow(picture, cmap=SIGNED, vmin=-(limit or 1.0), vmax=limit or 1.0)
            _frame(ax)
        axes[0, column].set_title(title, **HEADING)
    axes[0, 0].set_ylabel("kernel", **HEADING)
    axes[1, 0].set_ylabel("its map", **HEADING)
    return figure


def walk_panels(
    loss: Callable[[Any], Any], walks: Mapping[str, Sequence[float]], *, limits: tuple[float, float], top: float
) -> Figure:
    """A loss as a curve over one weight, a panel for each walk: the weight before the first step, after it, and so on.

    Args:
        loss: the loss of one weight, or of an array of weights.
        walks: title, then the weights; those beyond ``limits`` are not drawn.
        limits: the lowest and the highest weight that is shown.
        top: the highest loss that is shown.
    """
    figure = Figure(figsize=(WIDTH, 2.9), layout="constrained")
    axes = figure.subplots(1, len(walks), sharey=True, squeeze=False)[0]
    fine = np.linspace(*limits, 200)
    for ax, (title, weights) in zip(axes, walks.items(), strict=True):
        shown = [weight for weight in weights if limits[0] <= weight <= limits[1]]
        ax.plot(fine, loss(fine), color="0.6")
        ax.plot(shown, [loss(weight) for weight in shown], "o-", color=VERMILLION, linewidth=1.2, markersize=6)
        ax.plot(shown[:1], [loss(shown[0])], "o", color=BLUE, markersize=9)
        ax.set(xlabel="weight", xlim=limits, ylim=(0, top))
        ax.set_title(title, **HEADING)
    axes[0].set_ylabel("loss")
    return figure


class Valley(NamedTuple):
    """A loss over two weights.

    ``horizontal`` (A,) and ``vertical`` (B,) are the weights, ``heights`` (B, A) the losses, and ``path`` (steps, 2)
    holds the two weights before the first step, after it, and so on.
    """

    horizontal: Any
    vertical: Any
    heights: Any
    path: Any


def valley_panels(valleys: Mapping[str, Valley], *, xlabel: str, ylabel: str, levels: Sequence[float]) -> Figure:
    """Losses seen from above, as on a map: a line joins places of one height. The path starts at the blue dot.

    ``levels`` are the heights that get a line, shared by all panels. A cross marks the lowest place.
    """
    figure = Figure(figsize=(WIDTH, WIDTH / len(valleys) + 0.6), layout="constrained")
    axes = figure.subplots(1, len(valleys), sharex=True, sharey=True, squeeze=False)[0]
    for ax, (title, valley) in zip(axes, valleys.items(), strict=True):
        horizontal, vertical, heights, path = (as_array(part) for part in valley)
        ax.contour(horizontal, vertical, heights, levels=levels, cmap="viridis", linewidths=1.2)
        row, column = np.unravel_index(heights.argmin(), heights.shape)
        ax.plot(horizontal[column], vertical[row], "x", color="black", markersize=11, markeredgewidth=2.5)
        ax.plot(*path.T, "o-", color=VERMILLION, linewidth=1.2, markersize=3.5)
        ax.plot(*path[0], "o", color=BLUE, markersize=9)
        ax.set(xlabel=xlabel, aspect="equal")
        ax.set_title(title, **HEADING)
    axes[0].set_ylabel(ylabel)
    return figure


class Node(NamedTuple):
    """A number in a graph: its name, its value, the gradient of the last number with respect to it, and its place."""

    name: str
    value: float
    gradient: float
    column: float
    row: float


def gradient_graph(nodes: Sequence[Node], edges: Mapping[tuple[str, str], str]) -> Figure:
    """Numbers and what they were computed from, left to right: the value above in blue, the gradient below in red.

    ``edges`` maps the names of two nodes to the text on the arrow between them.
    """
    places = {node.name: (node.column, node.row) for node in nodes}
    columns, rows = ({place[axis] for place in places.values()} for axis in (0, 1))
    figure = Figure(figsize=(WIDTH, 3.3), layout="constrained")
    ax = figure.subplots()
    for (start, end), text in edges.items():
        ax.annotate(
            "",
            places[end],
            places[start],
            arrowprops={"arrowstyle": "-|>", "color": "0.45", "shrinkA": 17, "shrinkB": 17},
        )
        (x, y), (to_x, to_y) = places[start], places[end]
        ax.text(
            x + 0.3 * (to_x - x),
            y + 0.3 * (to_y - y),
            text,
            ha="center",
            va="center",
            fontsize=10,
            bbox={"fc": "white", "ec": "none", "pad": 1},
        )
    for node in nodes:
        ax.plot(node.column, node.row, "o", color="white", markeredgecolor="black", markersize=27)
        ax.text(node.column, node.row, f"${node.name}$", ha="center", va="center")
        value, gradient = (f"{number:g}".replace("-", "−") for number in (node.value, node.gradient))
        ax.text(node.column, node.row + 0.36, value, color=BLUE, ha="center", weight="bold")
        ax.text(node.column, node.row - 0.36, gradient, color=VERMILLION, ha="center", va="top", weight="bold")
    ax.set(xlim=(min(columns) - 0.4, max(columns) + 0.4), ylim=(min(rows) - 0.75, max(rows) + 0.75))
    ax.axis("off")
    return figure


def loss_curves(
    curves: Mapping[str, tuple[Sequence[float], Sequence[float]]], *, xlabel: str, log: bool = True
) -> Figure:
    """Losses against steps, or images, or whatever ``xlabel`` says: a line for each (x, losses)."""
    figure = Figure(figsize=(WIDTH, 3.4), layout="constrained")
    ax = figure.subplots()
    for index, (label, (x, losses)) in enumerate(curves.items()):
        ax.plot(x, losses, color=PALETTE[index % len(PALETTE)], label=label, linewidth=1.5)
    ax.set(xlabel=xlabel, ylabel="loss")
    if log:
        ax.set_yscale("log")
    if len(curves) > 1:
        figure.legend(loc="outside lower center", ncols=min(3, len(curves)), fontsize=11)
    return figure


def noise_line(sizes: Sequence[int], noise: Sequence[float]) -> Figure:
    """Distance of a batch's gradient from the whole one, as a share of its length, against the size of the batch.

    The dashed line falls with the square root of the size, from the first point.
    """
    figure = Figure(figsize=(WIDTH, 3.2), layout="constrained")
    ax = figure.subplots()
    by_root = [noise[0] * (sizes[0] / size) ** 0.5 for size in sizes]
    ax.plot(sizes, by_root, "--", color="0.5", label="one over the square root")
    ax.plot(sizes, noise, "o", color=BLUE, markersize=8, label="measured")
    ax.set(xlabel="images in the batch", ylabel="relative distance", xscale="log", yscale="log", xticks=sizes)
    ax.set_yticks([2.0**power for power in range(-10, 11) if min(noise) * 0.8 <= 2.0**power <= max(noise) * 1.2])
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axis.set_minor_formatter(NullFormatter())
    ax.legend(fontsize=11)
    return figure


def bent_lines(lines: Mapping[str, tuple[Sequence[float], Sequence[float]]]) -> Figure:
    """Functions of one number, a line for each (x, y); the last one is drawn thick, behind the others."""
    figure = Figure(figsize=(WIDTH, 3.0), layout="constrained")
    ax = figure.subplots()
    for index, (label, (x, y)) in enumerate(lines.items()):
        look = {"linewidth": 8, "alpha": 0.35, "zorder": 1} if index == len(lines) - 1 else {"linestyle": "--"}
        ax.plot(x, y, color=PALETTE[index % len(PALETTE)], label=label, **look)
    ax.set(xlabel="input", ylabel="output")
    figure.legend(loc="outside lower center", ncols=2, fontsize=11)
    return figure


def _frame(ax: Axes) -> None:
    ax.set(xticks=[], yticks=[])
    ax.grid(False)
    for spine in ax.spines.values():
        spine.set(visible=True, linewidth=0.6)
