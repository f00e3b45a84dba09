"""Drawings of networks: filters, feature maps, which map sees which, and the shapes that pass through.

Every function takes tensors or rows that the caller computed, draws them, and returns a figure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from course_lib.figures.style import BLUE, GREEN, ORANGE, PURPLE, SIGNED, WIDTH, as_array, bare

SMALL = {"fontsize": 10}
KIND_COLORS = {
    "input": "white",
    "convolution": BLUE,
    "subsampling": ORANGE,
    "pooling": ORANGE,
    "full connection": GREEN,
    "RBF": PURPLE,
}


def filter_grid(filters: Any, *, columns: int = 6, titles: Sequence[str] | None = None) -> Figure:
    """Kernels side by side on one scale of colour, red above zero and blue below: (num, K, K)."""
    kernels = as_array(filters)
    limit = float(np.abs(kernels).max()) or 1.0
    rows = -(-len(kernels) // columns)
    figure = Figure(figsize=(WIDTH, 0.35 + rows * (WIDTH - 1.0) / columns * 1.25), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False)
    names = titles or [str(index) for index in range(len(kernels))]
    for ax in axes.flat[len(kernels) :]:
        ax.remove()
    used = list(axes.flat[: len(kernels)])
    for ax, kernel, title in zip(used, kernels, names, strict=True):
        image = ax.imshow(kernel, cmap=SIGNED, vmin=-limit, vmax=limit)
        bare(ax)
        ax.set_title(title, **SMALL)
    figure.colorbar(image, ax=used, label="weight", shrink=0.9, pad=0.02)
    return figure


def feature_maps(layers: Mapping[str, Any], *, columns: int = 8, cmap: str = "gray_r") -> Figure:
    """The maps of several layers, a band per layer: each value (maps, H, W).

    The maps of one layer share one scale, from its lowest value (white) to its highest (black), which the title says.
    """
    bands = {title: as_array(maps) for title, maps in layers.items()}
    heights = [-(-len(maps) // columns) + 0.45 for maps in bands.values()]
    figure = Figure(figsize=(WIDTH, sum(heights) * WIDTH / columns), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.02, h_pad=0.02, hspace=0, wspace=0)
    parts = np.atleast_1d(figure.subfigures(len(bands), 1, height_ratios=heights))
    for part, (title, maps) in zip(parts, bands.items(), strict=True):
        low, high = float(maps.min()), float(maps.max())
        part.suptitle(f"{title}   ({low:.1f} to {high:.1f})", fontsize=11, x=0.01, ha="left")
        axes = part.subplots(-(-len(maps) // columns), columns, squeeze=False)
        for ax in axes.flat:
            ax.set_visible(False)
        for ax, one in zip(axes.flat, maps, strict=False):
            ax.set_visible(True)
            ax.imshow(one, cmap=cmap, vmin=low, vmax=high)
            bare(ax)
    return figure


def picture_rows(rows: Mapping[str, Any], *, titles: Sequence[str] = (), limit: float | None = None) -> Figure:
    """Rows of small pictures on one grey scale, such as codes above what a network made of them: each (num, H, W).

    White is the lowest value and black the highest; with ``limit``, white is -limit and black +limit.
    """
    arrays = {label: as_array(pictures) for label, pictures in rows.items()}
    columns = max(len(pictures) for pictures in arrays.values())
    aspect = max(pictures.shape[1] / pictures.shape[2] for pictures in arrays.values())
    side = WIDTH / (columns + 1)
    figure = Figure(figsize=(WIDTH, len(arrays) * (side * aspect + 0.12) + 0.3), layout="constrained")
    axes = figure.subplots(len(arrays), columns, squeeze=False)
    for line, (label, pictures) in zip(axes, arrays.items(), strict=True):
        low, high = (pictures.min(), pictures.max()) if limit is None else (-limit, limit)
        for ax, picture in zip(line, pictures, strict=False):
            ax.imshow(picture, cmap="gray_r", vmin=low, vmax=high)
            bare(ax)
        for ax in line[len(pictures) :]:
            ax.remove()
        line[0].set_ylabel(label, **SMALL)
    for ax, title in zip(axes[0], titles, strict=False):
        ax.set_title(title, **SMALL)
    return figure


def connection_table(table: Sequence[Sequence[int]], num_inputs: int, *, xlabel: str, ylabel: str) -> Figure:
    """Which input map each output map sees: a filled square where there is a kernel, a dot where there is none."""
    seen = np.array([[source in row for row in table] for source in range(num_inputs)])
    cell = (WIDTH - 0.8) / len(table)
    figure = Figure(figsize=(WIDTH, cell * num_inputs + 0.8), layout="constrained")
    ax = figure.subplots()
    for source, target in np.argwhere(seen):
        ax.add_patch(Rectangle((target - 0.42, source - 0.42), 0.84, 0.84, facecolor=BLUE))
    empty = np.argwhere(~seen)
    ax.plot(empty[:, 1], empty[:, 0], ".", color="0.75", markersize=3)
    ax.set(xlim=(-0.6, len(table) - 0.4), ylim=(num_inputs - 0.4, -0.6), aspect="equal")
    ax.set(xlabel=xlabel, ylabel=ylabel, xticks=range(len(table)), yticks=range(num_inputs))
    ax.tick_params(length=0, labelsize=10)
    ax.grid(False)
    return figure


def architecture(rows: Sequence[Any], input_shape: tuple[int, int, int]) -> Figure:
    """The shapes that pass through a small network, drawn to scale: a stack of squares per layer of maps.

    Args:
        rows: one per layer, with the attributes name, kind, maps, height, width and parameters.
        input_shape: (C, H, W) of the image.
    """
    channels, height, width = input_shape
    boxes = [("input", "input", channels, height, width, None)]
    boxes += [(row.name, row.kind, row.maps, row.height, row.width, row.parameters) for row in rows]
    figure = Figure(figsize=(WIDTH, 2.5), layout="constrained")
    ax = figure.subplots()
    left = 0.0
    for index, (name, kind, maps, tall, wide, parameters) in enumerate(boxes):
        span = _draw_layer(ax, left, KIND_COLORS[kind], (maps, tall, wide), height)
        middle = left + span / 2
        shape = f"{maps}@{tall}×{wide}" if tall > 1 else f"{maps}"
        below = shape if parameters is None else f"{shape}\n{parameters:,}"
        drop = 9 * (index % 2)  # neighbours at two heights, so that wide labels do not touch
        ax.text(middle, height * 1.18, name.upper() if len(name) == 2 else name, ha="center", **SMALL)
        ax.text(middle, -3 - drop, below, ha="center", va="top", fontsize=9, linespacing=1.3)
        left += span + (6 if tall > 1 else 13)  # a column is narrower than its label
    ax.set(xlim=(-2, left - 6), ylim=(-22, height * 1.35), aspect="equal")
    ax.axis("off")
    kinds = dict.fromkeys(row.kind for row in rows)
    handles = [Rectangle((0, 0), 1, 1, facecolor=KIND_COLORS[kind], edgecolor="black", label=kind) for kind in kinds]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), fontsize=9, frameon=False)
    return figure


def _draw_layer(ax: Any, left: float, color: str, shape: tuple[int, int, int], full_height: int) -> float:
    """One layer with its left edge at ``left``; maps overlap like cards, units stand in a column. Returns its width."""
    maps, height, width = shape
    if height == 1:
        tall = full_height * min(1.0, 0.25 + maps / 160)
        ax.add_patch(Rectangle((left, (full_height - tall) / 2), 3.5, tall, facecolor=color, edgecolor="black"))
        return 3.5
    step = 1.2
    base = (full_height - height - step * (maps - 1)) / 2
    for index in reversed(range(maps)):
        corner = (left + step * index, base + step * index)
        ax.add_patch(Rectangle(corner, width, height, facecolor=color, edgecolor="black", linewidth=0.7))
    return width + step * (maps - 1)
