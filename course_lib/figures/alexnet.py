"""Drawings for AlexNet: two columns of maps, its activation, its normalisation, and where cost and signal lie.

Every function takes numbers that the caller computed, draws them, and returns a figure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from course_lib.figures.style import BLACK, BLUE, GREEN, ORANGE, PALETTE, VERMILLION, WIDTH

COLUMN_LABELS = ("first GPU", "second GPU")


class Stage(NamedTuple):
    """One layer of the drawing: its maps in all, their side in pixels (1 for units), and who sees whom.

    ``split``: half of it stands in each column. ``crosses``: each half sees both halves below it.
    """

    name: str
    maps: int
    side: int
    split: bool = True
    crosses: bool = False


def two_columns(stages: Sequence[Stage]) -> Figure:
    """A network in two columns, drawn from left to right: who sees whom, the shapes; larger boxes for larger maps."""
    figure = Figure(figsize=(WIDTH, 3.3), layout="constrained")
    ax = figure.subplots()
    largest = max(stage.side for stage in stages[1:])  # the image itself would dwarf the maps
    for left, (below, stage) in enumerate(pairwise(stages)):
        for target, source in _links(below, stage):
            across = target != source and below.split and stage.split
            style = {"color": VERMILLION if across else "#8c8c8c", "linewidth": 1.6 if across else 1.2}
            ax.plot([left, left + 1], [source, target], zorder=1, **style)
    for place, stage in enumerate(stages):
        half = 0.12 + 0.3 * min(1.0, stage.side / largest)
        for row in _rows(stage):
            corner = (place - half, row - half)
            color = "white" if place == 0 else GREEN if stage.side == 1 else BLUE
            ax.add_patch(Rectangle(corner, 2 * half, 2 * half, facecolor=color, edgecolor=BLACK, zorder=2))
        each = stage.maps // len(_rows(stage))
        text = f"{stage.name}\n{each:,}" + (f"\n{stage.side}×{stage.side}" if stage.side > 1 else "")
        ax.text(place, -1.75, text, ha="center", va="top", fontsize=9, linespacing=1.25)
    for row, label in zip((1, -1), COLUMN_LABELS, strict=True):
        ax.text(-0.55, row, label, ha="center", va="center", rotation=90, fontsize=10)
    ax.set(xlim=(-0.8, len(stages) - 0.4), ylim=(-2.75, 1.6))
    ax.axis("off")
    return figure


def activation_panels(functions: Mapping[str, Callable[[np.ndarray], np.ndarray]]) -> Figure:
    """Functions of one number on the left, their slopes on the right, from -4 to 4."""
    x = np.linspace(-4, 4, 401)
    figure = Figure(figsize=(WIDTH, 2.8), layout="constrained")
    value, slope = figure.subplots(1, 2)
    for color, (label, function) in zip(PALETTE, functions.items(), strict=False):
        y = np.asarray(function(x))
        value.plot(x, y, color=color, label=label)
        slope.plot(x, np.gradient(y, x), color=color)
    value.set(xlabel="input", ylabel="output", ylim=(-1.5, 4))
    slope.set(xlabel="input", ylabel="slope", ylim=(-0.1, 1.15))
    value.legend(fontsize=11)
    return figure


def response_curves(activity: Sequence[float], curves: Mapping[str, Sequence[float]]) -> Figure:
    """What response normalisation makes of an activity: a line per situation, both axes logarithmic."""
    figure = Figure(figsize=(WIDTH, 3.4), layout="constrained")
    ax = figure.subplots()
    for color, style, (label, values) in zip(PALETTE, ("--", "-", "-."), curves.items(), strict=False):
        ax.plot(activity, values, linestyle=style, color=color, label=label)
    ax.set(xscale="log", yscale="log", xlabel="activity before", ylabel="activity after")
    ax.legend(fontsize=11)
    return figure


def cost_shares(shares: Mapping[str, tuple[float, float]]) -> Figure:
    """Two bars per layer, top to bottom: its share of the parameters and its share of the multiply-adds."""
    figure = Figure(figsize=(WIDTH, 0.5 * len(shares) + 1.3), layout="constrained")
    ax = figure.subplots()
    for offset, index, color, label in ((-0.2, 0, VERMILLION, "parameters"), (0.2, 1, BLUE, "multiply-adds")):
        for place, pair in enumerate(shares.values()):
            percent = 100 * pair[index]
            ax.barh(place + offset, percent, height=0.38, color=color, label=label if place == 0 else None)
            text = f"{percent:.0f}%" if percent >= 10 else f"{percent:.2g}%"
            ax.annotate(text, (percent, place + offset), (4, 0), textcoords="offset points", va="center", fontsize=10)
    ax.set(xlabel="share of the whole network (%)", xlim=(0, 1.15 * 100 * max(map(max, shares.values()))))
    ax.set_yticks(range(len(shares)), shares)
    ax.invert_yaxis()
    ax.grid(False, axis="y")
    figure.legend(loc="outside lower center", ncols=2, fontsize=11)
    return figure


def signal_lines(layers: Sequence[str], signals: Mapping[str, Sequence[float]], *, ylabel: str) -> Figure:
    """A quantity layer by layer on a logarithmic axis: a line per case."""
    figure = Figure(figsize=(WIDTH, 3.4), layout="constrained")
    ax = figure.subplots()
    for color, marker, (label, values) in zip((BLUE, ORANGE, GREEN), "os^", signals.items(), strict=False):
        ax.plot(range(len(layers)), values, marker=marker, color=color, label=label)
    ax.set(yscale="log", xlabel="layer", ylabel=ylabel)
    ax.set_xticks(range(len(layers)), layers, rotation=45)
    ax.legend(fontsize=11)
    return figure


def _rows(stage: Stage) -> tuple[int, ...]:
    return (1, -1) if stage.split else (0,)


def _links(below: Stage, stage: Stage) -> list[tuple[int, int]]:
    """Pairs (row of the layer, row below it) that are joined."""
    pairs = [(target, source) for target in _rows(stage) for source in _rows(below)]
    every = stage.crosses or not (below.split and stage.split)
    return pairs if every else [(target, source) for target, source in pairs if target == source]
