"""Drawings of networks: what is drawn is what was given, and every drawing can be made."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from course_lib.figures.networks import architecture, connection_table, feature_maps, filter_grid, picture_rows
from course_lib.models import build
from course_lib.models.lenet_table import LayerRow, layer_table


def drawn(figure: Figure) -> Figure:
    """Draw it, so that whatever matplotlib would complain about is complained about."""
    FigureCanvasAgg(figure).draw()
    return figure


def images(figure: Figure) -> list[np.ndarray]:
    """The pictures of a figure in drawing order, colour bars and their like left out."""
    return [ax.images[0].get_array().data for ax in figure.axes if ax.images]


def test_filters_share_one_scale_round_zero() -> None:
    kernels = torch.linspace(-1, 3, 7 * 9).view(7, 3, 3).requires_grad_()
    figure = drawn(filter_grid(kernels, columns=4))
    assert np.allclose(images(figure), kernels.detach())
    assert {ax.images[0].get_clim() for ax in figure.axes if ax.images} == {(-3.0, 3.0)}
    assert [ax.get_title() for ax in figure.axes if ax.images] == [str(index) for index in range(7)]


def test_filters_that_are_all_zero_can_be_drawn() -> None:
    figure = filter_grid(torch.zeros(2, 5, 5), titles=("a", "b"))
    drawn(figure)
    assert [ax.get_title() for ax in figure.axes[:2]] == ["a", "b"]
    assert all(ax.images[0].get_clim() == (-1, 1) for ax in figure.axes[:2])


def test_maps_of_a_layer_share_a_scale_and_layers_do_not() -> None:
    layers = {"C1": torch.arange(2 * 16.0).view(2, 4, 4), "S2": -torch.ones(3, 2, 2)}
    figure = drawn(feature_maps(layers, columns=2))
    shown = [ax for ax in figure.axes if ax.get_visible()]
    assert [ax.images[0].get_clim() for ax in shown[:2]] == [(0.0, 31.0)] * 2
    assert len(shown) == 2 + 3
    assert [part.get_suptitle() for part in figure.subfigs] == ["C1   (0.0 to 31.0)", "S2   (-1.0 to -1.0)"]


def test_rows_of_pictures_may_differ_in_length() -> None:
    figure = drawn(picture_rows({"code": np.ones((3, 4, 2)), "F6": np.zeros((2, 4, 2))}, titles="012", limit=1.5))
    assert len(images(figure)) == 5
    assert {ax.images[0].get_clim() for ax in figure.axes} == {(-1.5, 1.5)}
    assert [ax.get_ylabel() for ax in figure.axes if ax.get_ylabel()] == ["code", "F6"]


def test_table_has_a_square_for_each_kernel_and_a_dot_for_each_other_pair() -> None:
    figure = drawn(connection_table([(0, 1), (1,), (0, 2)], 3, xlabel="out", ylabel="in"))
    (ax,) = figure.axes
    squares = {(round(patch.get_x() + 0.42), round(patch.get_y() + 0.42)) for patch in ax.patches}
    assert squares == {(0, 0), (0, 1), (1, 1), (2, 0), (2, 2)}
    (dots,) = ax.lines
    assert {(int(x), int(y)) for x, y in zip(*dots.get_data(), strict=True)} == {(0, 2), (1, 0), (1, 2), (2, 1)}


@pytest.mark.parametrize("name", ["lenet5_1998", "lenet5"])
def test_architecture_says_shape_and_parameters_of_every_layer(name: str) -> None:
    rows = layer_table(build(name))
    (ax,) = drawn(architecture(rows, (1, 32, 32))).axes
    texts = [text.get_text() for text in ax.texts]
    assert texts[:2] == ["input", "1@32×32"]
    for row in rows:
        shape = f"{row.maps}@{row.height}×{row.width}" if row.height > 1 else str(row.maps)
        assert f"{shape}\n{row.parameters:,}" in texts


def test_architecture_draws_one_square_for_each_map_to_scale() -> None:
    row = LayerRow("c1", "convolution", 3, 8, 8, 10, 100)
    (ax,) = drawn(architecture([row], (2, 10, 10))).axes
    sides = [(patch.get_width(), patch.get_height()) for patch in ax.patches if isinstance(patch, Rectangle)]
    assert sides == [(10, 10)] * 2 + [(8, 8)] * 3
