"""Drawings for VGG: what became of networks of several depths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from course_lib.figures.style import BLACK, MARKERS, PALETTE, WIDTH

SPREAD = 0.26  # of the way from one depth to the next: how far apart the cases of one depth stand


def runs_by_depth(
    depths: Sequence[int],
    cases: Mapping[str, Sequence[Sequence[float]]],
    *,
    xlabel: str,
    ylabel: str,
    chance: float,
) -> Figure:
    """A mark for every run, the cases side by side at each depth; a dotted line where guessing is.

    Args:
        depths: one place on the horizontal axis each, evenly spaced.
        cases: for each case one row per run, each with a value per depth.
        xlabel: what a depth counts.
        ylabel: what was measured.
        chance: the value of a network that guesses.
    """
    figure = Figure(figsize=(WIDTH, 3.8), layout="constrained")
    ax = figure.subplots()
    ax.axhline(chance, color=BLACK, linestyle=":", linewidth=1.2)
    for index, (label, runs) in enumerate(cases.items()):
        shift = SPREAD * (index / max(1, len(cases) - 1) - 0.5) * 2
        places = [place + shift for place in range(len(depths))] * len(runs)
        style = {"marker": MARKERS[index % len(MARKERS)], "color": PALETTE[index % len(PALETTE)]}
        ax.plot(places, [value for run in runs for value in run], linestyle="", alpha=0.7, label=label, **style)
    ax.set(xlabel=xlabel, ylabel=ylabel, ylim=(0, 1.05), xlim=(-0.6, len(depths) - 0.4))
    ax.set_xticks(range(len(depths)), [str(depth) for depth in depths])
    ax.grid(False, axis="x")
    figure.legend(loc="outside lower center", ncols=2, fontsize=11)
    return figure
