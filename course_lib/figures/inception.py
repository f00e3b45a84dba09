"""Drawings for GoogLeNet: how far a printed table is from its own widths, and how gradients reach the lower layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from course_lib.figures.style import BLACK, BLUE, HEADING, PALETTE, VERMILLION, WIDTH


def printed_deviations(deviations: Mapping[str, tuple[float, float]]) -> Figure:
    """Two marks a row, top to bottom: by how many per cent its printed parameters and operations are off."""
    figure = Figure(figsize=(WIDTH, 0.32 * len(deviations) + 1.3), layout="constrained")
    ax = figure.subplots()
    ax.axvline(0, color=BLACK, linewidth=1.2)
    places = range(len(deviations))
    for index, (marker, color, label) in enumerate((("o", VERMILLION, "parameters"), ("s", BLUE, "operations"))):
        values = [pair[index] for pair in deviations.values()]
        ax.plot(values, places, linestyle="", marker=marker, color=color, markersize=8, alpha=0.8, label=label)
    ax.set(xlabel="printed against counted (%)")
    ax.set_yticks(places, deviations)
    ax.invert_yaxis()
    figure.legend(loc="outside lower center", ncols=2, fontsize=11)
    return figure


def gradient_panels(
    layers: Sequence[str], panels: Mapping[str, Mapping[str, Sequence[Sequence[float]]]], *, heads: Sequence[str] = ()
) -> Figure:
    """Size of the gradient layer by layer on a logarithmic axis: a panel per situation, a line per case.

    Args:
        layers: names along the horizontal axis, the input's side first.
        panels: situation, case, then one row per run with a value per layer. A line goes through the geometric means
            of the runs, in a band from the lowest to the highest.
        heads: layers at which a dotted line stands.
    """
    figure = Figure(figsize=(WIDTH, 3.6), layout="constrained")
    axes = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for ax, (title, cases) in zip(axes, panels.items(), strict=True):
        for name in heads:
            ax.axvline(layers.index(name), color=BLACK, linestyle=":", linewidth=1.2)
        for color, marker, (label, runs) in zip(PALETTE, "os^", cases.items(), strict=False):
            columns = list(zip(*runs, strict=True))
            means = [_geometric_mean(column) for column in columns]
            places = range(len(layers))
            ax.plot(places, means, marker=marker, markersize=5, color=color, label=label)
            ax.fill_between(
                places, list(map(min, columns)), list(map(max, columns)), color=color, alpha=0.2, linewidth=0
            )
        ax.set(yscale="log")
        ax.set_title(title, **HEADING)
        ax.set_xticks(range(len(layers)), layers, rotation=90, fontsize=10)
    axes[0].set_ylabel("size of the gradient")
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), fontsize=11)
    return figure


def _geometric_mean(values: Sequence[float]) -> float:
    product = 1.0
    for value in values:
        product *= value ** (1 / len(values))
    return product
