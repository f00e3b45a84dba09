"""Drawings of the chapter on images of one's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator

from course_lib.figures.style import MARKERS, PALETTE, WIDTH


def errors_by_count(results: Mapping[str, Mapping[int, Sequence[float]]]) -> Figure:
    """Error against images a class, for each way to start: a dot for each run, a line through the means.

    Args:
        results: errors in per cent by way and by number of training images a class.
    """
    figure = Figure(figsize=(WIDTH, 3.8), layout="constrained")
    ax = figure.subplots()
    for index, (way, by_count) in enumerate(results.items()):
        color, marker = PALETTE[index % len(PALETTE)], MARKERS[index % len(MARKERS)]
        shift = 1.06 ** (index - (len(results) - 1) / 2)  # so that dots of one count do not hide each other
        for count, values in by_count.items():
            ax.plot([count * shift] * len(values), values, marker, color=color, alpha=0.45, markersize=5)
        means = [sum(values) / len(values) for values in by_count.values()]
        ax.plot([count * shift for count in by_count], means, f"{marker}-", color=color, label=way)
    counts = list(next(iter(results.values())))
    ax.set(xscale="log", xlabel="training images a class", ylabel="error on new images, %", ylim=(0, None))
    ax.set_xticks(counts)
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    figure.legend(loc="outside lower center", ncols=len(results), fontsize=11)
    return figure
