"""Drawings for batch normalisation: who shares a mean, and how the input of a unit moves in training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from course_lib.figures.style import BLUE, HEADING, PALETTE, WIDTH

PALE = "#dce6ee"
SIDE = 3  # pixels per side of a drawn map
GAP = 1.0


def shared_statistics(num_images: int, num_channels: int, *, channel: int = 0) -> Figure:
    """A grid of feature maps, an image per row and a channel per column; the pixels of one channel are filled."""
    figure = Figure(figsize=(WIDTH, 0.75 * num_images + 0.9), layout="constrained")
    ax = figure.subplots()
    step = SIDE + GAP
    for image in range(num_images):
        for column in range(num_channels):
            for pixel in range(SIDE**2):
                corner = (column * step + pixel % SIDE, image * step + pixel // SIDE)
                color = BLUE if column == channel else PALE
                ax.add_patch(Rectangle(corner, 1, 1, facecolor=color, edgecolor="white", linewidth=1))
    ax.set(xlim=(-0.5, num_channels * step), ylim=(num_images * step, -0.5), aspect="equal")
    ax.set_xticks([place * step + SIDE / 2 for place in range(num_channels)], range(1, num_channels + 1))
    ax.set_yticks([place * step + SIDE / 2 for place in range(num_images)], range(1, num_images + 1))
    ax.set(xlabel="channel", ylabel="image of the batch")
    ax.xaxis.set_label_position("top")
    ax.xaxis.tick_top()
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    ax.grid(False)
    return figure


def percentile_panels(
    steps: Sequence[int],
    cases: Mapping[str, Sequence[Sequence[float]]],
    *,
    ylabel: str,
    labels: Sequence[str],
) -> Figure:
    """How a distribution moves: a panel per case, in it a line per percentile, and a band between the outer ones.

    Args:
        steps: where it was looked at.
        cases: for each case one row per step, each with a value per percentile, lowest first.
        ylabel: what is distributed.
        labels: the names of the percentiles.
    """
    figure = Figure(figsize=(WIDTH, 3.4), layout="constrained")
    axes = figure.subplots(1, len(cases), sharey=True, squeeze=False)[0]
    for ax, (title, rows) in zip(axes, cases.items(), strict=True):
        _draw_percentiles(ax, steps, list(zip(*rows, strict=True)), labels)
        ax.set(xlabel="step")
        ax.set_title(title, **HEADING)
    axes[0].set_ylabel(ylabel)
    handles, names = axes[0].get_legend_handles_labels()
    figure.legend(handles[::-1], names[::-1], loc="outside lower center", ncols=len(labels), fontsize=11)
    return figure


def _draw_percentiles(ax: Axes, steps: Sequence[int], lines: Sequence[Sequence[float]], labels: Sequence[str]) -> None:
    ax.fill_between(steps, lines[0], lines[-1], color=BLUE, alpha=0.12, linewidth=0)
    styles = ("--", "-", ":")
    for place, (values, label) in enumerate(zip(lines, labels, strict=True)):
        ax.plot(steps, values, color=PALETTE[place % len(PALETTE)], linestyle=styles[place % 3], label=label)
