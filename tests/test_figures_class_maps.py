"""Class maps: each map is drawn on the common scale, the winner is framed, heat lies on the image."""

from __future__ import annotations

import numpy as np
import torch

from course_lib.figures.class_maps import class_map_rows, heat_on_image

MAPS = torch.tensor([[[[1.0, -4.0]], [[2.0, 2.0]]], [[[3.0, 1.0]], [[0.0, 0.0]]]])  # 2 images, 2 classes, 1x2


def test_every_map_is_drawn_beside_its_image_on_one_scale() -> None:
    figure = class_map_rows(torch.ones(2, 3, 6), MAPS, ("a", "b"))

    drawn = [ax.images[0] for ax in figure.axes]
    assert [image.get_array().shape for image in drawn] == [(3, 6), (1, 2), (1, 2)] * 2
    assert [drawn[index].get_array().tolist() for index in (1, 2, 4, 5)] == MAPS.flatten(0, 1).tolist()
    assert {image.get_clim() for image in (drawn[1], drawn[2], drawn[4], drawn[5])} == {(-4.0, 4.0)}
    assert [ax.get_title() for ax in figure.axes[:3]] == ["image", "a", "b"]


def test_the_class_with_the_largest_mean_has_the_heaviest_frame() -> None:
    figure = class_map_rows(torch.ones(2, 3, 6), MAPS, ("a", "b"))

    frames = [ax.spines["top"].get_linewidth() for ax in figure.axes]
    assert frames[2] > frames[1]
    assert frames[4] > frames[5]
    assert [figure.axes[index].get_xlabel() for index in (1, 2, 4, 5)] == ["-1.5", "2.0", "2.0", "0.0"]


def test_heat_is_the_positive_part_stretched_over_the_image() -> None:
    figure = heat_on_image(np.ones((4, 8)), {"a": [[-1.0, 2.0]], "b": [[4.0, 0.0]]})

    heats = [ax.images[1] for ax in figure.axes]
    assert [heat.get_array().tolist() for heat in heats] == [[[0.0, 2.0]], [[4.0, 0.0]]]
    assert {tuple(heat.get_extent()) for heat in heats} == {(-0.5, 7.5, 3.5, -0.5)}
    assert {heat.get_clim() for heat in heats} == {(0.0, 4.0)}
    assert [ax.get_ylabel() for ax in figure.axes] == ["a", "b"]
