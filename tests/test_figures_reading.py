"""Drawings about testing: arrows lead where they should, and each failed test has its square."""

from __future__ import annotations

import pytest
from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle

from course_lib.figures.reading import caught_matrix, method_steps
from course_lib.figures.style import VERMILLION

STEPS = {"Claim": "what it says", "Prediction": "a number", "Test": "run it"}
CAUGHT = {"right": {"count": False, "shape": False}, "wrong": {"count": True, "shape": False}}


def filled_squares(figure) -> list[tuple[int, int]]:
    """(row, column) of each red square."""
    squares = [patch for patch in figure.axes[0].patches if isinstance(patch, Rectangle)]
    red = [square for square in squares if to_hex(square.get_facecolor()).upper() == VERMILLION]
    return [(round(square.get_y() + 0.4), round(square.get_x() + 0.4)) for square in red]


def test_every_step_has_its_heading_and_text_in_order() -> None:
    ax = method_steps(STEPS, back={"again": 1}).axes[0]

    texts = [text.get_text() for text in ax.texts if text.get_text()]

    assert texts == ["Claim", "what it says", "Prediction", "a number", "Test", "run it", "again"]


def test_arrows_back_lead_from_the_last_box_to_the_named_ones() -> None:
    ax = method_steps(STEPS, back={"agrees": 0, "differs": 1}).axes[0]

    assert [list(line.get_ydata()) for line in ax.lines] == [[2, 2, 0], [2, 2, 1]]


@pytest.mark.parametrize("back", [{"on": 2}, {"a": 0, "b": 1, "c": 0}])
def test_arrow_back_to_no_earlier_box_is_refused(back: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="back must name at most two boxes before the last one, 0 to 1, got"):
        method_steps(STEPS, back=back)


def test_only_failed_tests_are_filled() -> None:
    figure = caught_matrix(CAUGHT, {"right": (0, 4), "wrong": (3, 4)}, extra="runs", rule_above=1)

    assert filled_squares(figure) == [(1, 0)]
    assert [text.get_text() for text in figure.axes[0].texts] == ["0 of 4", "3 of 4"]
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == ["count", "shape", "runs"]
    assert list(figure.axes[0].lines[0].get_ydata()) == [0.5, 0.5]


def test_cases_must_share_their_tests() -> None:
    with pytest.raises(ValueError, match=r"every case must have the tests \['count', 'shape'\], got \['count'\]"):
        caught_matrix({**CAUGHT, "odd": {"count": True}}, dict.fromkeys([*CAUGHT, "odd"], (0, 1)), extra="runs")


def test_every_case_needs_its_count_of_runs() -> None:
    with pytest.raises(ValueError, match="revealed must hold every case, got none for 'wrong'"):
        caught_matrix(CAUGHT, {"right": (0, 4)}, extra="runs")
