"""``evaluate``: each image once, in evaluation mode, with measures that others compute too."""

import math

import pytest
import torch
import torch.nn.functional as F
from sklearn import metrics
from torch import nn
from training_cases import NetWithHeads, noise, small_net

from course_lib.data import ChannelStats, Split
from course_lib.training import Evaluation, evaluate


def image_by_image(model, data):
    """Scores of the test images, one at a time."""
    model.eval()
    images = (data.test.images / 255 - data.stats.mean[0]) / data.stats.std[0]
    with torch.no_grad():
        return torch.cat([model(image[None]) for image in images])


@pytest.mark.parametrize("batch_size", [1, 7, 30, 500])
def test_it_is_exact_over_the_last_partial_batch(batch_size):
    data, model = noise(test=30), small_net(dropout=0.5)
    found = evaluate(model, data.test, batch_size=batch_size)
    scores = image_by_image(model, data).double()
    labels = data.test.labels
    losses = [-math.log(row.softmax(0)[label].item()) for row, label in zip(scores, labels, strict=True)]
    assert found.loss == pytest.approx(sum(losses) / 30, rel=1e-5)
    assert found.accuracy == sum(int(row.argmax() == label) for row, label in zip(scores, labels, strict=True)) / 30
    torch.testing.assert_close(found.probabilities.double(), scores.softmax(1), rtol=1e-4, atol=1e-6)
    assert torch.equal(found.predictions, scores.argmax(1))
    assert torch.equal(found.labels, labels)


def test_confusion_is_scikit_learns():
    data, model = noise(test=400), small_net()
    found = evaluate(model, data.test)
    expected = metrics.confusion_matrix(data.test.labels, found.predictions, labels=range(10))
    assert found.confusion.tolist() == expected.tolist()
    assert found.accuracy == metrics.accuracy_score(data.test.labels, found.predictions)


def test_modes_and_gradients_are_as_before():
    model, data, modes = small_net(dropout=0.5), noise(), []
    model.train()
    model[1].eval()  # a frozen norm
    before = [module.training for module in model.modules()]

    def look(*_):
        modes.append((model.training, model[1].training, torch.is_grad_enabled()))

    model[5].register_forward_hook(look)
    averages = model[1].running_mean.clone()
    evaluate(model, data.test)
    assert modes == [(False, False, False)]
    assert [module.training for module in model.modules()] == before
    assert torch.equal(model[1].running_mean, averages)
    assert torch.is_grad_enabled()


def test_modes_are_put_back_after_an_error():
    model = nn.Sequential(nn.Dropout(), nn.Linear(3, 2)).train()
    with pytest.raises(RuntimeError):
        evaluate(model, noise().test)
    assert model.training
    assert model[0].training


def test_auxiliary_heads_do_not_count():
    data, model = noise(), NetWithHeads()
    plain = nn.Sequential(nn.Flatten(), model.main)
    assert evaluate(model, data.test).loss == evaluate(plain, data.test).loss


def test_statistics_come_with_the_split_or_are_given():
    data, model = noise(), small_net()
    alone = Split(data.test.images, data.test.labels)
    assert evaluate(model, alone, stats=data.stats).loss == evaluate(model, data.test).loss
    assert evaluate(model, data.test, stats=ChannelStats((0.0,), (1.0,))).loss != evaluate(model, data.test).loss
    with pytest.raises(ValueError, match=r"stats is needed for a split that stands alone: pass stats=data\.stats"):
        evaluate(model, alone)


def test_bf16_agrees_up_to_its_precision():
    data, model = noise(), small_net()
    assert evaluate(model, data.test, precision="bf16").loss == pytest.approx(evaluate(model, data.test).loss, rel=0.02)
    with pytest.raises(ValueError, match="precision must be fp32 or bf16, got 'half'"):
        evaluate(model, data.test, precision="half")


def test_what_cannot_be_evaluated_is_refused():
    data, model = noise(), small_net()
    with pytest.raises(ValueError, match="batch_size and the split's images must be at least 1, got 0 and 30"):
        evaluate(model, data.test, batch_size=0)
    empty = Split(data.test.images[:0], data.test.labels[:0], data.stats)
    with pytest.raises(ValueError, match="batch_size and the split's images must be at least 1, got 500 and 0"):
        evaluate(model, empty)
    with pytest.raises(ValueError, match="model must score at least 10 classes for these labels, got 4"):
        evaluate(nn.Sequential(nn.Flatten(), nn.Linear(64, 4)), data.test)


# ---- calibration -----------------------------------------------------------------------------------------------------


def evaluation(confidences, right):
    """Two classes: the model says 0 with these confidences, and is right or not."""
    confidence = torch.tensor(confidences, dtype=torch.float32)
    labels = torch.tensor([0 if correct else 1 for correct in right])
    return Evaluation(0.0, 0.0, torch.zeros(2, 2).long(), torch.stack([confidence, 1 - confidence], 1), labels)


def test_calibration_by_hand():
    found = evaluation([0.55, 0.59, 0.9, 0.95, 1.0], [True, False, True, True, False]).calibration(bins=5)
    # (0.4, 0.6] holds 0.55 and 0.59, mean 0.57, of which one is right; (0.8, 1] the other three, of which two.
    assert found.count.tolist() == [0, 0, 2, 0, 3]
    assert found.confidence[[2, 4]].tolist() == pytest.approx([0.57, 0.95])
    assert found.accuracy[[2, 4]].tolist() == pytest.approx([1 / 2, 2 / 3])
    assert found.confidence[[0, 1, 3]].isnan().all()
    assert found.accuracy[[0, 1, 3]].isnan().all()
    assert found.ece == pytest.approx(2 / 5 * 0.07 + 3 / 5 * (0.95 - 2 / 3), rel=1e-6)


def test_a_bin_holds_its_upper_edge():
    assert evaluation([0.5, 0.75, 1.0], [True] * 3).calibration(bins=4).count.tolist() == [0, 1, 1, 1]


def test_calibration_over_many_images_is_the_plain_loop():
    generator = torch.Generator().manual_seed(0)
    probabilities = (3 * torch.randn(500, 10, generator=generator)).softmax(1)
    labels = torch.randint(0, 10, (500,), generator=generator)
    found = Evaluation(0.0, 0.0, torch.zeros(10, 10).long(), probabilities, labels).calibration()
    error = 0.0
    for place in range(15):
        inside = [
            (row.max().item(), float(row.argmax() == label))
            for row, label in zip(probabilities, labels, strict=True)
            if place / 15 < row.max().item() <= (place + 1) / 15
        ]
        assert found.count[place] == len(inside)
        error += abs(sum(confidence - right for confidence, right in inside)) / 500
    assert found.ece == pytest.approx(error)


def test_a_perfectly_sure_and_right_model_is_calibrated():
    assert evaluation([1.0, 1.0], [True, True]).calibration().ece == 0.0
    assert F.one_hot(evaluation([1.0], [True]).predictions, 2).tolist() == [[1, 0]]


def test_calibration_needs_a_bin():
    with pytest.raises(ValueError, match="bins must be at least 1, got 0"):
        evaluation([1.0], [True]).calibration(bins=0)
