"""Drawings about testing programs: the steps of a method, and which test catches which mistake.

Every function takes what the caller wrote or measured, draws it, and returns a figure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Rectangle

from course_lib.figures.style import BLACK, BLUE, VERMILLION, WIDTH

PALE = "#E8F1F8"
ARROW = {"arrowstyle": "-|>", "color": BLACK, "linewidth": 1.5}


def method_steps(steps: Mapping[str, str], *, back: Mapping[str, int]) -> Figure:
    """Boxes from top to bottom, an arrow from each to the next, and arrows from the last one back to earlier ones.

    Args:
        steps: heading of each box and the text in it, one line.
        back: what stands beside an arrow back, and the box that it leads to, counted from 0. The first stands left.

    Raises:
        ValueError: there are more than two arrows back, or one leads to no earlier box.
    """
    last = len(steps) - 1
    if len(back) > 2 or not all(0 <= target < last for target in back.values()):
        raise ValueError(f"back must name at most two boxes before the last one, 0 to {last - 1}, got {dict(back)}")
    figure = Figure(figsize=(WIDTH, 0.95 * len(steps) + 0.1), layout="constrained")
    ax = figure.subplots()
    ax.set(xlim=(0, 10), ylim=(len(steps) - 0.45, -0.55))
    ax.axis("off")
    for place, (heading, text) in enumerate(steps.items()):
        box = FancyBboxPatch(
            (1.6, place - 0.3), 6.8, 0.6, boxstyle="round,pad=0,rounding_size=0.1", mutation_aspect=0.3
        )
        box.set(facecolor=PALE, edgecolor=BLUE)
        ax.add_patch(box)
        ax.text(5, place - 0.13, heading, ha="center", va="center", fontsize=12, fontweight="bold")
        ax.text(5, place + 0.14, text, ha="center", va="center", fontsize=10.5)
        if place < last:
            ax.annotate("", (5, place + 0.7), (5, place + 0.3), arrowprops=ARROW)
    for (edge, lane, word), (label, target) in zip(((1.6, 0.6, 0.25), (8.4, 9.4, 9.75)), back.items(), strict=False):
        ax.plot([edge, lane, lane], [last, last, target], color=BLACK, linewidth=1.5)
        ax.annotate("", (edge, target), (lane, target), arrowprops={**ARROW, "shrinkA": 0, "shrinkB": 0})
        ax.text(word, (last + target) / 2, label, rotation=90, ha="center", va="center", fontsize=10.5)
    return figure


def caught_matrix(
    caught: Mapping[str, Mapping[str, bool]],
    revealed: Mapping[str, tuple[int, int]],
    *,
    extra: str,
    rule_above: int = 0,
) -> Figure:
    """A row per case and a column per test, a filled square where the test fails; a count of runs in a last column.

    Args:
        caught: case, test, then whether the test failed on it. All cases have the same tests.
        revealed: for each case, how many runs of how many.
        extra: heading of the last column.
        rule_above: index of the first row below a dividing line; 0 for no line.

    Raises:
        ValueError: the cases differ in their tests, or ``revealed`` lacks a case.
    """
    columns = _columns(caught, revealed)
    rows, last = len(caught), len(columns)
    figure = Figure(figsize=(WIDTH, 0.3 * rows + 1.5), layout="constrained")
    ax = figure.subplots()
    for row, (case, tests) in enumerate(caught.items()):
        for column, test in enumerate(columns):
            face = VERMILLION if tests[test] else "none"
            ax.add_patch(
                Rectangle((column - 0.4, row - 0.4), 0.8, 0.8, facecolor=face, edgecolor="0.75", linewidth=0.8)
            )
        count, total = revealed[case]
        ax.add_patch(Rectangle((last + 0.1, row - 0.4), 1.6, 0.8, facecolor="none", edgecolor="0.75", linewidth=0.8))
        ax.add_patch(Rectangle((last + 0.1, row - 0.4), 1.6 * count / total, 0.8, facecolor=BLUE, alpha=0.45))
        ax.text(last + 0.9, row, f"{count} of {total}", ha="center", va="center", fontsize=10)
    if rule_above:
        ax.plot([-0.5, last + 1.8], [rule_above - 0.5] * 2, color=BLACK, linewidth=1)
    ax.set(xlim=(-0.6, last + 1.9), ylim=(rows - 0.4, -0.6))
    ax.set_yticks(range(rows), caught, fontsize=10)
    ax.set_xticks([*range(last), last + 0.9], [*columns, extra], rotation=60, ha="left", fontsize=10)
    ax.tick_params(length=0, top=False, bottom=False, labeltop=True, labelbottom=False, pad=1)
    ax.grid(False)
    for spine in ax.spines.values():
        spine.set_visible(False)
    return figure


def _columns(caught: Mapping[str, Mapping[str, bool]], revealed: Mapping[str, tuple[int, int]]) -> Sequence[str]:
    """The tests, which all cases share."""
    columns = list(next(iter(caught.values()), {}))
    for case, tests in caught.items():
        if list(tests) != columns:
            raise ValueError(f"every case must have the tests {columns}, got {list(tests)} for {case!r}")
        if case not in revealed:
            raise ValueError(f"revealed must hold every case, got none for {case!r}")
    return columns
