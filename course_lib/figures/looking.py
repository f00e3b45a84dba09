"""Pictures of what a layer sees: strongest activations, projections to pixels, and what covering a part does.

Every function takes images and numbers that the caller computed, draws them, and returns a figure. Images are dark on
white; projections have both signs, red above zero and blue below, each scaled by its own largest value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from course_lib.figures.style import HEADING, INK, SIGNED, VERMILLION, WIDTH, bare


class Strongest(NamedTuple):
    """What excites one map most: pieces of images ``(num, h, w)`` and their projections, of the same shape."""

    pieces: Any
    projections: Any


class Occlusion(NamedTuple):
    """One image ``(H, W)`` and what covering does to it, at each place of the square ``(rows, columns)``.

    ``probability`` is that of the true class, ``label`` the most probable class, ``square`` the first pixel and the
    side of one square, to be drawn.
    """

    image: Any
    probability: Any
    label: Any
    square: tuple[int, int, int]


def strongest_panels(channels: Mapping[str, Strongest], *, columns: int = 3) -> Figure:
    """For each map two blocks: the pieces that excite it most, ``columns`` to a row, and their projections beside."""
    per_row = 2
    lines = -(-len(channels) // per_row)
    figure = Figure(figsize=(WIDTH, lines * (WIDTH / per_row / 2 + 0.35)), layout="constrained")
    axes = figure.subplots(lines, 2 * per_row, squeeze=False)
    for ax in axes.flat:
        bare(ax)
        ax.set_visible(False)
    for index, (title, strongest) in enumerate(channels.items()):
        line, first = divmod(index, per_row)
        for ax, tiles, signed in zip(axes[line, 2 * first : 2 * first + 2], strongest, (False, True), strict=True):
            ax.set_visible(True)
            mosaic = _mosaic(np.asarray(tiles, dtype=float), columns, signed)
            ax.imshow(mosaic, cmap=SIGNED if signed else INK, vmin=-1 if signed else 0, vmax=1)
        axes[line, 2 * first].set_title(title, loc="left", **HEADING)
    return figure


def signed_rows(rows: Mapping[str, Any], titles: Sequence[str]) -> Figure:
    """Rows of pictures with both signs, a column per title: each ``(num, H, W)``."""
    arrays = {label: np.asarray(pictures, dtype=float) for label, pictures in rows.items()}
    side = (WIDTH - 0.9) / len(titles)
    figure = Figure(figsize=(WIDTH, len(rows) * (side + 0.06) + 0.4), layout="constrained")
    axes = figure.subplots(len(rows), len(titles), squeeze=False)
    for line, (label, pictures) in zip(axes, arrays.items(), strict=True):
        for ax, picture in zip(line, pictures, strict=True):
            ax.imshow(_scaled(picture, signed=True), cmap=SIGNED, vmin=-1, vmax=1)
            bare(ax)
        line[0].set_ylabel(label, rotation=0, ha="right", va="center", **HEADING)
    for ax, title in zip(axes[0], titles, strict=True):
        ax.set_title(title, **HEADING)
    return figure


def occlusion_panels(cases: Mapping[str, Occlusion]) -> Figure:
    """A row per image: the image with one square, the probability of its class, and the most probable class."""
    figure = Figure(figsize=(WIDTH, len(cases) * 1.75 + 0.6), layout="constrained")
    axes = figure.subplots(len(cases), 3, squeeze=False)
    for (first, second, third), (title, case) in zip(axes, cases.items(), strict=True):
        first.imshow(np.asarray(case.image), cmap=INK)
        row, column, side = case.square
        style = {"facecolor": "0.6", "edgecolor": VERMILLION, "linewidth": 2}
        first.add_patch(Rectangle((column - 0.5, row - 0.5), side, side, **style))
        shown = second.imshow(np.asarray(case.probability), cmap="cividis", vmin=0, vmax=1)
        _draw_labels(third, np.asarray(case.label))
        first.set_ylabel(title, **HEADING)
        for ax in (first, second, third):
            bare(ax)
    for ax, heading in zip(axes[0], ("image and square", "probability", "most probable"), strict=True):
        ax.set_title(heading, **HEADING)
    figure.colorbar(shown, ax=axes, location="bottom", shrink=0.5, aspect=30, label="probability of the true class")
    return figure


def _draw_labels(ax: Axes, labels: np.ndarray) -> None:
    """The class at each place as a coloured cell, one colour per class; each class is named where it is thickest."""
    for (row, column), label in np.ndenumerate(labels):
        color = colormaps["tab10"](int(label) % 10)
        ax.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, facecolor=color, alpha=0.35, edgecolor="none"))
    for label in np.unique(labels):
        places = np.argwhere(_core(labels == label))
        row, column = places[np.abs(places - places.mean(0)).sum(1).argmin()]
        ax.text(column, row, str(label), ha="center", va="center", fontsize=12, fontweight="bold")
    ax.set(xlim=(-0.5, labels.shape[1] - 0.5), ylim=(labels.shape[0] - 0.5, -0.5), aspect="equal")


def _core(mask: np.ndarray) -> np.ndarray:
    """What is left of a mask (H, W) when its edge is taken off as often as something remains."""
    while True:
        wide = np.pad(mask, 1)
        inner = mask & wide[:-2, 1:-1] & wide[2:, 1:-1] & wide[1:-1, :-2] & wide[1:-1, 2:]
        if not inner.any():
            return mask
        mask = inner


def _mosaic(tiles: np.ndarray, columns: int, signed: bool) -> np.ndarray:
    """Tiles (num, h, w), each scaled to its own largest value, in rows of ``columns`` with empty lines between."""
    _, height, width = tiles.shape
    lines = -(-len(tiles) // columns)
    sheet = np.full((lines * (height + 1) - 1, columns * (width + 1) - 1), np.nan)
    for index, tile in enumerate(tiles):
        row, column = (place * (size + 1) for place, size in zip(divmod(index, columns), (height, width), strict=True))
        sheet[row : row + height, column : column + width] = _scaled(tile, signed)
    return sheet


def _scaled(picture: np.ndarray, signed: bool) -> np.ndarray:
    """From -1 to 1 around zero when signed, else from 0, its lowest, to 1, its highest value."""
    low = 0.0 if signed else picture.min()
    span = np.abs(picture - low).max()
    return (picture - low) / span if span > 0 else picture - low
