"""GoogLeNet's drawings: what is drawn is what was given."""

from __future__ import annotations

import pytest

from course_lib.figures.inception import gradient_panels, printed_deviations

LAYERS = ["stem", "3a", "4a"]
PANELS = {
    "small weights": {"without": [[1e-4, 1e-3, 1e-1], [1e-2, 1e-3, 1e-1]], "with": [[1e-1, 1e-1, 1e-1]]},
    "large weights": {"without": [[1.0, 1.0, 1.0]], "with": [[2.0, 2.0, 1.0]]},
}


@pytest.fixture
def figure():
    return gradient_panels(LAYERS, PANELS, heads=["4a"])


def test_each_situation_has_a_panel_on_one_logarithmic_scale(figure) -> None:
    assert [ax.get_title() for ax in figure.axes] == list(PANELS)
    assert {ax.get_yscale() for ax in figure.axes} == {"log"}
    assert figure.axes[0].get_ylim() == figure.axes[1].get_ylim()
    assert [text.get_text() for text in figure.legends[0].texts] == ["without", "with"]


def test_lines_go_through_the_geometric_means_of_the_runs(figure) -> None:
    head, without, with_heads = figure.axes[0].lines
    assert without.get_ydata() == pytest.approx([1e-3, 1e-3, 1e-1])
    assert list(with_heads.get_ydata()) == [0.1, 0.1, 0.1]
    assert list(head.get_xdata()) == [2, 2]


def test_layers_label_the_axis(figure) -> None:
    assert [text.get_text() for text in figure.axes[1].get_xticklabels()] == LAYERS


def test_deviations_stand_in_the_order_of_the_rows() -> None:
    ax = printed_deviations({"4b": (-0.2, 0.1), "5a": (5.3, 5.7)}).axes[0]

    zero, params, operations = ax.lines
    assert list(zero.get_xdata()) == [0, 0]
    assert list(params.get_xdata()) == [-0.2, 5.3]
    assert list(operations.get_xdata()) == [0.1, 5.7]
    assert [text.get_text() for text in ax.get_yticklabels()] == ["4b", "5a"]
    assert ax.yaxis_inverted()
