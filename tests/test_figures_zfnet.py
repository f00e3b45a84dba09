"""ZFNet's drawings and the pictures of what a layer sees: what is drawn is what was given."""

from __future__ import annotations

import numpy as np
import pytest

from course_lib.figures.looking import Occlusion, Strongest, occlusion_panels, signed_rows, strongest_panels
from course_lib.figures.zfnet import Errors, error_gaps, map_sizes, sampled_waves, up_and_down


def texts(ax):
    return [text.get_text() for text in ax.texts]


def test_maps_are_to_scale_and_say_their_side() -> None:
    ax = map_sizes({"A": {"conv1": 40, "pool1": 10}, "B": {"conv1": 20}}).axes[0]

    widths = [patch.get_width() for patch in ax.patches]
    assert [width / widths[0] for width in widths] == pytest.approx([1, 0.25, 0.5])
    assert texts(ax) == ["A", "conv1\n40", "pool1\n10", "B", "conv1\n20"]


def test_each_step_up_stands_beside_the_step_that_undoes_it() -> None:
    ax = up_and_down([("image", "pixels"), ("pooling", "unpooling")], {1: "switches"}).axes[0]

    assert texts(ax) == ["image", "pixels", "pooling", "unpooling", "switches"]
    places = {text.get_text(): text.get_position() for text in ax.texts}
    assert places["pooling"][1] == places["unpooling"][1] > places["image"][1]
    assert len(ax.patches) == 4 + 2 + 1  # boxes, arrows along both columns, the arrow of the note


def test_only_every_so_many_pixels_of_a_wave_are_kept() -> None:
    figure = sampled_waves(5, strides=(2, 4), length=20)

    for ax, stride in zip(figure.axes, (2, 4), strict=True):
        kept, values = ax.lines[1].get_data()
        assert kept.tolist() == list(range(0, 21, stride))
        np.testing.assert_allclose(values, np.cos(2 * np.pi * kept / 5), atol=1e-12)
    slow = np.cos(2 * np.pi * figure.axes[1].lines[1].get_xdata() / 20)  # 1 / (1/4 - 1/5) pixels
    np.testing.assert_allclose(figure.axes[1].lines[1].get_ydata(), slow, atol=1e-12)


def test_errors_are_joined_from_training_to_validation() -> None:
    first, second, training, validation = error_gaps({"a": Errors(30, 40), "b": Errors(10, 38)}).axes[0].lines

    assert [list(first.get_xdata()), list(second.get_xdata())] == [[30, 40], [10, 38]]
    assert (list(training.get_xdata()), list(validation.get_xdata())) == ([30, 10], [40, 38])


def test_pieces_are_scaled_one_by_one_and_stand_beside_their_projections() -> None:
    pieces = np.stack([np.array([[0.0, 2.0]]), np.array([[5.0, 10.0]])])
    projections = np.stack([np.array([[-4.0, 2.0]]), np.array([[0.0, 0.0]])])

    axes = strongest_panels({"channel 3": Strongest(pieces, projections)}, columns=2).axes

    left, right = (np.asarray(ax.images[0].get_array().filled(np.nan)) for ax in axes[:2])
    np.testing.assert_array_equal(left, [[0, 1, np.nan, 0, 1]])
    np.testing.assert_array_equal(right, [[-1, 0.5, np.nan, 0, 0]])
    assert axes[0].get_title(loc="left") == "channel 3"
    assert [ax.get_visible() for ax in axes] == [True, True, False, False]


def test_rows_of_signed_pictures_have_a_column_per_title() -> None:
    figure = signed_rows({"relu1": np.ones((3, 2, 2)), "relu2": -2 * np.ones((3, 2, 2))}, titles=["0", "1", "2"])

    assert [ax.get_title() for ax in figure.axes[:3]] == ["0", "1", "2"]
    assert [float(ax.images[0].get_array().mean()) for ax in figure.axes] == [1, 1, 1, -1, -1, -1]


def test_occlusion_names_each_class_once_inside_its_own_cells() -> None:
    labels = np.array([[3, 3, 8], [3, 3, 8], [3, 3, 3]])
    case = Occlusion(np.zeros((6, 6)), np.full((3, 3), 0.5), labels, (2, 1, 3))

    image, probability, named, _bar = occlusion_panels({"a 3": case}).axes

    assert (image.patches[0].get_xy(), image.patches[0].get_width()) == ((0.5, 1.5), 3)
    assert float(probability.images[0].get_array().mean()) == 0.5
    found = {text.get_text(): text.get_position() for text in named.texts}
    assert set(found) == {"3", "8"}
    for label, (column, row) in found.items():
        assert labels[int(row), int(column)] == int(label)
