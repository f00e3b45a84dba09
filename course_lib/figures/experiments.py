"""Results of experiments that were run from several seeds: a dot per run, never a mean alone.

Every function takes numbers that the caller measured, draws them, and returns a figure.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator

from course_lib.figures.style import BLACK, BLUE, HEADING, MARKERS, PALETTE, VERMILLION, WIDTH
from course_lib.training import Interval


def seed_dots(results: Mapping[str, Sequence[float]], *, xlabel: str) -> Figure:
    """A row per case, top to bottom: a dot for each run, and a bar across the row at their mean."""
    figure = Figure(figsize=(WIDTH, 0.5 * len(results) + 1.0), layout="constrained")
    ax = figure.subplots()
    for place, values in enumerate(results.values()):
        ax.plot(values, [place] * len(values), "o", color=BLUE, alpha=0.6, markersize=8)
        mean = sum(values) / len(values)
        ax.plot([mean, mean], [place - 0.3, place + 0.3], color=BLACK, linewidth=2)
    low, high = min(0.0, *map(min, results.values())), max(0.0, *map(max, results.values()))
    margin = 0.06 * (high - low)
    ax.set(xlabel=xlabel, xlim=(low - margin * (low < 0), high + margin), ylim=(len(results) - 0.5, -0.5))
    ax.set_yticks(range(len(results)), results)
    ax.grid(False, axis="y")
    return figure


def error_intervals(results: Mapping[str, Interval], printed: Mapping[str, float], *, xlabel: str) -> Figure:
    """A row per case, top to bottom: a dot at our mean, a line over its interval, a diamond at the printed figure.

    Args:
        results: mean and interval by case; a lower end below 0 is drawn to 0.
        printed: what a paper reports, for the cases that have it.
        xlabel: what was measured, with its unit.
    """
    figure = Figure(figsize=(WIDTH, 0.5 * len(results) + 1.3), layout="constrained")
    ax = figure.subplots()
    for place, (name, found) in enumerate(results.items()):
        ours = {"label": "ours, with its interval"} if place == 0 else {}
        ax.plot([max(found.low, 0.0), found.high], [place, place], color=BLUE, linewidth=3, alpha=0.5)
        ax.plot([found.mean], [place], "o", color=BLUE, markersize=8, **ours)
        if name in printed:
            ax.plot([printed[name]], [place], "D", color=VERMILLION, markersize=8)
    ax.plot([], [], "D", color=VERMILLION, markersize=8, label="printed")
    ax.set(xlabel=xlabel, ylim=(len(results) - 0.5, -0.5))
    ax.set_xlim(left=0)
    ax.set_yticks(range(len(results)), results)
    ax.grid(False, axis="y")
    figure.legend(loc="outside lower center", ncols=2, fontsize=11)
    return figure


def seed_curves(curves: Mapping[str, Sequence[Sequence[float]]], *, xlabel: str, ylabel: str) -> Figure:
    """Curves over the epochs: a colour per case, a thin line for each run, the names in the legend.

    Args:
        curves: by case, then by run: one value for each epoch.
        xlabel, ylabel: with their units.
    """
    figure = Figure(figsize=(WIDTH, 3.8), layout="constrained")
    ax = figure.subplots()
    for index, (name, runs) in enumerate(curves.items()):
        color, style = PALETTE[index % len(PALETTE)], ("-", "--", "-.", ":")[index % 4]
        for run, values in enumerate(runs):
            label = {"label": name} if run == 0 else {}
            ax.plot(range(1, len(values) + 1), values, style, color=color, linewidth=1.5, alpha=0.8, **label)
    ax.set(xlabel=xlabel, ylabel=ylabel)
    ax.set_ylim(bottom=0)
    figure.legend(loc="outside lower center", ncols=2, fontsize=11)
    return figure


def rate_panels(
    panels: Mapping[str, Mapping[str, Mapping[float, Sequence[float]]]], *, ylabel: str, limit: float
) -> Figure:
    """A measured time against the learning rate: a panel per setting, a line per case through the mean of its runs.

    Args:
        panels: setting, case, learning rate, then one value per run; infinite where a run did not get there.
        ylabel: what was measured.
        limit: where a run was given up. A rate with such a run stands there, as a cross, and the line leaves it out.
    """
    figure = Figure(figsize=(WIDTH, 3.4), layout="constrained")
    axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for ax, (title, cases) in zip(axes, panels.items(), strict=True):
        for index, (label, rates) in enumerate(cases.items()):
            color, marker = PALETTE[index % len(PALETTE)], MARKERS[index % len(MARKERS)]
            _draw_rates(ax, rates, limit, color=color, marker=marker, label=label)
        ax.set(xscale="log", xlabel="learning rate", ylim=(0, 1.12 * limit))
        ax.set_title(title, **HEADING)
    axes[0].set_ylabel(ylabel)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), fontsize=11)
    return figure


def curves_with_band(
    x: Sequence[float], curves: Mapping[str, Sequence[Sequence[float]]], *, xlabel: str, ylabel: str, log: bool = False
) -> Figure:
    """A line through the mean of the runs, in a band from the lowest to the highest; a curve has one row per run."""
    figure = Figure(figsize=(WIDTH, 3.6), layout="constrained")
    ax = figure.subplots()
    for index, (label, runs) in enumerate(curves.items()):
        color, columns = PALETTE[index % len(PALETTE)], list(zip(*runs, strict=True))
        ax.plot(x, [sum(column) / len(column) for column in columns], "o-", color=color, label=label, markersize=5)
        ax.fill_between(x, list(map(min, columns)), list(map(max, columns)), color=color, alpha=0.2, linewidth=0)
    ax.set(xlabel=xlabel, ylabel=ylabel)
    if log:
        ax.set_xscale("symlog", linthresh=1)
        ax.set_xticks(x)
        ax.xaxis.set_minor_locator(NullLocator())
        ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    figure.legend(loc="outside lower center", ncols=2, fontsize=11)
    return figure


def _draw_rates(
    ax: Axes, rates: Mapping[float, Sequence[float]], limit: float, *, color: str, marker: str, label: str
) -> None:
    """One case: the line through the rates at which every run got there, their dots, and signs for the others."""
    means = {rate: sum(values) / len(values) for rate, values in sorted(rates.items())}
    reached = [rate for rate, mean in means.items() if math.isfinite(mean)]
    failed = [rate for rate in means if rate not in reached]
    for rate in reached:
        ax.plot([rate] * len(rates[rate]), rates[rate], marker, color=color, alpha=0.4, markersize=5)
    ax.plot(reached, [means[rate] for rate in reached], marker=marker, color=color, label=label)
    sign = "x+"[MARKERS.index(marker) % 2]  # two cases that failed at the same rate stay apart
    ax.plot(failed, [limit] * len(failed), sign, color=color, markersize=11, markeredgewidth=2)
