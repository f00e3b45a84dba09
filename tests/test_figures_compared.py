"""Charts of networks side by side: circles, fronts, times, and names that do not cover each other."""

from __future__ import annotations

import math

import pytest
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure

from course_lib.figures.compared import (
    FAMILIES,
    Mark,
    bubble_chart,
    dominance,
    front_panels,
    measurements_of,
    time_against_work,
)
from course_lib.figures.labels import Circle, place_labels
from course_lib.figures.style import BLACK

MARKS = {"small": Mark(0.3, 70, "a", 5), "middle": Mark(4, 76, "b", 25), "large": Mark(15, 72, "c", 140)}


def test_areas_of_circles_are_proportional_to_sizes_on_both_axes() -> None:
    figure = bubble_chart(MARKS, xlabel="x", ylabel="y", sizes=(5,))

    for ax, scale in zip(figure.axes, ("linear", "log"), strict=True):
        areas = [dots.get_sizes()[0] for dots in ax.collections if len(dots.get_offsets())]
        assert ax.get_xscale() == scale
        assert [area / areas[-1] for area in areas] == pytest.approx([140 / 5, 25 / 5, 1])
    assert sorted(text.get_text() for text in figure.axes[1].texts) == sorted(MARKS)


def test_the_staircase_goes_through_the_front_and_what_is_dominated_lies_in_the_shaded_corner() -> None:
    points = {"A": (1, 60), "B": (2, 70), "C": (3, 65)}
    ax = dominance(points, ["A", "B"], chosen="B").axes[0]

    corner = ax.patches[0]
    (x, y), stairs = points["C"], ax.lines[0]
    assert corner.get_x() == 2
    assert corner.get_x() < x < corner.get_x() + corner.get_width()
    assert corner.get_y() < y < corner.get_y() + corner.get_height()
    assert list(stairs.get_ydata()) == [60, 70, 70]


def test_members_of_a_front_have_a_dark_edge_and_a_small_value_can_be_the_better_one() -> None:
    figure = front_panels(
        {"cost": MARKS, "other": MARKS}, {"cost": ["small"], "other": ["large", "small"]}, ylabel="y", invert=True
    )

    dark = [
        sum(line.get_alpha() == 1.0 and line.get_markeredgecolor() == BLACK for line in ax.lines) for ax in figure.axes
    ]
    assert dark == [1, 2]
    assert figure.axes[0].yaxis_inverted()
    assert [text.get_text() for text in figure.legends[0].texts] == ["a", "b", "c"]


def test_each_network_has_a_line_from_its_lowest_to_its_highest_measurement() -> None:
    figure = measurements_of({"x": {"one": [70.0], "two": [75.0, 73.0]}, "y": {"two": [60.0]}}, xlabel="%")

    ax = figure.axes[0]
    assert [list(line.get_xdata()) for line in ax.lines[:2]] == [[70.0, 75.0], [60.0, 60.0]]
    assert [line.get_label() for line in ax.lines[2:]] == ["one", "two"]
    assert list(ax.lines[3].get_ydata()) == pytest.approx([0.07, 0.07, 1.07])  # half a step below its row


def test_lines_of_equal_speed_are_work_over_time() -> None:
    ax = time_against_work(MARKS, speeds=(10,)).axes[0]

    works, times = ax.lines[0].get_data()
    assert [work / (time / 1000) for work, time in zip(works, times, strict=True)] == pytest.approx([10, 10])
    assert ax.texts[0].get_text() == "10"


def test_families_have_different_looks() -> None:
    ax = time_against_work({str(n): Mark(n + 1, n + 1, str(n)) for n in range(9)}, speeds=()).axes[0]

    looks = {(line.get_marker(), to_rgba(line.get_color())) for line in ax.lines}
    assert len(looks) == 9


def test_names_of_neighbours_are_put_apart_and_only_asked_ones_are_written() -> None:
    figure = Figure(figsize=(5, 4))
    ax = figure.subplots()
    ax.set(xlim=(0, 1), ylim=(0, 1))
    figure.draw_without_rendering()
    circles = {"first": Circle(0.5, 0.5, 4), "second": Circle(0.51, 0.5, 4), "third": Circle(0.9, 0.9, 4)}

    place_labels(ax, circles, ["first", "second"])

    assert [text.get_text() for text in ax.texts] == ["first", "second"]
    one, other = (text.get_window_extent() for text in ax.texts)
    assert not one.overlaps(other)
    assert math.dist(one.get_points()[0], other.get_points()[0]) < 100


def test_no_two_families_share_a_colour_and_a_chart_does_not_change_them() -> None:
    marks = {family: Mark(1.0 + place, 70, family, 5) for place, family in enumerate(FAMILIES)}

    def colours(chart: dict[str, Mark]) -> dict[str, str]:
        (ax,) = front_panels({"cost": chart}, {"cost": list(chart)}, ylabel="y").axes
        return {line.get_label(): line.get_color() for line in ax.lines if line.get_label() in FAMILIES}

    every = colours(marks)
    assert len(set(every.values())) == len(FAMILIES)
    assert colours({"NiN": marks["NiN"], "VGG": marks["VGG"]}) == {name: every[name] for name in ("NiN", "VGG")}
