"""Drawings for the arithmetic of convolution: number grids, feature maps, windows on a tape, padding, taps, wiring.

Every function takes numbers that the caller computed, draws them, and returns a figure. Images and maps are arrays or
tensors ``(H, W)``, or ``(H, W, 3)`` in colour. Maps with negative values are drawn red above zero, white at zero and
blue below; the rest is drawn as ink on paper, or as light when ``cmap="gray"``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from course_lib.figures.style import BLUE, HEADING, INK, ORANGE, PALETTE, SIGNED, VERMILLION, WIDTH

PADDING = {"facecolor": "#f2f2f2", "edgecolor": "#8c8c8c", "hatch": "///", "linewidth": 0.6}
CELL = 0.42  # inches; the side of a cell where there is room


class Window(NamedTuple):
    """A rectangle of grid cells: its first row and column, its height and width in cells, and its colour."""

    row: int
    column: int
    height: int = 1
    width: int = 1
    color: str = VERMILLION


def number_panels(panels: Mapping[str, Any], windows: Mapping[str, Sequence[Window]] | None = None) -> Figure:
    """Grids of numbers side by side, all with cells of one size; ``windows[title]`` outlines cells of that grid."""
    grids = {title: np.asarray(values) for title, values in panels.items()}
    figure, axes, cell = _grid_axes({title: grid.shape for title, grid in grids.items()})
    for ax, (title, grid) in zip(axes, grids.items(), strict=True):
        _draw_numbers(ax, grid, cell)
        for window in (windows or {}).get(title, ()):
            _outline(ax, window)
    axes[0].set_ylabel("row")
    return figure


def image_panels(
    images: Mapping[str, Any], *, columns: int = 2, cmap: str | None = None, same_scale: bool = False
) -> Figure:
    """Images and feature maps in rows of ``columns``, each with its pixel axes, so that a change of size shows.

    ``cmap`` is used for maps without negative values (default: ink on paper). Each map has its own range of values:
    from 0 to its largest or, with negative values, to the magnitude that 995 of 1,000 pixels stay below, either way.
    With ``same_scale`` the widest of these ranges is used for all.
    """
    arrays = {title: np.asarray(image) for title, image in images.items()}
    rows = -(-len(arrays) // columns)
    aspect = max(array.shape[0] / array.shape[1] for array in arrays.values())
    figure = Figure(figsize=(WIDTH, rows * (aspect * (WIDTH / columns - 0.5) + 0.55) + 0.3), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False)
    for ax in axes.flat[len(arrays) :]:
        ax.remove()
    largest = max(_largest(array) for array in arrays.values()) if same_scale else None
    for index, (ax, (title, array)) in enumerate(zip(axes.flat, arrays.items(), strict=False)):
        _show(ax, array, cmap, largest)
        ax.set_title(title, **HEADING)
        ax.locator_params(nbins=4, integer=True)
        if index % columns == 0:
            ax.set_ylabel("row (pixel)")
        if index + columns >= len(arrays):
            ax.set_xlabel("column (pixel)")
    return figure


def tape(input_size: int, kernel_size: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> Figure:
    """One line of pixels and, below it, each place where the kernel fits: one row per output.

    Padding is hatched; pixels that no output reads are orange and crossed.
    """
    span = dilation * (kernel_size - 1)
    starts = range(-padding, input_size + padding - span, stride)
    read = {start + dilation * tap for start in starts for tap in range(kernel_size)}
    figure = Figure(figsize=(WIDTH, 0.3 * (len(starts) + 1) + 1.0), layout="constrained")
    ax = figure.subplots()
    for pixel in range(-padding, input_size + padding):
        inside = 0 <= pixel < input_size
        unread = inside and pixel not in read
        style = {"facecolor": ORANGE if unread else "white", "edgecolor": "black"} if inside else PADDING
        ax.add_patch(Rectangle((pixel - 0.5, -1.5), 1, 0.9, **style))
        ax.text(pixel, -1.05, "×" if unread else str(pixel) if inside else "", ha="center", va="center", fontsize=11)
    for output, start in enumerate(starts):
        ax.plot([start, start + span], [output, output], color=BLUE, linewidth=1.5)
        taps = [start + dilation * tap for tap in range(kernel_size)]
        ax.plot(taps, [output] * kernel_size, "s", color=BLUE, markersize=11)
    ax.set(xlim=(-padding - 0.8, input_size + padding - 0.2), ylim=(len(starts) - 0.4, -1.7))
    ax.set(xlabel="input pixel", ylabel="output", xticks=range(0, input_size, 1 if input_size < 16 else 5))
    ax.set_yticks(range(len(starts)))
    ax.grid(False)
    return figure


def padding_panels(image: Any, paddings: Mapping[str, int], kernel_size: int) -> Figure:
    """One image ``(H, W)`` under several paddings, with the first and the last window of the kernel outlined."""
    array = np.asarray(image)
    rows, columns = array.shape
    figure, axes, _ = _grid_axes({title: (rows + 2 * p, columns + 2 * p) for title, p in paddings.items()})
    for ax, padding in zip(axes, paddings.values(), strict=True):
        low, right, bottom = -padding - 0.5, columns + padding - 0.5, rows + padding - 0.5
        ax.add_patch(Rectangle((low, low), right - low, bottom - low, **PADDING))
        _show(ax, array)
        ax.images[-1].set_zorder(2)  # above the padding, which is drawn as one sheet behind the image
        _cells(ax, columns, rows)
        last = (rows + padding - kernel_size, columns + padding - kernel_size)
        _outline(ax, Window(-padding, -padding, kernel_size, kernel_size))
        _outline(ax, Window(*last, kernel_size, kernel_size, BLUE))
        ax.set(xlim=(low, right), ylim=(bottom, low), xlabel="column")
        ax.set(xticks=range(0, columns, 3), yticks=range(0, rows, 3))
        _bare(ax)
    axes[0].set_ylabel("row")
    return figure


def tap_panels(kernel_size: int, dilations: Sequence[int]) -> Figure:
    """The pixels that one output reads, for each dilation, on grids of one size."""
    size = max(dilations) * (kernel_size - 1) + 1
    figure, axes = _row_of_axes([size] * len(dilations), 2.45)
    for ax, dilation in zip(axes, dilations, strict=True):
        span = dilation * (kernel_size - 1)
        first = (size - 1 - span) // 2
        places = [first + dilation * tap for tap in range(kernel_size)]
        for row in places:
            for column in places:
                ax.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, facecolor=BLUE))
        _cells(ax, size, size)
        _outline(ax, Window(first, first, span + 1, span + 1))
        ax.set(xlim=(-0.7, size - 0.3), ylim=(size - 0.3, -0.7), aspect="equal", xlabel="column")
        ax.set(xticks=range(0, size, 2), yticks=range(0, size, 2))
        ax.set_title(f"dilation {dilation}: {span + 1} wide", **HEADING)
    axes[0].set_ylabel("row")
    return figure


def coverage_panels(image: Any, counts: Mapping[str, Any]) -> Figure:
    """An image ``(H, W)`` once per entry of ``counts``; where that entry is 0, the pixel is painted orange."""
    array = np.asarray(image)
    figure, axes = _row_of_axes([1] * len(counts), WIDTH / len(counts) + 0.7)
    for ax, (title, count) in zip(axes, counts.items(), strict=True):
        _show(ax, array)
        paint = np.zeros((*array.shape, 4))
        paint[np.asarray(count) == 0] = (230 / 255, 159 / 255, 0, 0.75)
        ax.imshow(paint)
        ax.set_title(title, **HEADING)
        ax.set_xlabel("column (pixel)")
        ax.locator_params(nbins=5, integer=True)
    axes[0].set_ylabel("row (pixel)")
    return figure


def size_steps(input_sizes: Sequence[int], output_sizes: Mapping[str, Sequence[int]]) -> Figure:
    """Output size against input size, one line of dots per entry of ``output_sizes``."""
    figure = Figure(figsize=(WIDTH, 3.4), layout="constrained")
    ax = figure.subplots()
    for color, marker, (label, sizes) in zip(PALETTE, "os^D", output_sizes.items(), strict=False):
        ax.plot(input_sizes, sizes, marker, color=color, label=label, markersize=5)
    ax.set(xlabel="input size (pixels)", ylabel="output size (pixels)")
    ax.legend()
    return figure


def wiring_panels(in_channels: int, out_channels: int, groups: Sequence[int]) -> Figure:
    """Which input channels each output channel reads, for each number of groups: a filled cell is a K x K kernel."""
    figure, axes = _row_of_axes([1] * len(groups), 2.45)
    for ax, count in zip(axes, groups, strict=True):
        joined = np.kron(np.eye(count), np.ones((out_channels // count, in_channels // count)))
        ax.imshow(joined, cmap="Blues", vmax=1.4, vmin=0)
        _cells(ax, in_channels, out_channels)
        ax.set_title(f"groups = {count}", **HEADING)
        ax.set(xlabel="input channel", xticks=range(in_channels), yticks=range(out_channels))
    axes[0].set_ylabel("output channel")
    return figure


def matrix_panels(matrix: Any, titles: tuple[str, str], labels: tuple[str, str]) -> Figure:
    """A matrix ``(outputs, inputs)`` and its transpose; zeros are left white. ``labels`` name inputs and outputs."""
    both = dict(zip(titles, (np.asarray(matrix), np.asarray(matrix).T), strict=True))
    figure, axes, cell = _grid_axes({title: array.shape for title, array in both.items()}, gap=0.75)
    for ax, array in zip(axes, both.values(), strict=True):
        _draw_numbers(ax, array, cell, blank_zeros=True)
    axes[0].set(xlabel=labels[0], ylabel=labels[1])
    axes[1].set(xlabel=labels[1], ylabel=labels[0])
    return figure


def _grid_axes(shapes: Mapping[str, tuple[int, int]], gap: float = 0.5) -> tuple[Figure, list[Axes], float]:
    """Axes side by side under their titles, for grids (rows, columns) whose cells all have one side, also returned.

    Laid out in inches, ``gap`` apart: a constrained layout would give each grid cells of its own size.
    """
    left, top, bottom = 0.6, 0.35, 0.6
    slack = WIDTH - left - gap * (len(shapes) - 1)
    cell = min(CELL, slack / sum(columns for _, columns in shapes.values()))
    tallest = cell * max(rows for rows, _ in shapes.values())
    height = top + tallest + bottom
    figure, axes = Figure(figsize=(WIDTH, height), layout="none"), []
    for title, (rows, columns) in shapes.items():
        low = bottom + (tallest - cell * rows) / 2
        ax = figure.add_axes((left / WIDTH, low / height, cell * columns / WIDTH, cell * rows / height))
        ax.set_title(title, **HEADING)
        ax.grid(False)
        axes.append(ax)
        left += cell * columns + gap
    return figure, axes, cell


def _row_of_axes(widths: Sequence[float], height: float) -> tuple[Figure, Sequence[Axes]]:
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    axes = figure.subplots(1, len(widths), squeeze=False, width_ratios=widths)[0]
    for ax in axes:
        ax.grid(False)
    return figure, axes


def _largest(array: np.ndarray) -> float:
    """Where the scale of an image ends: its largest value, or nearly so when it has both signs."""
    return max(float(np.quantile(np.abs(array), 0.995 if array.min() < 0 else 1)), 1e-9)


def _show(ax: Axes, array: np.ndarray, cmap: str | None = None, largest: float | None = None) -> None:
    """Draw an array as an image whose zero is white, or black when ``cmap`` is "gray"."""
    signed, largest = array.min() < 0, largest or _largest(array)
    ax.imshow(array, cmap=SIGNED if signed else cmap or INK, vmin=-largest if signed else 0, vmax=largest)
    ax.grid(False)


def _cells(ax: Axes, columns: int, rows: int) -> None:
    ax.vlines(np.arange(columns + 1) - 0.5, -0.5, rows - 0.5, color="#8c8c8c", linewidth=0.6)
    ax.hlines(np.arange(rows + 1) - 0.5, -0.5, columns - 0.5, color="#8c8c8c", linewidth=0.6)


def _outline(ax: Axes, window: Window) -> None:
    corner = (window.column - 0.5, window.row - 0.5)
    edge = {"edgecolor": window.color, "linewidth": 3, "zorder": 3, "clip_on": False}
    ax.add_patch(Rectangle(corner, window.width, window.height, fill=False, **edge))


def _bare(ax: Axes) -> None:
    """The cells' own lines are frame enough: no spines, no tick marks."""
    ax.tick_params(labelsize=10, length=0)
    ax.spines[:].set_visible(False)


def _draw_numbers(ax: Axes, grid: np.ndarray, cell: float, blank_zeros: bool = False) -> None:
    """Cells shaded by value, pale enough for the numbers in them to be read."""
    rows, columns = grid.shape
    limit = 2.2 * max(float(np.abs(grid).max()), 1)
    ax.imshow(grid, cmap=SIGNED if grid.min() < 0 else INK, vmin=-limit if grid.min() < 0 else 0, vmax=limit)
    _cells(ax, columns, rows)
    for (row, column), value in np.ndenumerate(grid):
        if value or not blank_zeros:
            text = f"{value:g}".replace("-", "−")
            ax.text(column, row, text, ha="center", va="center", fontsize=12 if cell > 0.36 else 10)
    ax.set(xlabel="column", xticks=range(columns), yticks=range(rows))
    _bare(ax)
