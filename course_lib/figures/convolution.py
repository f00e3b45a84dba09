"""Drawings for the ways to compute a convolution: time by kernel size, and where numbers lie in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from course_lib.figures.style import ORANGE, PALETTE, SKY, WIDTH, YELLOW

CHANNELS = (SKY, ORANGE, YELLOW)


def time_lines(kernel_sizes: Sequence[int], seconds: Mapping[str, Sequence[float]]) -> Figure:
    """Milliseconds, logarithmic, against the side of the kernel: a line for each method."""
    figure = Figure(figsize=(WIDTH, 3.8), layout="constrained")
    ax = figure.subplots()
    for color, marker, (name, values) in zip(PALETTE, "os^D", seconds.items(), strict=False):
        ax.plot(kernel_sizes, [1e3 * value for value in values], marker=marker, color=color, label=name)
    ax.set(yscale="log", xlabel="side of the kernel (pixels)", ylabel="time (ms)", xticks=kernel_sizes)
    ax.legend(fontsize=10)
    return figure


def memory_orders(orders: Mapping[str, Sequence[tuple[int, int]]]) -> Figure:
    """Strips of memory cells, one below the other; each cell is named by its pixel and coloured by its channel.

    Args:
        orders: for each layout, ``(channel, pixel)`` of every number in the order of its address; up to 3 channels.
    """
    figure = Figure(figsize=(WIDTH, 1.15 * len(orders) + 0.4), layout="constrained")
    axes = figure.subplots(len(orders), 1, squeeze=False)[:, 0]
    for ax, (title, cells) in zip(axes, orders.items(), strict=True):
        for address, (channel, pixel) in enumerate(cells):
            ax.add_patch(Rectangle((address - 0.5, 0), 1, 1, facecolor=CHANNELS[channel], edgecolor="black"))
            ax.text(address, 0.5, f"{'abc'[channel]}{pixel}", ha="center", va="center", fontsize=11)
        ax.set(xlim=(-0.6, len(cells) - 0.4), ylim=(0, 1), xticks=range(len(cells)), yticks=[])
        ax.set_title(title, fontsize=11)
        ax.grid(False)
        ax.spines[:].set_visible(False)
        ax.tick_params(length=0, labelsize=10)
    axes[-1].set_xlabel("address, in numbers")
    return figure
