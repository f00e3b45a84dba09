"""Drawings for the arithmetic of convolution: what is drawn is what was given, and twice drawn is the same bytes."""

from __future__ import annotations

import io

import matplotlib as mpl
import numpy as np
import pytest
import torch
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from course_lib.figures import arithmetic as drawings
from course_lib.figures.arithmetic import Window
from course_lib.figures.style import BLUE, ORANGE, STYLE, VERMILLION

GRID = torch.arange(25.0).reshape(5, 5)
SIGNED = GRID - 12

DRAWINGS = {
    "number_panels": lambda: drawings.number_panels({"in": GRID, "out": SIGNED[:3, :3]}, {"in": [Window(0, 1, 3, 3)]}),
    "image_panels": lambda: drawings.image_panels({"a": GRID, "b": SIGNED, "c": GRID}, cmap="gray"),
    "tape": lambda: drawings.tape(12, 3, 4, 1),
    "padding_panels": lambda: drawings.padding_panels(GRID, {"none": 0, "one": 1}, 3),
    "tap_panels": lambda: drawings.tap_panels(3, (1, 2)),
    "coverage_panels": lambda: drawings.coverage_panels(GRID, {"first": GRID, "second": GRID}),
    "size_steps": lambda: drawings.size_steps(range(3, 9), {"stride 1": range(1, 7), "stride 2": [1, 1, 2, 2, 3, 3]}),
    "wiring_panels": lambda: drawings.wiring_panels(6, 6, (1, 2)),
    "matrix_panels": lambda: drawings.matrix_panels(GRID[:2], ("C", "its transpose"), ("input", "output")),
}


@pytest.fixture(autouse=True)
def house_style():
    with mpl.rc_context(STYLE):
        yield


def svg(figure: Figure) -> bytes:
    file = io.BytesIO()
    figure.savefig(file, format="svg", metadata={"Date": None})
    return file.getvalue()


def texts(ax) -> list[str]:
    return [text.get_text() for text in ax.texts]


def rectangles(ax, color: str) -> list[tuple[float, float, float, float]]:
    """Left, top, width and height of the rectangles with this edge colour."""
    found = [patch for patch in ax.patches if to_hex(patch.get_edgecolor()) == color.lower()]
    return [(*patch.get_xy(), patch.get_width(), patch.get_height()) for patch in found]


def cell_sides(figure: Figure) -> set[float]:
    """Widths and heights in inches of the cells of every panel."""
    sides = set()
    for ax in figure.axes:
        box = ax.get_position()
        rows, columns = abs(np.diff(ax.get_ylim()).item()), np.diff(ax.get_xlim()).item()
        sides |= {
            round(box.width * figure.get_figwidth() / columns, 6),
            round(box.height * figure.get_figheight() / rows, 6),
        }
    return sides


def test_every_drawing_of_the_module_is_in_the_table() -> None:
    public = {name for name, value in vars(drawings).items() if callable(value) and not name.startswith("_")}
    imported = {"Any", "Axes", "Figure", "Mapping", "NamedTuple", "Rectangle", "Sequence", "Window"}
    assert public - imported == set(DRAWINGS)


@pytest.mark.parametrize("draw", DRAWINGS.values(), ids=DRAWINGS)
def test_a_drawing_is_a_figure_with_the_same_bytes_twice(draw) -> None:
    figure = draw()
    assert type(figure) is Figure
    assert svg(figure) == svg(draw())


@pytest.mark.parametrize("draw", DRAWINGS.values(), ids=DRAWINGS)
def test_a_drawing_has_labelled_axes(draw) -> None:
    axes = draw().axes
    assert axes[0].get_ylabel()
    assert axes[-1].get_xlabel()


def test_numbers_are_those_given_in_cells_of_one_size() -> None:
    figure = drawings.number_panels({"in": GRID, "out": torch.tensor([[-1.0, 0.5]])}, {"in": [Window(1, 2, 3, 2)]})
    first, second = figure.axes
    assert texts(first) == [str(number) for number in range(25)]
    assert texts(second) == ["−1", "0.5"]
    assert rectangles(first, VERMILLION) == [(1.5, 0.5, 2, 3)]
    assert rectangles(second, VERMILLION) == []
    assert len(cell_sides(figure)) == 1


def test_zeros_of_a_matrix_stay_blank_and_its_transpose_stands_beside_it() -> None:
    figure = drawings.matrix_panels(np.array([[1, 2, 0], [0, 1, 2]]), ("C", "transposed"), ("input", "output"))
    forward, backward = figure.axes
    assert texts(forward) == ["1", "2", "1", "2"]
    assert texts(backward) == ["1", "2", "1", "2"]
    assert (forward.get_xlabel(), forward.get_ylabel()) == ("input", "output")
    assert (backward.get_xlabel(), backward.get_ylabel()) == ("output", "input")
    assert backward.images[0].get_array().tolist() == [[1, 0], [2, 1], [0, 2]]
    assert len(cell_sides(figure)) == 1


@pytest.mark.parametrize(
    ("arguments", "outputs", "unread"),
    [
        ((5, 3), [[0, 1, 2], [1, 2, 3], [2, 3, 4]], []),
        ((12, 3, 4), [[0, 1, 2], [4, 5, 6], [8, 9, 10]], [3, 7, 11]),
        ((8, 3, 2, 1), [[-1, 0, 1], [1, 2, 3], [3, 4, 5], [5, 6, 7]], []),
        ((6, 2, 1, 0, 3), [[0, 3], [1, 4], [2, 5]], []),
        ((6, 2, 2, 0, 3), [[0, 3], [2, 5]], [1, 4]),
    ],
)
def test_a_tape_shows_what_each_output_reads_and_what_none_does(arguments, outputs, unread) -> None:
    ax = drawings.tape(*arguments).axes[0]
    taps = [line.get_xdata() for line in ax.lines if line.get_marker() == "s"]
    assert [list(places) for places in taps] == outputs
    orange = [patch.get_x() + 0.5 for patch in ax.patches if to_hex(patch.get_facecolor()) == ORANGE.lower()]
    assert orange == unread
    assert texts(ax).count("×") == len(unread)


def test_padding_frames_the_image_and_the_last_window_ends_with_it() -> None:
    figure = drawings.padding_panels(torch.ones(8, 8), {"valid": 0, "full": 2}, kernel_size=3)
    valid, full = figure.axes
    assert rectangles(valid, VERMILLION) == [(-0.5, -0.5, 3, 3)]
    assert rectangles(valid, BLUE) == [(4.5, 4.5, 3, 3)]
    assert rectangles(full, VERMILLION) == [(-2.5, -2.5, 3, 3)]
    assert rectangles(full, BLUE) == [(6.5, 6.5, 3, 3)]
    assert len(cell_sides(figure)) == 1


def test_taps_lie_the_dilation_apart() -> None:
    _, spread = drawings.tap_panels(3, (1, 2)).axes
    blue = [patch for patch in spread.patches if patch.get_fill()]
    assert {patch.get_x() + 0.5 for patch in blue} == {0, 2, 4}
    assert len(blue) == 9
    assert spread.get_title() == "dilation 2: 5 wide"


def test_pixels_that_are_read_by_none_are_painted() -> None:
    counts = torch.ones(4, 4)
    counts[3] = 0
    paint = drawings.coverage_panels(torch.ones(4, 4), {"last row": counts}).axes[0].images[1].get_array()
    assert (paint[..., 3] > 0).tolist() == [[False] * 4] * 3 + [[True] * 4]


def test_only_channels_of_one_group_are_wired() -> None:
    wired = drawings.wiring_panels(4, 2, (1, 2)).axes[1].images[0].get_array()
    assert wired.tolist() == [[1, 1, 0, 0], [0, 0, 1, 1]]


def test_maps_with_both_signs_have_white_in_the_middle_of_their_scale() -> None:
    plain, signed = drawings.image_panels({"plain": GRID, "signed": SIGNED}).axes
    assert plain.images[0].get_clim() == (0, 24)
    low, high = signed.images[0].get_clim()
    assert low == -high
    assert 11 < high <= 12


def test_one_scale_for_all_is_the_widest() -> None:
    axes = drawings.image_panels({"dim": GRID, "bright": 10 * GRID}, same_scale=True).axes
    assert {ax.images[0].get_clim() for ax in axes} == {(0, 240)}


def test_panels_that_are_not_needed_are_left_out() -> None:
    assert len(drawings.image_panels({"a": GRID, "b": GRID, "c": GRID}, columns=2).axes) == 3
