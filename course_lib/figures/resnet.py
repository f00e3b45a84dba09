"""Drawings for ResNet: training runs of several depths side by side, and quantities followed through the blocks.

Every function takes numbers that the caller measured, draws them, and returns a figure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from course_lib.figures.style import BLACK, HEADING, PALETTE, WIDTH

DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)))


def training_panels(
    panels: Mapping[str, Mapping[str, Sequence[Sequence[float]]]], *, ylabel: str, guess: float | None = None
) -> Figure:
    """A value over the epochs: a panel per family, a bold line through the mean of each case, a thin line per run.

    Args:
        panels: family, case, then one row per run with a value per epoch.
        ylabel: what was measured; the panels share its axis.
        guess: the value of a network that guesses, a dotted line; None for no line.
    """
    figure = Figure(figsize=(WIDTH, 3.6), layout="constrained")
    axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for ax, (title, cases) in zip(axes, panels.items(), strict=True):
        if guess is not None:
            ax.axhline(guess, color=BLACK, linestyle=":", linewidth=1.2)
        for index, (label, runs) in enumerate(cases.items()):
            color, epochs = PALETTE[index % len(PALETTE)], range(1, len(runs[0]) + 1)
            for run in runs:
                ax.plot(epochs, run, color=color, linewidth=1, alpha=0.45)
            means = [sum(column) / len(column) for column in zip(*runs, strict=True)]
            ax.plot(epochs, means, DASHES[index % 2], color=color, linewidth=3, label=label)
        ax.set(xlabel="epoch", ylim=(0, None))
        ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        ax.set_title(title, **HEADING)
    axes[0].set_ylabel(ylabel)
    if len({tuple(cases) for cases in panels.values()}) == 1:
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=11)
    else:
        for ax in axes:
            ax.legend(fontsize=11)
    return figure


class Profile(NamedTuple):
    """A quantity followed through the blocks of several networks.

    ``cases``: for each network one value per block. ``log``: whether the axis is logarithmic. ``guess``: a dotted line
    across, or None.
    """

    ylabel: str
    cases: Mapping[str, Sequence[float]]
    log: bool = True
    guess: float | None = None


def depth_profiles(profiles: Sequence[Profile], *, borders: Sequence[int] = ()) -> Figure:
    """Panels from top to bottom with one axis of blocks, a line per network; one legend below.

    Args:
        profiles: a panel each; all have the same networks in the same order.
        borders: the blocks that begin a new stage, counted from 1: a thin line in front of each.
    """
    figure = Figure(figsize=(WIDTH, 2.4 * len(profiles) + 1.1), layout="constrained")
    axes = figure.subplots(len(profiles), 1, sharex=True, squeeze=False)[:, 0]
    for ax, profile in zip(axes, profiles, strict=True):
        _draw_profile(ax, profile)
        for block in borders:
            ax.axvline(block - 0.5, color="#8c8c8c", linewidth=1)
    axes[-1].set_xlabel("block")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2, fontsize=10)
    return figure


def _draw_profile(ax: Axes, profile: Profile) -> None:
    """One panel of ``depth_profiles``."""
    if profile.guess is not None:
        ax.axhline(profile.guess, color=BLACK, linestyle=":", linewidth=1.2)
    for index, (label, values) in enumerate(profile.cases.items()):
        style = {"color": PALETTE[index % len(PALETTE)], "linestyle": DASHES[index % len(DASHES)]}
        ax.plot(range(1, len(values) + 1), values, label=label, **style)
    ax.set(ylabel=profile.ylabel)
    if profile.log:
        ax.set_yscale("log")
    else:
        ax.set_ylim(0, 1.05)
