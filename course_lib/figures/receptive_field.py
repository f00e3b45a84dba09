"""Drawings of receptive fields: the cone of one output, fields on an image, maps of influence, growth with depth.

Every function takes numbers that the caller computed, draws them, and returns a figure. Sizes and places are in pixels
of the input image.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FuncFormatter, NullLocator

from course_lib.arithmetic import Layer, ReceptiveField, conv_output_size, receptive_fields
from course_lib.figures.style import BLUE, GREEN, HEADING, INK, ORANGE, PALETTE, PURPLE, VERMILLION, WIDTH

FIELD = {"fill": False, "edgecolor": VERMILLION, "linewidth": 2}
EFFECTIVE = {"fill": False, "edgecolor": BLUE, "linewidth": 2, "linestyle": (0, (3, 1.5))}


class Influence(NamedTuple):
    """How much each input pixel moves one output: a map ``(H, W)`` with the output at its centre.

    ``field_size`` is the side of the theoretical field and ``width`` that of the effective one, in pixels.
    """

    map: Any
    field_size: float
    width: float


def field_cone(layers: Mapping[str, Layer], input_size: int, outputs: Sequence[int] = (0, 1)) -> Figure:
    """What two outputs see, along one axis: a row of pixels per layer, and lines down to the input.

    Each pixel stands above the centre of its own field, so that the distance within a row is the jump. Layers have
    int fields and no padding.
    """
    fields = [ReceptiveField(1, 1, 0), *receptive_fields(layers.values())]
    sizes = [input_size]
    for layer in layers.values():
        sizes.append(conv_output_size(sizes[-1], *layer))
    figure = Figure(figsize=(WIDTH, 0.75 * len(sizes) + 1.2), layout="constrained")
    ax = figure.subplots()
    for level, (field, size) in enumerate(zip(fields, sizes, strict=True)):
        ax.plot(_places(field, range(size)), [level] * size, "o", color="white", mec="#8c8c8c", ms=11, zorder=2)
    for output, color, inner in zip(outputs, (VERMILLION, BLUE), (False, True), strict=True):
        _draw_cone(ax, list(layers.values()), fields, output, color, 6 if inner else 11)
        _bracket(ax, fields[-1], output, color, depth=0.65 if inner else 0.38)
    top, places = len(layers), _places(fields[-1], outputs)
    ax.annotate("", (places[0], top + 0.3), (places[1], top + 0.3), arrowprops={"arrowstyle": "<->"})
    ax.text(sum(places) / 2, top + 0.36, f"jump {fields[-1].jump}", ha="center", va="bottom", fontsize=11)
    ax.set(xlabel="place (input pixel)", ylabel="layer", xticks=range(input_size), ylim=(-0.95, top + 0.8))
    ax.set_yticks(range(len(sizes)), ["input", *layers])
    ax.grid(False)
    return figure


def fields_on_image(image: Any, squares: Mapping[str, tuple[float, float]]) -> Figure:
    """An image ``(H, W)`` or ``(H, W, 3)`` with one square per entry: its first and its last pixel on both axes."""
    figure = Figure(figsize=(WIDTH, WIDTH), layout="constrained")
    ax = figure.subplots()
    ax.imshow(np.asarray(image))
    for color, (label, (first, last)) in zip(PALETTE, squares.items(), strict=False):
        casing = [withStroke(linewidth=4.5, foreground="white")]
        corner, side = (first - 0.5, first - 0.5), last - first + 1
        ax.add_patch(Rectangle(corner, side, side, fill=False, ec=color, lw=2.5, label=label, path_effects=casing))
    ax.set(xlabel="column (pixel)", ylabel="row (pixel)")
    ax.grid(False)
    figure.legend(loc="outside lower center", ncols=3, fontsize=11)
    return figure


def influence_panels(panels: Mapping[str, Influence], *, columns: int = 2, shared_scale: bool = False) -> Figure:
    """Maps of influence, each as a share of its largest value, with the theoretical and the effective field.

    With ``shared_scale`` a pixel has the same size in all panels.
    """
    rows = -(-len(panels) // columns)
    figure = Figure(figsize=(WIDTH, rows * (WIDTH - 0.9) / columns + 0.75), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False)
    widest = max(np.asarray(panel.map).shape[0] for panel in panels.values())
    for index, (ax, (title, panel)) in enumerate(zip(axes.flat, panels.items(), strict=True)):
        _draw_influence(ax, panel, widest if shared_scale else np.asarray(panel.map).shape[0])
        ax.set_title(title, **HEADING)
        if index % columns == 0:
            ax.set_ylabel("pixels from the centre", fontsize=11)
        if index + columns >= len(panels):
            ax.set_xlabel("pixels from the centre", fontsize=11)
    bar = figure.colorbar(ScalarMappable(cmap=INK), ax=axes, shrink=0.6, aspect=25)
    bar.set_label("relative gradient", fontsize=11)
    handles = axes.flat[0].get_legend_handles_labels()
    figure.legend(*handles, loc="outside lower center", ncols=2, fontsize=11)
    return figure


def field_growth(
    depths: Sequence[int],
    field_sizes: Sequence[float],
    predicted: Sequence[float],
    measured: Mapping[str, Sequence[float]],
) -> Figure:
    """Size of the field and width of the effective one against depth, both axes logarithmic."""
    figure = Figure(figsize=(WIDTH, 4.0), layout="constrained")
    ax = figure.subplots()
    ax.plot(depths, field_sizes, color=VERMILLION, label="field")
    ax.plot(depths, predicted, color=BLUE, linestyle=(0, (3, 1.5)), label="effective, predicted")
    marks = zip((GREEN, PURPLE, ORANGE), "sDo", (13, 9, 5), measured.items(), strict=False)
    for color, marker, size, (label, widths) in marks:  # one inside the other, where they fall on one place
        ax.plot(depths, widths, marker, color=color, label=f"effective, {label}", ms=size, mfc="none", mew=2)
    ax.set(xscale="log", yscale="log", xlabel="layers", ylabel="width (pixels)")
    ax.set_xticks(depths)
    ax.set_yticks([value for value in (5, 10, 20, 40, 80, 160) if value < 1.3 * max(field_sizes)])
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_minor_locator(NullLocator())
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.legend(fontsize=11)
    return figure


def _places(field: ReceptiveField, pixels: Sequence[int]) -> list[float]:
    return [float(field.offset + field.jump * pixel) for pixel in pixels]


def _draw_cone(
    ax: Axes, layers: Sequence[Layer], fields: Sequence[ReceptiveField], output: int, color: str, size: int
) -> None:
    """Fill the pixels that ``output`` sees, row by row from the top, and join each to those that it reads."""
    seen = {output}
    for level in range(len(layers), -1, -1):
        ax.plot(_places(fields[level], sorted(seen)), [level] * len(seen), "o", color=color, ms=size, zorder=3)
        if level == 0:
            return
        kernel_size, stride, _, dilation = layers[level - 1]
        read = {pixel: [pixel * stride + dilation * tap for tap in range(kernel_size)] for pixel in sorted(seen)}
        for pixel, taps in read.items():
            for tap in taps:
                ends = _places(fields[level], [pixel]) + _places(fields[level - 1], [tap])
                ax.plot(ends, [level, level - 1], color=color, linewidth=1.2, alpha=0.7, zorder=1)
        seen = {tap for taps in read.values() for tap in taps}


def _bracket(ax: Axes, field: ReceptiveField, output: int, color: str, depth: float) -> None:
    """A line below the input from the first to the last pixel of the field, with the field's size."""
    first, last = (float(end + field.jump * output) for end in (field.first, field.last))
    ax.plot([first, first, last, last], [-depth + 0.1, -depth, -depth, -depth + 0.1], color=color)
    ax.text(last + 0.25, -depth, f"{field.size} pixels", color=color, va="center", fontsize=11)


def _draw_influence(ax: Axes, panel: Influence, view: int) -> None:
    array = np.asarray(panel.map, dtype=float)
    half = array.shape[0] / 2
    ax.imshow(array / array.max(), cmap=INK, vmin=0, vmax=1, extent=(-half, half, half, -half))
    for side, style, label in ((panel.field_size, FIELD, "field"), (panel.width, EFFECTIVE, "effective field")):
        ax.add_patch(Rectangle((-side / 2, -side / 2), side, side, label=label, clip_on=False, **style))
    edge = 1.04 * view / 2
    ax.set(xlim=(-edge, edge), ylim=(edge, -edge))
    ax.locator_params(nbins=5, integer=True)
    ax.grid(False)
