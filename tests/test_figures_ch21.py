"""Drawings of the chapter on what came after: they show the numbers that they were given."""

import pytest

from course_lib.figures.chapters.ch21 import cost_by_side, time_bars, two_recipes
from course_lib.measuring import Timing


def test_an_arrow_leads_from_the_old_accuracy_to_the_new_one():
    (ax,) = two_recipes({"A": (4.1, 76.1, 80.9), "B": (0.3, 71.9, 72.2)}, ["A"]).axes
    arrows = {(note.xyann, note.xy) for note in ax.texts if note.arrow_patch}
    assert arrows == {((4.1, 76.1), (4.1, 80.9)), ((0.3, 71.9), (0.3, 72.2))}
    assert [note.get_text() for note in ax.texts if note.get_text()] == ["A"]


def test_costs_are_relative_to_the_first_side_beside_its_square():
    (ax,) = cost_by_side([10, 20], {"A": [5, 20], "B": [1, 16]}).axes
    lines = {line.get_label(): list(line.get_ydata()) for line in ax.lines}
    assert lines == {"square of the side": [1, 4], "A": [1, 4], "B": [1, 16]}


def test_a_bar_is_the_median_in_milliseconds():
    (ax,) = time_bars({"A": Timing(0.2, 0.01, 0.19, 5), "B": Timing(0.4, 0.02, 0.3, 5)}).axes
    assert [bar.get_width() for bar in ax.patches] == pytest.approx([200, 400])
    assert [text.get_text() for text in ax.get_yticklabels()] == ["A", "B"]
