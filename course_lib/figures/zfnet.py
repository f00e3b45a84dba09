"""Drawings for ZFNet: sizes of maps beside AlexNet's, the way up and down, waves that a stride turns into others.

Every function takes numbers that the caller computed, draws them, and returns a figure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, Rectangle

from course_lib.figures.style import BLACK, BLUE, GREEN, HEADING, ORANGE, PALETTE, VERMILLION, WIDTH


class Errors(NamedTuple):
    """Training and validation error of one network, in percent."""

    train: float
    validation: float


def map_sizes(networks: Mapping[str, Mapping[str, int]]) -> Figure:
    """Sides of maps to scale: a row per network, a square per layer, with its side in pixels below."""
    largest = max(side for layers in networks.values() for side in layers.values())
    longest = max(len(layers) for layers in networks.values())
    figure = Figure(figsize=(WIDTH, 1.35 * len(networks) + 0.2), layout="constrained")
    ax = figure.subplots()
    for line, (network, layers) in enumerate(networks.items()):
        base = -1.75 * line
        ax.text(-0.55, base + 0.5, network, ha="right", va="center", **HEADING)
        for place, (layer, side) in enumerate(layers.items()):
            scaled = 0.92 * side / largest
            color = ORANGE if layer.startswith("pool") else BLUE
            corner = (place - scaled / 2, base + 0.5 - scaled / 2)
            ax.add_patch(Rectangle(corner, scaled, scaled, facecolor=color, edgecolor=BLACK, linewidth=0.8))
            ax.text(place, base - 0.08, f"{layer}\n{side}", ha="center", va="top", fontsize=9, linespacing=1.2)
    ax.set(xlim=(-1.75, longest - 0.4), ylim=(-1.75 * (len(networks) - 1) - 0.6, 1.05), aspect="equal")
    ax.axis("off")
    return figure


def up_and_down(stages: Sequence[tuple[str, str]], notes: Mapping[int, str]) -> Figure:
    """The deconvnet: the network's steps upwards on the left, the steps that undo them downwards on the right.

    Args:
        stages: from the bottom to the top, the name of a step and of the step that undoes it.
        notes: by the number of a stage, what is handed over from left to right.
    """
    figure = Figure(figsize=(WIDTH, 0.78 * len(stages) + 0.3), layout="constrained")
    ax = figure.subplots()
    for level, pair in enumerate(stages):
        for side, (text, color) in enumerate(zip(pair, (BLUE, GREEN), strict=True)):
            box = {"facecolor": "white", "edgecolor": color, "linewidth": 2}
            ax.add_patch(Rectangle((5 * side, level - 0.3), 3.2, 0.6, **box))
            ax.text(5 * side + 1.6, level, text, ha="center", va="center", **HEADING)
            if level + 1 < len(stages):
                ends = [(5 * side + 1.6, level + 0.3), (5 * side + 1.6, level + 0.7)]
                _arrow(ax, *(ends if side == 0 else ends[::-1]), color)
        if level in notes:
            _arrow(ax, (3.2, level), (5, level), VERMILLION)
            ax.text(4.1, level + 0.07, notes[level], ha="center", va="bottom", color=VERMILLION, fontsize=10)
    ax.set(xlim=(-0.2, 8.4), ylim=(-0.45, len(stages) - 0.55))
    ax.axis("off")
    return figure


def sampled_waves(wavelength: float, strides: Sequence[int], *, length: int = 48) -> Figure:
    """A wave over ``length`` pixels, and what is left of it when only every so many pixels are kept: a panel each."""
    fine, turn = np.linspace(0, length, 20 * length + 1), 2 * np.pi / wavelength
    figure = Figure(figsize=(WIDTH, 1.6 * len(strides) + 0.3), layout="constrained")
    axes = figure.subplots(len(strides), 1, sharex=True, squeeze=False)[:, 0]
    for ax, stride, color in zip(axes, strides, PALETTE, strict=False):
        kept = np.arange(0, length + 1, stride)
        ax.plot(fine, np.cos(turn * fine), color="#b0b0b0", linewidth=1)
        ax.plot(kept, np.cos(turn * kept), "o-", color=color, markersize=5)
        ax.set(ylabel="response", ylim=(-1.25, 1.25))
        ax.set_title(f"stride {stride}", **HEADING)
    axes[-1].set_xlabel("pixel")
    return figure


def error_gaps(rows: Mapping[str, Errors]) -> Figure:
    """Training and validation error of each network, joined by a line: the longer, the more it has overfitted."""
    figure = Figure(figsize=(WIDTH, 0.36 * len(rows) + 1.3), layout="constrained")
    ax = figure.subplots()
    places = range(len(rows))
    for place, errors in enumerate(rows.values()):
        ax.plot(errors, [place, place], color="#8c8c8c", linewidth=1.5, zorder=1)
    ax.plot([errors.train for errors in rows.values()], places, "o", color=VERMILLION, label="training", zorder=3)
    wide = {"markersize": 10, "markerfacecolor": "none", "markeredgewidth": 1.8}  # one of the same value shows inside
    ax.plot([errors.validation for errors in rows.values()], places, "s", color=BLUE, label="validation", **wide)
    ax.set(xlabel="top-1 error (%)", xlim=(0, None), ylim=(len(rows) - 0.5, -0.5))
    ax.set_yticks(places, rows, fontsize=10)
    ax.grid(False, axis="y")
    figure.legend(loc="outside lower center", ncols=2, fontsize=11)
    return figure


def _arrow(ax: Axes, start: tuple[float, float], end: tuple[float, float], color: str) -> None:
    ax.add_patch(FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=13, color=color, linewidth=1.6))
