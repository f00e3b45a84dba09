"""The drawing of the chapter on images of one's own."""

import pytest

from course_lib.figures.chapters.ch22 import errors_by_count

RESULTS = {
    "from nothing": {5: [40.0, 50.0], 20: [20.0, 22.0], 100: [4.0, 6.0]},
    "frozen": {5: [30.0, 34.0], 20: [25.0, 27.0], 100: [20.0, 21.0]},
}


def test_each_run_is_a_dot_and_lines_lead_through_the_means():
    (ax,) = errors_by_count(RESULTS).axes
    dots = [line for line in ax.lines if line.get_linestyle() == "None"]
    means = [line for line in ax.lines if line.get_linestyle() == "-"]
    assert sum(len(line.get_xdata()) for line in dots) == 12
    assert [list(line.get_ydata()) for line in means] == [[45.0, 21.0, 5.0], [32.0, 26.0, 20.5]]
    assert [line.get_label() for line in means] == list(RESULTS)
    for line in means:
        assert list(line.get_xdata()) == pytest.approx([5, 20, 100], rel=0.05)
    assert ax.get_ylim()[0] == 0
