"""Runs of several depths: each one is drawn, at its depth and beside the other cases."""

from __future__ import annotations

import pytest

from course_lib.figures.vgg import runs_by_depth


@pytest.fixture
def figure():
    cases = {"plain": [[0.9, 0.1], [0.8, 0.2]], "with norm": [[0.95, 0.9], [0.97, 0.85]]}
    return runs_by_depth([4, 16], cases, xlabel="layers", ylabel="accuracy", chance=0.1)


def test_every_run_has_a_mark_near_its_depth(figure) -> None:
    _, plain, norm = figure.axes[0].lines
    assert plain.get_ydata().tolist() == [0.9, 0.1, 0.8, 0.2]
    assert norm.get_ydata().tolist() == [0.95, 0.9, 0.97, 0.85]
    assert [round(place) for place in plain.get_xdata()] == [0, 1, 0, 1]
    assert all(left < right for left, right in zip(plain.get_xdata(), norm.get_xdata(), strict=True))


def test_depths_label_the_axis_and_cases_the_legend(figure) -> None:
    assert [text.get_text() for text in figure.axes[0].get_xticklabels()] == ["4", "16"]
    assert [text.get_text() for text in figure.legends[0].texts] == ["plain", "with norm"]


def test_guessing_is_a_line_across(figure) -> None:
    assert list(figure.axes[0].lines[0].get_ydata()) == [0.1, 0.1]


def test_a_single_case_stands_in_the_middle() -> None:
    figure = runs_by_depth([4], {"only": [[0.5]]}, xlabel="layers", ylabel="accuracy", chance=0.1)
    assert abs(figure.axes[0].lines[1].get_xdata()[0]) < 0.5
