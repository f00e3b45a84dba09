"""What networks cost, drawn: by stage, by layer, and network against network. Each function returns a figure."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from course_lib.complexity import Complexity
from course_lib.figures.style import BLUE, GREEN, VERMILLION, WIDTH

MEASURES = {  # of a stage: label of the axis, color
    "params": ("parameters", BLUE),
    "macs": ("multiply-adds", VERMILLION),
    "activation_bytes": ("activations (bytes)", GREEN),
}


def stage_bars(complexity: Complexity, *, depth: int = 1, measures: Sequence[str] = ("params", "macs")) -> Figure:
    """A bar for each stage, in the order of execution from the top, side by side for each measure.

    Stages whose bars would all be empty are left out. Bars have their share of the sum; of two measures, values too.

    Args:
        complexity: from ``course_lib.complexity.analyze``.
        depth: parts of the layers' names that make a stage, see ``Complexity.stages``.
        measures: of "params", "macs", "activation_bytes".

    Raises:
        ValueError: a measure is unknown, or there are none.
    """
    unknown = [measure for measure in measures if measure not in MEASURES]
    if unknown or not measures:
        raise ValueError(
            f"measures must be some of {', '.join(MEASURES)}, got {', '.join(map(repr, unknown)) or 'none'}"
        )
    stages = {
        name: stage
        for name, stage in complexity.stages(depth).items()
        if any(getattr(stage, measure) for measure in measures)
    }
    figure = Figure(figsize=(WIDTH, 0.32 * len(stages) + 1.1), layout="constrained")
    panels = figure.subplots(1, len(measures), sharey=True, squeeze=False)[0]
    for axes, measure in zip(panels, measures, strict=True):
        values = [getattr(stage, measure) for stage in stages.values()]
        _bars(axes, values, *MEASURES[measure], with_values=len(measures) < 3)
    panels[0].set_yticks(range(len(stages)), list(stages), fontsize=10)
    panels[0].invert_yaxis()
    return figure


def _bars(axes: Axes, values: list[int], label: str, color: str, *, with_values: bool) -> None:
    """Bars with their shares behind them."""
    total = sum(values) or 1
    axes.barh(range(len(values)), values, color=color, height=0.65)
    for place, value in enumerate(values):
        if value:
            text = f"{short_number(value)}, " * with_values + _share(value / total)
            axes.annotate(text, (value, place), (4, 0), textcoords="offset points", va="center", fontsize=9)
    axes.set_xlim(0, 1.9 * (max(values) or 1))  # room for the longest bar's text
    axes.set_xticks([])
    axes.set_xlabel(f"{label}\n{short_number(sum(values))} in all", fontsize=10)
    axes.grid(False)


def short_number(value: int) -> str:
    """Three digits and a unit: 61,706 is "61.7 k", 15,470,264,320 is "15.5 G"."""
    for unit, size in (("T", 10**12), ("G", 10**9), ("M", 10**6), ("k", 10**3)):
        if value >= size * 0.9995:
            return f"{_three_digits(value / size)} {unit}"
    return str(value)


def _three_digits(value: float) -> str:
    return f"{value:.2f}" if value < 9.995 else f"{value:.1f}" if value < 99.95 else f"{value:.0f}"


def _share(share: float) -> str:
    return f"{share:.0%}" if share >= 0.01 else f"{share:.1%}" if share >= 0.0005 else "<0.1%"
