"""Rooflines, bandwidth curves and bars: what is drawn is what was measured."""

from __future__ import annotations

import numpy as np
import pytest

from course_lib.figures.convolution import memory_orders, time_lines
from course_lib.figures.roofline import Point, bandwidth_curve, peak_shares, roofline


def lines_of(figure, index=0):
    return [np.stack(line.get_data()) for line in figure.axes[index].lines]


def test_the_roof_rises_with_the_bandwidth_up_to_the_peak() -> None:
    points = {"left": Point(0.5, 1e9), "right": Point(50.0, 60e9)}
    figure = roofline(80e9, {"memory": 10e9, "cache": 40e9}, points, trail=[Point(1.0, 8e9)])
    memory, cache, trail, left, right = lines_of(figure)
    assert memory.T.tolist() == [[0.25, 2.5], [8.0, 80.0], [100.0, 80.0]]
    assert cache.T.tolist() == [[0.25, 10.0], [2.0, 80.0], [100.0, 80.0]]
    assert [trail.T.tolist(), left.T.tolist(), right.T.tolist()] == [[[1.0, 8.0]], [[0.5, 1.0]], [[50.0, 60.0]]]
    assert [text.get_text() for text in figure.legends[0].texts] == [
        "roof: memory",
        "roof: cache",
        "thin matrix products",
        "left",
        "right",
    ]


def test_all_points_lie_inside_the_axes_even_above_the_roof() -> None:
    figure = roofline(1e9, {"memory": 1e9}, {"slow": Point(1e-3, 1e3), "fast": Point(1e3, 1.2e9)})
    (low, high), (bottom, top) = figure.axes[0].get_xlim(), figure.axes[0].get_ylim()
    assert low < 1e-3 < 1e3 < high
    assert bottom < 1e-6 < 1.2 < top


def test_bandwidth_is_drawn_in_mebibytes_and_gigabytes() -> None:
    (line,) = lines_of(bandwidth_curve([2**18, 2**21], [90e9, 30e9]))
    assert line.T.tolist() == [[0.25, 90.0], [2.0, 30.0]]


def test_bars_are_shares_in_per_cent() -> None:
    ax = peak_shares({"loops": 0.00004, "torch": 0.76, "lucky": 1.3}).axes[0]
    assert [bar.get_width() for bar in ax.patches] == pytest.approx([0.004, 76.0, 130.0])
    assert [text.get_text() for text in ax.texts] == ["0.004%", "76%", "130%", "peak"]
    assert ax.get_xlim()[0] < 0.004


def test_times_are_drawn_in_milliseconds() -> None:
    first, second = lines_of(time_lines([3, 5], {"a": [0.001, 0.002], "b": [0.01, 0.01]}))
    assert first.T.tolist() == [[3.0, 1.0], [5.0, 2.0]]
    assert second.T.tolist() == [[3.0, 10.0], [5.0, 10.0]]


def test_memory_cells_stand_in_the_order_of_their_addresses() -> None:
    figure = memory_orders({"one": [(0, 0), (0, 1), (1, 0)], "two": [(0, 0), (1, 0), (0, 1)]})
    assert [[text.get_text() for text in ax.texts] for ax in figure.axes] == [["a0", "a1", "b0"], ["a0", "b0", "a1"]]
