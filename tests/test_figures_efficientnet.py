"""The drawings of scaled networks show what they were given."""

from __future__ import annotations

import pytest

from course_lib.figures.efficientnet import accuracy_against_cost, scaled_stacks


def test_a_box_is_as_wide_as_its_channels_and_as_high_as_its_maps() -> None:
    figure = scaled_stacks({"base": [(8, 4), (16, 2)], "wide": [(16, 4), (32, 2)]})

    boxes = figure.axes[0].patches
    assert [box.get_height() for box in boxes] == [4, 2, 4, 2]
    widest = boxes[3].get_width()
    assert [box.get_width() / widest for box in boxes] == pytest.approx([0.25, 0.5, 0.5, 1.0])


def test_boxes_of_a_network_stand_on_top_of_each_other() -> None:
    lower, upper = scaled_stacks({"base": [(8, 4), (8, 4)]}).axes[0].patches

    assert upper.get_y() > lower.get_y() + lower.get_height()
    assert upper.get_x() == lower.get_x()


def test_family_is_a_line_and_every_network_has_its_name() -> None:
    figure = accuracy_against_cost(
        {"B0": (0.4, 77.0), "B1": (0.7, 79.0)}, {"other": (4.0, 76.0)}, xlabel="cost", ylabel="accuracy"
    )

    line, marks = figure.axes[0].lines
    assert list(line.get_xdata()) == [0.4, 0.7]
    assert list(marks.get_ydata()) == [76.0]
    assert marks.get_linestyle() == "None"
    assert {text.get_text() for text in figure.axes[0].texts} == {"B0", "B1", "other"}
