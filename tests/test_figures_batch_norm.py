"""The drawings of batch normalisation show what they were given."""

from __future__ import annotations

import pytest
from matplotlib.colors import to_hex

from course_lib.figures.batch_norm import percentile_panels, shared_statistics


def test_the_pixels_of_one_channel_are_filled_in_every_image() -> None:
    figure = shared_statistics(2, 3, channel=1)

    filled = [patch for patch in figure.axes[0].patches if to_hex(patch.get_facecolor()) == "#0072b2"]
    assert len(figure.axes[0].patches) == 2 * 3 * 9
    assert len(filled) == 2 * 9
    assert {patch.get_x() // 4 for patch in filled} == {1}


@pytest.fixture
def panels():
    cases = {"plain": [[-1.0, 0.0, 1.0], [-2.0, 0.5, 3.0]], "norm": [[-1.0, 0.0, 1.0], [-1.1, 0.0, 1.1]]}
    return percentile_panels([10, 20], cases, ylabel="input", labels=["15th", "50th", "85th"])


def test_a_panel_per_case_and_a_line_per_percentile(panels) -> None:
    plain, norm = panels.axes
    assert [ax.get_title() for ax in (plain, norm)] == ["plain", "norm"]
    assert [list(line.get_ydata()) for line in plain.lines] == [[-1.0, -2.0], [0.0, 0.5], [1.0, 3.0]]
    assert list(norm.lines[0].get_xdata()) == [10, 20]


def test_legend_reads_from_the_top_line_down(panels) -> None:
    assert [text.get_text() for text in panels.legends[0].texts] == ["85th", "50th", "15th"]
