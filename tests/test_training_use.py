"""What is asked of a trained network, and of its logs: by class, most wrong, exports, tables, events, range tests."""

import csv
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from sklearn import metrics
from torch import nn
from training_cases import noise, same_weights, small_net

from course_lib.data import load
from course_lib.figures.training import most_wrong_panels, plot_rate_test
from course_lib.training import Evaluation, TrainingError, evaluate, fit, rate_range_test
from course_lib.training import export as exporting
from course_lib.training.export import FromPixels, export_onnx, export_program
from course_lib.training.logs import csv_log, line, rows, tensorboard_log


@pytest.fixture(scope="module")
def result():
    return evaluate(small_net(), noise(test=300).test)


def test_results_by_class_are_scikit_learns(result):
    report = metrics.classification_report(result.labels, result.predictions, output_dict=True, zero_division=0)
    for place, one in enumerate(result.per_class()):
        expected = report[str(place)]
        assert one == pytest.approx(
            (expected["precision"], expected["recall"], expected["f1-score"], expected["support"])
        )


def test_most_wrong_are_the_surest_mistakes(result):
    own = [row[label].item() for row, label in zip(result.probabilities, result.labels, strict=True)]
    wrong = [place for place in range(300) if result.predictions[place] != result.labels[place]]
    assert result.most_wrong(5).tolist() == sorted(wrong, key=lambda place: own[place])[:5]
    assert len(result.most_wrong(1000)) == len(wrong)


def test_the_most_wrong_are_drawn_with_what_is_said_and_what_is_right(result):
    data = noise(test=300)
    figure = most_wrong_panels(data.test, result, data.classes, count=5)
    place = int(result.most_wrong(1))
    said = int(result.predictions[place])
    title = figure.axes[0].get_title()
    assert title == f"{said} ({result.probabilities[place, said]:.0%})\nis {int(result.labels[place])}"
    assert np.array_equal(figure.axes[0].images[0].get_array(), data.test.images[place, 0].numpy())
    assert sum(bool(axes.images) for axes in figure.axes) == 5
    with pytest.raises(ValueError, match="result must be of this split of 30 images, got one of 300"):
        most_wrong_panels(noise().test, result, data.classes)
    right = Evaluation(0.0, 1.0, torch.eye(2).long(), torch.eye(2), torch.arange(2))
    with pytest.raises(ValueError, match="result must have an image that is classified wrongly, got none"):
        most_wrong_panels(noise(test=2).test, right, data.classes)


# ---- exports ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["onnx", "pt2"])
def test_an_export_takes_pixels_and_gives_probabilities(tmp_path, form):
    if form == "onnx":
        pytest.importorskip("onnxruntime")
    data, net = noise(), small_net(dropout=0.5)
    export = export_onnx if form == "onnx" else export_program
    worst = export(FromPixels(net, data.stats), data.test.images[:3].float(), tmp_path / f"net.{form}")
    assert worst < 1e-5
    assert [path.name for path in tmp_path.iterdir()] == [f"net.{form}"]


def test_an_export_that_differs_is_not_written(tmp_path, monkeypatch):
    monkeypatch.setattr(exporting, "TOLERANCE", -1.0)
    with pytest.raises(TrainingError, match=r"net\.pt2 gives other probabilities than torch, by up to .*: not written"):
        export_program(FromPixels(small_net(), noise().stats), noise().test.images[:3].float(), tmp_path / "net.pt2")
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_exported_is_one_line(tmp_path):
    class Looks(nn.Module):
        def forward(self, x):
            return x.flatten(1) * (2 if x.sum().item() > 0 else 3)

    with pytest.raises(TrainingError, match=r"^Looks cannot be exported to \.pt2 \(.*\)$"):
        export_program(FromPixels(Looks(), noise().stats), noise().test.images[:3].float(), tmp_path / "net.pt2")
    with pytest.raises(ValueError, match="pixels must hold at least 2 images, so that their number stays open, got 1"):
        export_program(FromPixels(small_net(), noise().stats), noise().test.images[:1].float(), tmp_path / "net.pt2")


def test_from_pixels_is_evaluate():
    data, net = noise(), small_net()
    with torch.no_grad():
        found = FromPixels(net, data.stats)(data.test.images.float())
    torch.testing.assert_close(found, evaluate(net, data.test).probabilities)


# ---- logs ------------------------------------------------------------------------------------------------------------


def test_a_table_has_a_row_for_each_epoch(tmp_path):
    history = fit(small_net(), noise().hold_out(0.2), epochs=3, after_epoch=csv_log(tmp_path / "logs" / "run.csv"))
    with (tmp_path / "logs" / "run.csv").open() as file:
        found = list(csv.DictReader(file))
    assert [int(row["epoch"]) for row in found] == [1, 2, 3]
    for name in ("train_loss", "validation_accuracy", "test_loss", "lr"):
        assert tuple(float(row[name]) for row in found) == getattr(history, name)
    once = rows(fit(small_net(), noise(), epochs=2, test_once=True))
    assert ["test_loss" in row for row in once] == [False, True]


def test_events_are_what_tensorboard_reads(tmp_path):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    history = fit(small_net(), noise(), epochs=2, after_epoch=tensorboard_log(tmp_path))
    events = EventAccumulator(str(tmp_path)).Reload()
    assert [event.step for event in events.Scalars("train_loss")] == [1, 2]
    assert [event.value for event in events.Scalars("train_loss")] == pytest.approx(history.train_loss)


def test_an_epoch_in_a_line():
    history = fit(small_net(), noise().hold_out(0.2), epochs=2)
    assert line(history, 5).startswith(f"epoch 2 of 5: loss {history.train_loss[-1]:.4f}, validation ")
    assert f"test {100 * history.test_accuracy[-1]:.2f} %" in line(history, 5)


# ---- learning rates --------------------------------------------------------------------------------------------------


def test_the_rates_grow_by_a_factor_and_the_model_stays():
    model, data = small_net(), load("digits")
    test = rate_range_test(model, data, low=1e-4, high=1e-1, steps=31, batch_size=100)
    assert test.rates == pytest.approx([1e-4 * 10 ** (step / 10) for step in range(31)])
    assert same_weights(model, small_net())
    assert model.training
    assert rate_range_test(model, data, low=1e-4, high=1e-1, steps=31, batch_size=100) == test
    images = (data.train.images / 255 - data.stats.mean[0]) / data.stats.std[0]
    assert test.losses[0] == pytest.approx(F.cross_entropy(model(images), data.train.labels).item(), rel=0.1)


def test_the_smoothed_loss_is_the_weighted_mean_of_those_before():
    test = rate_range_test(small_net(), noise(), low=1e-4, high=1e-1, steps=10, batch_size=30)
    for step in range(1, 11):
        weights = [0.9 ** (step - 1 - place) for place in range(step)]
        assert test.smooth[step - 1] == pytest.approx(np.average(test.losses[:step], weights=weights), rel=1e-6)


def test_it_ends_where_the_loss_blows_up_and_finds_a_rate_that_trains():
    data = load("digits")
    test = rate_range_test(small_net(), data, low=1e-5, high=1e5, steps=120)
    assert len(test.rates) < 120
    assert all(math.isfinite(loss) for loss in test.losses)
    assert 1e-3 < test.steepest < 1
    assert fit(small_net(), data, epochs=2, lr=test.steepest).test_accuracy[-1] > 0.9
    figure = plot_rate_test(test)
    assert figure.axes[0].get_xscale() == "log"
    assert list(figure.axes[0].lines[1].get_ydata()) == list(test.smooth)


@pytest.mark.parametrize("settings", [{"low": 0.0}, {"low": 1.0, "high": 1.0}, {"high": math.inf}, {"steps": 2}])
def test_rates_out_of_range_are_refused(settings):
    with pytest.raises(ValueError, match="low and high must be rates, low below high, and steps at least 3, got"):
        rate_range_test(small_net(), noise(), **settings)
