"""Drawings for MobileNet: what is read, what is recovered, blocks, shares, and accuracy by cost."""

from __future__ import annotations

import math

import numpy as np
from matplotlib.colors import to_rgba
from matplotlib.patches import FancyArrowPatch, Polygon, Rectangle

from course_lib.figures.mobilenet import (
    BlockLayer,
    Reads,
    accuracy_by_cost,
    block_shapes,
    recovered_points,
    share_bars,
    what_is_read,
)
from course_lib.figures.style import ORANGE


def test_the_numbers_that_are_read_are_marked_and_counted() -> None:
    figure = what_is_read(
        {"full": Reads(range(3), range(3)), "pointwise": Reads(range(3), range(1, 2))}, num_channels=3, side=6
    )

    marked = [sum(patch.get_facecolor() == to_rgba(ORANGE) for patch in ax.patches) for ax in figure.axes]
    assert marked == [27, 3]
    assert [ax.get_xlabel() for ax in figure.axes] == ["27 numbers", "3 numbers"]
    assert [len(ax.patches) for ax in figure.axes] == [3 * 36, 3 * 36]


def test_each_recovery_has_a_panel_on_the_scale_of_the_input() -> None:
    points = np.array([[1.0, 2.0], [0.0, -1.0]])
    lost = np.array([[1.0, 2.0], [math.nan, math.nan]])

    figure = recovered_points(points, {"n = 2": lost})

    assert [ax.get_title() for ax in figure.axes] == ["input", "n = 2"]
    assert figure.axes[0].get_xlim() == figure.axes[1].get_xlim() == figure.axes[1].get_ylim()
    assert np.ma.filled(figure.axes[1].collections[0].get_offsets(), np.nan)[0].tolist() == [1.0, 2.0]


def test_bars_of_a_block_are_as_tall_as_it_has_channels_and_only_equal_ends_of_long_blocks_are_joined() -> None:
    blocks = {
        "plain": [BlockLayer(8), BlockLayer(8), BlockLayer(8)],
        "inverted": [BlockLayer(4, False), BlockLayer(24), BlockLayer(24), BlockLayer(4, False)],
    }
    figure = block_shapes(blocks, {"plain": ["a", "b"], "inverted": ["a", "b", "c"]})

    for ax, layers in zip(figure.axes, blocks.values(), strict=True):
        bars = [patch for patch in ax.patches if isinstance(patch, Rectangle)]
        assert [round(24 * bar.get_height()) for bar in bars] == [layer.channels for layer in layers]
        assert [bool(bar.get_hatch()) for bar in bars] == [not layer.activated for layer in layers]
        assert sum(isinstance(patch, Polygon) for patch in ax.patches) == len(layers) - 1
    arrows = [sum(isinstance(patch, FancyArrowPatch) for patch in ax.patches) for ax in figure.axes]
    assert arrows == [0, 1]


def test_shares_are_bars_in_percent() -> None:
    figure = share_bars({"1x1": {"work": 0.95, "time": 0.5}, "depthwise": {"work": 0.05, "time": 0.5}})

    ax = figure.axes[0]
    assert [[round(bar.get_width()) for bar in bars] for bars in ax.containers] == [[95, 5], [50, 50]]
    assert [text.get_text() for text in figure.legends[0].texts] == ["work", "time"]


def test_lines_of_accuracy_go_through_their_points_and_labels_keep_apart() -> None:
    figure = accuracy_by_cost(
        {"a": [(569, 70.6), (325, 68.4)], "b": [(569, 70.6), (540, 69.1)]}, xlabel="x", ylabel="y"
    )

    ax = figure.axes[0]
    assert [line.get_xdata().tolist() for line in ax.lines] == [[569, 325], [569, 540]]
    assert [text.get_text() for text in ax.get_xticklabels()] == ["325", "569"]
