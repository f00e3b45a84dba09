"""Runs of several depths in panels, and quantities followed through the blocks."""

from __future__ import annotations

import pytest

from course_lib.figures.resnet import Profile, depth_profiles, training_panels

RUNS = {"plain": {"20 layers": [[2.0, 1.0], [1.0, 0.0]], "56 layers": [[2.0, 2.0]]}, "residual": {"20": [[1.0, 0.5]]}}


def test_each_run_is_a_thin_line_and_their_mean_a_bold_one() -> None:
    plain = training_panels(RUNS, ylabel="loss").axes[0]

    lines = [(line.get_linewidth(), line.get_ydata().tolist()) for line in plain.lines]

    assert lines == [(1, [2.0, 1.0]), (1, [1.0, 0.0]), (3, [1.5, 0.5]), (1, [2.0, 2.0]), (3, [2.0, 2.0])]
    assert plain.lines[0].get_xdata().tolist() == [1, 2]


def test_families_stand_side_by_side_on_one_scale() -> None:
    figure = training_panels(RUNS, ylabel="loss")

    assert [ax.get_title() for ax in figure.axes] == ["plain", "residual"]
    assert figure.axes[0].get_ylim() == figure.axes[1].get_ylim()
    assert [text.get_text() for text in figure.axes[0].get_legend().texts] == ["20 layers", "56 layers"]


def test_guessing_is_a_line_across_each_panel() -> None:
    figure = training_panels(RUNS, ylabel="error (%)", guess=90)

    assert [list(ax.lines[0].get_ydata()) for ax in figure.axes] == [[90, 90], [90, 90]]


@pytest.fixture
def profiles():
    cases = {"plain": [1.0, 0.1, 0.01], "residual": [1.0, 2.0, 3.0]}
    return [Profile("signal", cases), Profile("share", {"plain": [0.9, 0.5, 0.1]}, log=False, guess=0.1)]


def test_a_profile_has_a_line_per_network_from_the_first_block_on(profiles) -> None:
    signal = depth_profiles(profiles).axes[0]

    assert signal.get_yscale() == "log"
    assert [line.get_ydata().tolist() for line in signal.lines] == [[1.0, 0.1, 0.01], [1.0, 2.0, 3.0]]
    assert signal.lines[0].get_xdata().tolist() == [1, 2, 3]


def test_a_share_has_a_plain_axis_and_a_line_of_guessing(profiles) -> None:
    share = depth_profiles(profiles).axes[1]

    assert share.get_yscale() == "linear"
    assert list(share.lines[0].get_ydata()) == [0.1, 0.1]


def test_a_line_stands_in_front_of_each_new_stage(profiles) -> None:
    figure = depth_profiles(profiles, borders=[3])

    assert all(list(ax.lines[-1].get_xdata()) == [2.5, 2.5] for ax in figure.axes)


def test_the_networks_are_named_once_below(profiles) -> None:
    figure = depth_profiles(profiles)

    assert [text.get_text() for text in figure.legends[0].texts] == ["plain", "residual"]
