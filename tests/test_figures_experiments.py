"""Plots of experiments: every run is on them, and runs that failed are told apart."""

from __future__ import annotations

import math

import numpy as np
import pytest

from course_lib.figures.experiments import curves_with_band, error_intervals, rate_panels, seed_curves, seed_dots
from course_lib.training import Interval


def lines_of(figure, index=0):
    return [np.stack(line.get_data()).T.tolist() for line in figure.axes[index].lines]


def test_every_run_is_a_dot_and_the_bar_is_their_mean() -> None:
    first, first_mean, second, second_mean = lines_of(seed_dots({"a": [1.0, 3.0], "b": [5.0]}, xlabel="error"))

    assert first == [[1, 0], [3, 0]]
    assert [point[0] for point in first_mean] == [2, 2]
    assert second == [[5, 1]]
    assert [point[0] for point in second_mean] == [5, 5]


def test_rate_at_which_a_run_failed_is_a_cross_and_not_on_the_line() -> None:
    rates = {0.1: [20.0, 40.0], 0.2: [10.0, math.inf], 0.05: [60.0, 60.0]}

    figure = rate_panels({"setting": {"ReLU": rates}}, ylabel="steps", limit=100)

    *dots, line, crosses = lines_of(figure)
    assert dots == [[[0.05, 60], [0.05, 60]], [[0.1, 20], [0.1, 40]]]
    assert line == [[0.05, 60], [0.1, 30]]
    assert crosses == [[0.2, 100]]
    assert [text.get_text() for text in figure.legends[0].texts] == ["ReLU"]


@pytest.mark.parametrize("log", [False, True])
def test_band_reaches_from_the_lowest_to_the_highest_run(log: bool) -> None:
    figure = curves_with_band([0, 1], {"low": [[1.0, 2.0], [3.0, 6.0]]}, xlabel="epoch", ylabel="match", log=log)

    assert lines_of(figure) == [[[0, 2], [1, 4]]]
    corners = figure.axes[0].collections[0].get_paths()[0].vertices
    assert {tuple(corner) for corner in corners.tolist()} == {(0, 1), (0, 3), (1, 2), (1, 6)}


def test_values_below_zero_stay_in_view() -> None:
    low, high = seed_dots({"a": [-0.5, 0.2]}, xlabel="correlation").axes[0].get_xlim()

    assert low < -0.5 < 0.2 < high
    assert seed_dots({"a": [1.0]}, xlabel="error").axes[0].get_xlim()[0] == 0


def test_intervals_stand_beside_the_printed_figures():
    results = {"one": Interval(1.2, -0.3, 2.7, 3), "two": Interval(3.0, 2.0, 4.0, 3)}
    figure = error_intervals(results, {"two": 2.5}, xlabel="test error (%)")
    lines = figure.axes[0].get_lines()
    drawn = [(list(line.get_xdata()), list(line.get_ydata())) for line in lines if len(line.get_xdata())]
    assert drawn == [([0.0, 2.7], [0, 0]), ([1.2], [0]), ([2.0, 4.0], [1, 1]), ([3.0], [1]), ([2.5], [1])]
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["one", "two"]


def test_every_seed_has_its_curve():
    figure = seed_curves({"plain": [[3, 2, 1], [4, 3, 2]], "residual": [[2, 1, 0]]}, xlabel="epoch", ylabel="error (%)")
    lines = figure.axes[0].get_lines()
    assert [(list(line.get_xdata()), list(line.get_ydata())) for line in lines] == [
        ([1, 2, 3], [3, 2, 1]), ([1, 2, 3], [4, 3, 2]), ([1, 2, 3], [2, 1, 0]),
    ]  # fmt: skip
    assert len({line.get_color() for line in lines[:2]}) == 1 != len({line.get_color() for line in lines})
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["plain", "residual"]
