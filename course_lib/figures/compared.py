"""Networks side by side: accuracy against costs, Pareto fronts, times, and what different measurements say of one.

Every function takes numbers that the caller computed or measured, draws them, and returns a figure.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import EngFormatter, LogLocator, NullFormatter

from course_lib.figures.labels import Circle, place_labels
from course_lib.figures.style import BLACK, BLUE, GREY, HEADING, MARKERS, ORANGE, PALETTE, VERMILLION, WIDTH
from course_lib.models.registry import FAMILIES

AREA = 4.5  # square points for a million parameters


class Mark(NamedTuple):
    """A network on a chart: where it stands, to which family it belongs, and the number that its area shows."""

    x: float
    y: float
    family: str
    size: float = 0.0


def bubble_chart(marks: Mapping[str, Mark], *, xlabel: str, ylabel: str, sizes: Sequence[float]) -> Figure:
    """The same circles twice, on a linear axis and below on a logarithmic one; areas are as large as ``size``.

    Args:
        marks: by name; ``size`` in millions of parameters.
        xlabel: of both panels.
        ylabel: of both panels.
        sizes: in millions, for the circles of the legend.
    """
    figure = Figure(figsize=(WIDTH, 8.2), layout="constrained")
    panels = figure.subplots(2, 1)
    styles = _styles(marks.values())
    for ax, scale in zip(panels, ("linear", "log"), strict=True):
        for mark in sorted(marks.values(), key=lambda mark: -mark.size):
            color = styles[mark.family][0]
            ax.scatter(mark.x, mark.y, s=AREA * mark.size, color=color, alpha=0.55, edgecolor=BLACK, linewidth=0.7)
        ax.set(xscale=scale, xlabel=xlabel, ylabel=ylabel)
        ax.margins(0.12)
        ax.set_title(f"{'logarithmic' if scale == 'log' else scale} axis", loc="left", **HEADING)
        ax.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    for size in sizes:
        panels[0].scatter(
            [], [], s=AREA * size, color="white", edgecolor=BLACK, linewidth=0.7, label=f"{size:g} million"
        )
    panels[0].legend(
        title="parameters", loc="lower right", fontsize=10, title_fontsize=10, labelspacing=1.5, borderpad=0.9
    )
    figure.draw_without_rendering()
    circles = {name: Circle(mark.x, mark.y, _radius(mark.size)) for name, mark in marks.items()}
    largest = sorted(marks, key=lambda name: -marks[name].x)[: len(marks) // 2]  # the others are too close to be named
    for ax, names in zip(panels, (largest, marks), strict=True):
        place_labels(ax, circles, names)
    return figure


def dominance(points: Mapping[str, tuple[float, float]], front: Sequence[str], chosen: str) -> Figure:
    """Points of (cost, accuracy) with their front, and the corner in which all is worse than the chosen one."""
    figure = Figure(figsize=(WIDTH, 3.3), layout="constrained")
    ax = figure.subplots()
    right = 1.15 * max(cost for cost, _ in points.values())
    low = min(accuracy for _, accuracy in points.values()) - 4
    cost, accuracy = points[chosen]
    corner = Rectangle((cost, low), right - cost, accuracy - low, facecolor=ORANGE, alpha=0.3, zorder=0)
    ax.add_patch(corner)
    _draw_steps(ax, [points[name] for name in front], right)
    for name, (x, y) in points.items():
        ax.plot(x, y, "o", color=BLUE if name in front else "white", markeredgecolor=BLUE, markersize=9)
        ax.annotate(name, (x, y), (7, 5), textcoords="offset points", fontsize=12)
    ax.set(xlabel="cost", ylabel="accuracy (%)", xlim=(0, right), ylim=(low, None))
    ax.margins(y=0.15)
    return figure


def front_panels(
    panels: Mapping[str, Mapping[str, Mark]], fronts: Mapping[str, Sequence[str]], *, ylabel: str, invert: bool = False
) -> Figure:
    """A panel per cost, logarithmic, with its front as steps: members have their family's colour, others are pale.

    Args:
        panels: label of the cost, then the networks by name.
        fronts: for each panel, the names of those on the front.
        ylabel: of all panels.
        invert: whether a small ``y`` is the better one; it is then drawn at the top.
    """
    rows = -(-len(panels) // 2)
    styles = _styles(mark for marks in panels.values() for mark in marks.values())
    legend_rows = -(-len(styles) // 3)
    figure = Figure(figsize=(WIDTH, 2.55 * rows + 0.24 * legend_rows), layout="constrained")
    axes = list(figure.subplots(rows, 2, sharey=True, squeeze=False).flat)
    for ax, (label, marks) in zip(axes, panels.items(), strict=False):
        ax.set(xscale="log", xlabel=label)
        members = sorted((marks[name].x, marks[name].y) for name in fronts[label])
        _draw_steps(ax, members, 1.6 * max(mark.x for mark in marks.values()))
        for name, mark in sorted(marks.items(), key=lambda item: item[0] in fronts[label]):  # members on top
            color, marker = styles[mark.family]
            on_front = name in fronts[label]
            look = {"alpha": 1.0, "markeredgecolor": BLACK} if on_front else {"alpha": 0.35, "markeredgecolor": color}
            ax.plot(mark.x, mark.y, marker, color=color, markersize=8 if on_front else 7, **look)
        ax.xaxis.label.set_size(10)
        costs = [mark.x for mark in marks.values()]
        ax.xaxis.set_major_locator(LogLocator(subs=(1.0,) if max(costs) > 200 * min(costs) else (1.0, 3.0)))
        ax.xaxis.set_major_formatter(EngFormatter(sep=" "))
        ax.xaxis.set_minor_formatter(NullFormatter())
        ax.tick_params(labelsize=10)
    for ax in axes[len(panels) :]:
        ax.remove()
    for ax in axes[::2]:
        ax.set_ylabel(ylabel)
    if invert:
        axes[0].invert_yaxis()
    for family, (color, marker) in styles.items():
        axes[0].plot([], [], marker, color=color, label=family)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=10)
    return figure


def measurements_of(rows: Mapping[str, Mapping[str, Sequence[float]]], *, xlabel: str) -> Figure:
    """A row per network with everything that was measured of it: a sign for each kind, a line from end to end."""
    kinds = list(dict.fromkeys(kind for row in rows.values() for kind in row))
    figure = Figure(figsize=(WIDTH, 0.42 * len(rows) + 0.3 * -(-len(kinds) // 2) + 0.9), layout="constrained")
    ax = figure.subplots()
    for place, row in enumerate(rows.values()):
        every = [value for values in row.values() for value in values]
        ax.plot([min(every), max(every)], [place, place], color=GREY, linewidth=1.5, zorder=1)
    for index, kind in enumerate(kinds):
        shift = 0.14 * (index - (len(kinds) - 1) / 2)  # signs of equal values stand one above the other
        points = [(value, place + shift) for place, row in enumerate(rows.values()) for value in row.get(kind, ())]
        style = {"color": PALETTE[index % len(PALETTE)], "marker": MARKERS[index % len(MARKERS)]}
        ax.plot(*zip(*points, strict=True), linestyle="", markersize=8, label=kind, alpha=0.85, **style)
    ax.set_yticks(range(len(rows)), list(rows))
    ax.set(xlabel=xlabel, ylim=(len(rows) - 0.5, -0.5))
    ax.grid(False, axis="y")
    figure.legend(loc="outside lower center", ncols=2, fontsize=10)
    return figure


def time_against_work(marks: Mapping[str, Mark], *, speeds: Sequence[float]) -> Figure:
    """Milliseconds (``y``) against 10^9 multiply-adds (``x``), both logarithmic, with lines of equal speed.

    Args:
        marks: by name.
        speeds: in 10^9 multiply-adds a second, one line each.
    """
    figure = Figure(figsize=(WIDTH, 4.8), layout="constrained")
    ax = figure.subplots()
    styles = _styles(marks.values())
    ends = (0.6 * min(mark.x for mark in marks.values()), 2.2 * max(mark.x for mark in marks.values()))
    top = 2.2 * max(mark.y for mark in marks.values())
    for speed in speeds:
        last = min(ends[1], top * speed / 1000)
        ax.plot([ends[0], last], [1000 * ends[0] / speed, 1000 * last / speed], "--", color=GREY, linewidth=1, zorder=0)
        end = (last, 1000 * last / speed)
        ax.annotate(f"{speed:g}", end, (2, 2), textcoords="offset points", fontsize=9, color="#595959")
    for mark in marks.values():
        color, marker = styles[mark.family]
        ax.plot(mark.x, mark.y, marker, color=color, markersize=8)
    ax.set(xscale="log", yscale="log", xlim=(ends[0], 1.35 * ends[1]))
    ax.set_ylim(0.5 * min(mark.y for mark in marks.values()), 1.25 * top)
    ax.set(xlabel="multiply-adds (10⁹)", ylabel="milliseconds for one image")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(lambda value, _: f"{value:g}")
    figure.draw_without_rendering()
    place_labels(ax, {name: Circle(mark.x, mark.y, 5) for name, mark in marks.items()})
    return figure


def _styles(marks: Iterable[Mark]) -> dict[str, tuple[str, str]]:
    """Colour and sign of each family: those of the course always have the same ones, others follow."""
    present = list(dict.fromkeys(mark.family for mark in marks))
    places = [*FAMILIES, *(family for family in present if family not in FAMILIES)]
    colors = [*PALETTE, GREY, "#7a4f00", "#c2185b"]
    styles = {family: (colors[index % 10], MARKERS[index % 10]) for index, family in enumerate(places)}
    return {family: styles[family] for family in present}


def _radius(size: float) -> float:
    """Points, for a circle of so many millions."""
    return math.sqrt(AREA * size / math.pi)


def _draw_steps(ax: Axes, members: Sequence[tuple[float, float]], right: float) -> None:
    """The best accuracy that a given cost buys: level from each member of the front to the next."""
    costs, values = zip(*sorted(members), strict=True)
    ax.step([*costs, right], [*values, values[-1]], where="post", color=VERMILLION, linewidth=1.5, zorder=0)
