"""AlexNet's drawings: what is drawn is what was given."""

from __future__ import annotations

import numpy as np
import pytest

from course_lib.figures.alexnet import (
    Stage,
    activation_panels,
    cost_shares,
    response_curves,
    signal_lines,
    two_columns,
)


def lines_of(figure, index=0):
    return [np.stack(line.get_data()).T.tolist() for line in figure.axes[index].lines]


def test_columns_are_joined_where_a_layer_sees_both() -> None:
    stages = [
        Stage("image", 3, 32, split=False),
        Stage("conv1", 8, 16),
        Stage("conv2", 8, 8),
        Stage("fc", 10, 1, crosses=True),
        Stage("out", 4, 1, split=False, crosses=True),
    ]

    ax = two_columns(stages).axes[0]

    joined = {tuple(map(tuple, np.stack(line.get_data()).T.tolist())) for line in ax.lines}
    assert joined == {
        ((0, 0), (1, 1)), ((0, 0), (1, -1)),
        ((1, 1), (2, 1)), ((1, -1), (2, -1)),
        ((2, 1), (3, 1)), ((2, 1), (3, -1)), ((2, -1), (3, 1)), ((2, -1), (3, -1)),
        ((3, 1), (4, 0)), ((3, -1), (4, 0)),
    }  # fmt: skip
    assert len(ax.patches) == 1 + 2 + 2 + 2 + 1
    labels = [text.get_text() for text in ax.texts]
    assert labels[:5] == ["image\n3\n32×32", "conv1\n4\n16×16", "conv2\n4\n8×8", "fc\n5", "out\n4"]


def test_slopes_of_activation_functions_stand_beside_them() -> None:
    figure = activation_panels({"line": lambda x: 0.5 * x})

    assert figure.axes[0].lines[0].get_ydata()[0] == pytest.approx(-2)
    np.testing.assert_allclose(figure.axes[1].lines[0].get_ydata(), 0.5)


def test_shares_are_drawn_in_per_cent_with_their_numbers() -> None:
    ax = cost_shares({"conv": (0.001, 0.9), "fc": (0.999, 0.1)}).axes[0]

    assert [bar.get_width() for bar in ax.patches] == pytest.approx([0.1, 99.9, 90, 10])
    assert [text.get_text() for text in ax.texts] == ["0.1%", "100%", "90%", "10%"]


def test_response_and_signal_are_drawn_as_given() -> None:
    assert lines_of(response_curves([1, 10], {"alone": [0.5, 4.0]})) == [[[1, 0.5], [10, 4.0]]]
    figure = signal_lines(["image", "conv1"], {"a": [100, 1.0], "b": [1.0, 0.01]}, ylabel="difference")
    assert lines_of(figure) == [[[0, 100], [1, 1.0]], [[0, 1.0], [1, 0.01]]]
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == ["image", "conv1"]
