"""Training curves, confusion matrices and reliability diagrams: what is drawn is what was measured."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex

from course_lib.figures.style import BLACK, PALETTE
from course_lib.figures.training import plot_confusion, plot_history, plot_reliability
from course_lib.training import Calibration, History


def history(*test_loss: float) -> History:
    values = tuple(test_loss)
    less = tuple(value / 2 for value in values)
    return History(less, tuple(1 - value / 4 for value in values), values, tuple(1 - value / 2 for value in values))


def drawn(figure) -> None:
    """Draw it, so that whatever matplotlib would complain about is complained about."""
    FigureCanvasAgg(figure).draw()


def test_one_run_is_four_curves_over_the_epochs() -> None:
    run = history(1.0, 0.5, 0.25)
    figure = plot_history(run)
    drawn(figure)
    loss, accuracy = figure.axes
    assert [line.get_label() for line in loss.lines] == ["train", "test"]
    assert [line.get_linestyle() for line in loss.lines] == ["--", "-"]
    assert [list(line.get_ydata()) for line in loss.lines] == [list(run.train_loss), list(run.test_loss)]
    assert [list(line.get_ydata()) for line in accuracy.lines] == [list(run.train_accuracy), list(run.test_accuracy)]
    assert all(list(line.get_xdata()) == [1, 2, 3] for line in (*loss.lines, *accuracy.lines))
    assert (loss.get_ylabel(), accuracy.get_ylabel(), accuracy.get_xlabel()) == ("loss (nats)", "accuracy", "epoch")
    assert accuracy.yaxis.get_major_formatter()(0.25, 0).endswith("%")


def test_several_runs_have_a_colour_and_a_name_each() -> None:
    figure = plot_history({"plain": history(1.0, 0.9), "residual": history(0.8, 0.2)})
    drawn(figure)
    loss = figure.axes[0]
    assert [text.get_text() for text in loss.get_legend().get_texts()] == [
        "plain train", "plain test", "residual train", "residual test",
    ]  # fmt: skip
    assert [to_hex(line.get_color()).upper() for line in loss.lines] == [PALETTE[0]] * 2 + [PALETTE[1]] * 2


def test_a_run_of_one_epoch_can_be_seen() -> None:
    figure = plot_history(history(0.5))
    drawn(figure)
    assert {line.get_marker() for axes in figure.axes for line in axes.lines} == {"o"}


@pytest.mark.parametrize("nothing", [{}, History(), {"one": history(0.5), "none": History()}])
def test_a_run_without_an_epoch_is_refused(nothing) -> None:
    with pytest.raises(ValueError, match="history must hold at least one run with at least one epoch, got none"):
        plot_history(nothing)


@pytest.mark.parametrize("kind", [torch.tensor, np.array, list])
def test_a_confusion_matrix_shows_each_count_once(kind) -> None:
    counts = [[8, 2, 0], [0, 5, 5], [0, 0, 0]]  # the third class has no image
    figure = plot_confusion(kind(counts), ("a", "b", "c"))
    drawn(figure)
    axes = figure.axes[0]
    texts = {text.get_position()[::-1]: text for text in axes.texts}
    assert {place: text.get_text() for place, text in texts.items()} == {
        (0, 0): "8", (0, 1): "2", (1, 1): "5", (1, 2): "5",
    }  # fmt: skip
    assert np.asarray(axes.images[0].get_array()).tolist() == [[0.8, 0.2, 0], [0, 0.5, 0.5], [0, 0, 0]]
    assert (texts[0, 0].get_color(), texts[0, 1].get_color()) == ("white", BLACK)
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a", "b", "c"]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("predicted class", "true class")


@pytest.mark.parametrize(("classes", "rotation"), [(("7", "8"), 0), (("cat", "dog"), 90)])
def test_long_class_names_are_turned(classes, rotation) -> None:
    axes = plot_confusion([[1, 0], [0, 1]], classes).axes[0]
    assert {label.get_rotation() for label in axes.get_xticklabels()} == {rotation}


def test_a_confusion_matrix_needs_a_row_per_class() -> None:
    with pytest.raises(ValueError, match=r"confusion must be \(3, 3\), one row per class, got \(2, 2\)"):
        plot_confusion([[1, 0], [0, 1]], ("a", "b", "c"))


def test_a_reliability_diagram_leaves_empty_bins_out() -> None:
    nan = math.nan
    calibration = Calibration(
        0.123, torch.tensor([nan, 0.4, nan, 0.9]), torch.tensor([nan, 0.5, nan, 0.8]), torch.tensor([0, 2, 0, 5])
    )
    figure = plot_reliability(calibration)
    drawn(figure)
    axes = figure.axes[0]
    bars = [(bar.get_x() + bar.get_width() / 2, bar.get_height()) for bar in axes.patches]
    assert [place for place, _ in bars] == pytest.approx([0.375, 0.875])
    assert [height for _, height in bars] == pytest.approx([0.5, 0.8])
    diagonal, points = axes.lines
    assert np.stack(diagonal.get_data()).tolist() == [[0, 1], [0, 1]]
    assert np.stack(points.get_data()).T.ravel() == pytest.approx([0.4, 0.5, 0.9, 0.8])
    assert axes.get_title() == "expected calibration error 12.3%"


def test_a_run_that_was_tested_once_has_a_dot_at_its_last_epoch():
    history = History(
        train_loss=(2.0, 1.0, 0.5), train_accuracy=(0.2, 0.5, 0.8), test_loss=(0.7,), test_accuracy=(0.75,),
        lr=(0.1, 0.1, 0.1), seconds=(1.0, 1.0, 1.0),
    )  # fmt: skip
    _, tested = plot_history(history).axes[1].get_lines()
    assert (tested.get_xdata(), tested.get_ydata()) == ([3], [0.75])
    assert tested.get_marker() == "o"
