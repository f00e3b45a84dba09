"""Drawings of pooling and of receptive fields: what is drawn is what the arithmetic or torch says, byte for byte."""

from __future__ import annotations

import io

import matplotlib as mpl
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from course_lib.arithmetic import Layer
from course_lib.figures.pooling import PoolCase, ceil_tapes, shift_lines
from course_lib.figures.receptive_field import Influence, field_cone, field_growth, fields_on_image, influence_panels
from course_lib.figures.style import BLUE, ORANGE, STYLE, VERMILLION

STACK = {"conv": Layer(3), "pool": Layer(2, 2), "conv again": Layer(3)}
DRAWINGS = {
    "cone": lambda: field_cone(STACK, 12),
    "fields": lambda: fields_on_image(np.zeros((9, 9, 3)), {"small": (3, 5), "large": (0, 8)}),
    "influence": lambda: influence_panels({"a": Influence(np.eye(5), 5, 2.5), "b": Influence(np.ones((9, 9)), 9, 4)}),
    "growth": lambda: field_growth([5, 10], [11, 21], [7.3, 10.3], {"linear": [7.4, 10.1]}),
    "tapes": lambda: ceil_tapes({"hangs over": PoolCase(6, 3, 2), "refused": PoolCase(5, 2, 2, 1)}),
    "shift": lambda: shift_lines([1, 2, 4], {"max": [0.5, 0.4, 0.1]}),
}


def svg_of(figure: Figure) -> str:
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue()


@pytest.fixture(autouse=True)
def style():
    with mpl.rc_context(STYLE):
        yield


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_drawing_is_a_figure_with_labelled_axes_and_the_same_bytes_each_time(name) -> None:
    figure = DRAWINGS[name]()
    assert isinstance(figure, Figure)
    assert any(ax.get_xlabel() for ax in figure.axes)
    assert any(ax.get_ylabel() for ax in figure.axes)
    assert svg_of(figure) == svg_of(DRAWINGS[name]())


@pytest.mark.parametrize(
    ("layers", "input_size", "outputs"),
    [
        (STACK, 12, (0, 1)),
        ({"conv": Layer(5, 2), "dilated": Layer(3, 1, 0, 2)}, 21, (1, 2)),
    ],
)
def test_the_cone_ends_at_the_pixels_whose_gradient_is_not_zero(layers, input_size, outputs) -> None:
    ax = field_cone(layers, input_size, outputs).axes[0]
    for output, color in zip(outputs, (VERMILLION, BLUE), strict=True):
        x = torch.zeros(1, 1, input_size, dtype=torch.float64, requires_grad=True)
        y = x
        for kernel_size, stride, padding, dilation in layers.values():
            y = F.conv1d(y, torch.ones(1, 1, kernel_size, dtype=torch.float64), None, stride, padding, dilation)
        seen = torch.autograd.grad(y[0, 0, output], x)[0].flatten().nonzero().flatten().tolist()
        filled = [line for line in ax.lines if line.get_marker() == "o" and to_hex(line.get_color()) == color.lower()]
        (bottom,) = [line for line in filled if set(line.get_ydata()) == {0}]
        assert list(bottom.get_xdata()) == seen


def test_the_jump_and_the_sizes_are_written_beside_the_cone() -> None:
    texts = [text.get_text() for text in field_cone(STACK, 12).axes[0].texts]
    assert [text for text in texts if text] == ["8 pixels", "8 pixels", "jump 2"]


def test_a_field_is_outlined_from_its_first_pixel_to_its_last() -> None:
    figure = fields_on_image(np.zeros((9, 9)), {"small": (3, 5), "large": (0, 8)})
    small, large = figure.axes[0].patches
    assert (small.get_xy(), small.get_width(), small.get_height()) == ((2.5, 2.5), 3, 3)
    assert (large.get_xy(), large.get_width(), large.get_height()) == ((-0.5, -0.5), 9, 9)


def test_influence_is_a_share_of_its_largest_and_both_fields_are_centred() -> None:
    figure = influence_panels({"one": Influence(torch.full((5, 5), 3.0), 5, 2.5)}, columns=1)
    ax = figure.axes[0]
    assert ax.images[0].get_array().max() == 1.0
    assert [(patch.get_xy(), patch.get_width()) for patch in ax.patches] == [((-2.5, -2.5), 5), ((-1.25, -1.25), 2.5)]


def test_a_shared_scale_gives_each_panel_the_limits_of_the_largest() -> None:
    panels = {"small": Influence(np.ones((5, 5)), 5, 2), "large": Influence(np.ones((9, 9)), 9, 4)}
    shared = influence_panels(panels, shared_scale=True).axes
    own = influence_panels(panels).axes
    assert shared[0].get_xlim() == shared[1].get_xlim()
    assert own[0].get_xlim() != own[1].get_xlim()


@pytest.mark.parametrize(
    "case", [PoolCase(6, 3, 2), PoolCase(6, 2, 3), PoolCase(5, 2, 2, 1), PoolCase(7, 3, 2), PoolCase(4, 3, 3, 1)]
)
def test_the_filled_windows_are_those_that_torch_keeps(case) -> None:
    tape = torch.zeros(1, 1, case.input_size)
    fitting, kept = (F.max_pool1d(tape, *case[1:], ceil_mode=mode).shape[-1] for mode in (False, True))
    colors = [
        to_hex(patch.get_edgecolor())
        for patch in ceil_tapes({"case": case}).axes[0].patches
        if isinstance(patch, Rectangle) and patch.get_y() > -0.5
    ]
    assert colors.count(BLUE.lower()) == fitting
    assert colors.count(ORANGE.lower()) == kept - fitting
    rounded_up = -(-(case.input_size + 2 * case.padding - case.kernel_size) // case.stride) + 1
    assert colors.count(VERMILLION.lower()) == rounded_up - kept
