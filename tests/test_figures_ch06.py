"""The drawings of the chapter on learning show the numbers that they were given."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex

from course_lib.figures.chapters.ch06 import (
    Node,
    Valley,
    bent_lines,
    gradient_graph,
    learning_strip,
    loss_curves,
    noise_line,
    valley_panels,
    walk_panels,
)
from course_lib.figures.style import BLUE, VERMILLION


def drawn(figure) -> None:
    """Draw it, so that whatever matplotlib would complain about is complained about."""
    FigureCanvasAgg(figure).draw()


def test_a_strip_shows_kernels_above_their_maps_with_white_at_zero() -> None:
    kernels = {"step 0": torch.eye(3), "wanted": -2 * torch.eye(3, requires_grad=True)}
    figure = learning_strip(kernels, [torch.arange(12.0).reshape(3, 4), torch.zeros(3, 4)])
    drawn(figure)
    above, below = figure.axes[:2], figure.axes[2:]
    assert [ax.get_title() for ax in above] == ["step 0", "wanted"]
    assert [ax.images[0].get_array().tolist() for ax in above] == [np.eye(3).tolist(), (-2 * np.eye(3)).tolist()]
    assert {ax.images[0].get_clim() for ax in above} == {(-2.0, 2.0)}, "kernels share one scale"
    assert below[0].images[0].get_array().shape == (3, 4)
    assert all(sum(ax.images[0].get_clim()) == 0 for ax in figure.axes), "white is zero"


def test_a_walk_is_drawn_on_its_curve_from_a_blue_start_and_left_out_beyond_the_limits() -> None:
    figure = walk_panels(lambda w: (w - 1) ** 2, {"a": [0.0, 0.5, 9.0]}, limits=(-1, 3), top=5)
    drawn(figure)
    curve, walk, start = figure.axes[0].lines
    assert np.allclose(curve.get_ydata(), (np.asarray(curve.get_xdata()) - 1) ** 2)
    assert (list(walk.get_xdata()), list(walk.get_ydata())) == ([0.0, 0.5], [1.0, 0.25])
    assert (list(start.get_xdata()), start.get_color()) == ([0.0], BLUE)


def test_a_valley_marks_its_lowest_place_and_shows_the_whole_path() -> None:
    x, y = torch.linspace(-1, 1, 21), torch.linspace(-2, 2, 41)
    heights = (x[None] - 0.5) ** 2 + (y[:, None] + 1) ** 2
    path = torch.tensor([[0.0, 0.0], [0.25, -0.5], [0.4, -0.9]])
    figure = valley_panels({"one": Valley(x, y, heights, path)}, xlabel="w0", ylabel="w2", levels=[0.1, 1])
    drawn(figure)
    cross, walk, start = figure.axes[0].lines
    assert cross.get_xydata()[0] == pytest.approx([0.5, -1.0], abs=1e-6)
    assert walk.get_xydata() == pytest.approx(path.numpy())
    assert start.get_xydata()[0].tolist() == [0.0, 0.0]


def test_a_graph_shows_each_value_in_blue_and_each_gradient_in_red() -> None:
    nodes = [Node("x", 1, 2, 0, 0), Node("z", -1, 0, 1, 0), Node("y", 0.5, -4, 2, 0)]
    figure = gradient_graph(nodes, {("x", "z"): "3", ("z", "y"): ""})
    drawn(figure)
    texts = figure.axes[0].texts
    by_color = {color: [text.get_text() for text in texts if text.get_color() == color] for color in (BLUE, VERMILLION)}
    assert by_color == {BLUE: ["1", "−1", "0.5"], VERMILLION: ["2", "0", "−4"]}
    assert sum(text.get_text() == "3" for text in texts) == 1
    assert sum(getattr(text, "arrow_patch", None) is not None for text in texts) == 2


def test_loss_curves_are_named_only_where_there_are_several() -> None:
    one = loss_curves({"a": ([1, 2], [4.0, 2.0])}, xlabel="step")
    two = loss_curves({"a": ([1, 2], [4.0, 2.0]), "b": ([1, 2], [3.0, 1.0])}, xlabel="epoch", log=False)
    drawn(one), drawn(two)
    assert (one.legends, one.axes[0].get_yscale(), one.axes[0].get_xlabel()) == ([], "log", "step")
    assert [text.get_text() for text in two.legends[0].get_texts()] == ["a", "b"]
    assert (two.axes[0].get_yscale(), list(two.axes[0].lines[1].get_ydata())) == ("linear", [3.0, 1.0])


def test_the_line_beside_the_noise_halves_when_the_batch_is_four_times_as_large() -> None:
    figure = noise_line([1, 4, 16], [2.0, 1.1, 0.4])
    drawn(figure)
    root, measured = figure.axes[0].lines
    assert list(root.get_ydata()) == [2.0, 1.0, 0.5]
    assert list(measured.get_ydata()) == [2.0, 1.1, 0.4]


def test_the_last_function_lies_behind_the_others() -> None:
    figure = bent_lines({"p": ([0, 1], [0, 1]), "q": ([0, 1], [1, 0]), "sum": ([0, 1], [1, 1])})
    drawn(figure)
    *parts, whole = figure.axes[0].lines
    assert all(part.get_zorder() > whole.get_zorder() for part in parts)
    assert len({to_hex(line.get_color()) for line in figure.axes[0].lines}) == 3
