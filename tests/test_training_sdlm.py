"""Stochastic diagonal Levenberg-Marquardt: second derivatives, the gradient by hand, and the run."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.func import functional_call
from torch.nn.functional import cross_entropy

from course_lib.data import ImageData, Split, load_prepared, normalise
from course_lib.models import build
from course_lib.models.lenet_by_hand import LeNetByHand
from course_lib.models.lenet_layers import ScaledTanh, SparseConv2d, Subsampling
from course_lib.models.lenet_output import EuclideanRBF, class_codes, map_criterion, mse_criterion
from course_lib.training import Table, TrainingError, diagonal_curvature, evaluate, fit_sdlm, seeded
from course_lib.training.sdlm import ByAutograd


def second_differences(layers, x, labels, criterion, parameter, size=1e-3):
    """The second derivative of the loss by each number of a parameter, by central differences in float64."""
    net, found = nn.Sequential(*layers), torch.zeros_like(parameter)
    with torch.no_grad():
        for place in range(parameter.numel()):
            losses = []
            for step in (-size, 0, size):
                parameter.view(-1)[place] += step
                losses.append(criterion(net(x), labels).item())
                parameter.view(-1)[place] -= step
            found.view(-1)[place] = (losses[0] - 2 * losses[1] + losses[2]) / size**2
    return found


@pytest.fixture
def images():
    generator = torch.Generator().manual_seed(0)
    return torch.randn(5, 1, 6, 6, generator=generator, dtype=torch.float64), torch.tensor([0, 1, 2, 1, 0])


def test_behind_the_last_weights_the_diagonal_is_exact(images):
    # one linear layer: nothing is approximated, so finite differences must agree
    x, labels = images
    with seeded(0):
        layers = [nn.Flatten(), nn.Linear(36, 3).double()]
    found = diagonal_curvature(layers, x, labels, cross_entropy)
    for parameter in layers[1].parameters():
        expected = second_differences(layers, x, labels, cross_entropy, parameter)
        assert torch.allclose(found[parameter], expected, rtol=1e-4, atol=1e-6)


def test_a_single_chain_is_the_exact_gauss_newton_diagonal(images):
    # one unit a layer: there is nothing off the diagonal, so h = (dz / dw)^2 E''(z), which autograd gives
    x, labels = images[0][:, :, :1, :1], torch.zeros(5).long()
    with seeded(1):
        layers = [nn.Flatten(), nn.Linear(1, 1).double(), nn.Tanh(), nn.Linear(1, 1).double(), ScaledTanh(),
                  nn.Linear(1, 1).double()]  # fmt: skip

    def loss(scores, labels):
        return scores.pow(4).mean() + 0 * labels.sum()

    found, net = diagonal_curvature(layers, x, labels, loss), nn.Sequential(*layers)
    for parameter in net.parameters():
        expected = torch.zeros_like(parameter)
        for image in x:
            z = net(image[None]).squeeze()
            (slope,) = torch.autograd.grad(z, parameter)
            expected += 12 * z.detach() ** 2 * slope**2
        assert torch.allclose(found[parameter], expected / len(x))


def by_connections(layers, x, labels, criterion):
    """The paper's recursion in plain loops over units and connections, one image at a time."""
    conv, squash, last = layers
    total = [torch.zeros_like(conv.weight), torch.zeros_like(conv.bias), torch.zeros_like(last.weight)]
    for image, label in zip(x, labels, strict=True):
        a = conv(image[None])
        y = squash(a)
        z = last(y).flatten()
        matrix = torch.autograd.functional.hessian(lambda z, label=label: criterion(z[None], label[None]), z)
        for row in range(3):  # z: three units of a 4x2 kernel over a map of 4x4
            for r in range(4):
                for c in range(2):
                    total[2][0, 0, r, c] += matrix[row, row] * y[0, 0, r, row + c] ** 2
        for r in range(4):
            for c in range(4):
                h = sum(
                    matrix[unit, unit] * last.weight[0, 0, r, c - unit] ** 2 for unit in range(3) if 0 <= c - unit < 2
                )
                h = h * (1 - a[0, 0, r, c].tanh() ** 2) ** 2
                total[0][0, 0] += h * image[0, r : r + 3, c : c + 3] ** 2
                total[1][0] += h
    return [part / len(x) for part in total]


def test_shared_weights_count_once_for_each_connection(images):
    x, labels = images
    with seeded(2):
        conv, last = nn.Conv2d(1, 1, 3).double(), nn.Conv2d(1, 1, (4, 2), bias=False).double()
    layers = [conv, nn.Tanh(), last]

    def criterion(z, labels):
        return cross_entropy(z.flatten(1), labels)

    found = diagonal_curvature(layers, x, labels, criterion)
    expected = by_connections(layers, x, labels, criterion)
    for parameter, value in zip((conv.weight, conv.bias, last.weight), expected, strict=True):
        assert torch.allclose(found[parameter], value.detach())


def test_subsampling_and_a_table_of_connections_follow_the_same_rule():
    generator = torch.Generator().manual_seed(3)
    x = torch.randn(4, 2, 6, 6, generator=generator, dtype=torch.float64)
    with seeded(4):
        pool, sparse = Subsampling(2).double(), SparseConv2d(2, [(0,), (0, 1), (1,)], 3).double()
        dense = nn.Conv2d(2, 2, 2, stride=2, groups=2).double()
        full = nn.Conv2d(2, 3, 3).double()
    with torch.no_grad():  # the same networks in torch's layers
        dense.weight[:] = pool.coefficient.view(2, 1, 1, 1)
        dense.bias[:] = pool.bias
        full.weight[:] = sparse.dense_weight()
        full.bias[:] = sparse.bias
    labels = torch.tensor([0, 1, 2, 0])
    found = diagonal_curvature([pool, ScaledTanh(), sparse, nn.Flatten()], x, labels, cross_entropy)
    plain = diagonal_curvature([dense, ScaledTanh(), full, nn.Flatten()], x, labels, cross_entropy)
    assert torch.allclose(found[pool.coefficient], plain[dense.weight].sum((1, 2, 3)))
    assert torch.allclose(found[pool.bias], plain[dense.bias])
    assert torch.allclose(found[sparse.weight], plain[full.weight][tuple(sparse.pairs)])
    assert torch.allclose(found[sparse.bias], plain[full.bias])


def test_lenets_last_curvature_is_exact_by_what_f6_gives():
    with seeded(5):
        model = build("lenet5_1998").double()
    x = torch.randn(3, 1, 32, 32, dtype=torch.float64, generator=torch.Generator().manual_seed(5))
    labels = torch.tensor([3, 0, 9])
    found = diagonal_curvature(list(model.children()), x, labels, map_criterion)
    assert {parameter.shape for parameter in found} == {parameter.shape for parameter in model.parameters()}
    assert all(value.shape == parameter.shape for parameter, value in found.items())
    assert all(bool((value >= 0).all()) for value in found.values())
    # what F6 gives: the loss is differentiated exactly by it, then multiplied by the square of the squashing's slope
    features = nn.Sequential(*list(model.children())[:-2])(x).detach()
    expected = torch.zeros(84, dtype=torch.float64)
    for feature, label in zip(features, labels, strict=True):
        outputs = 1.7159 * torch.tanh(2 / 3 * feature)
        exact = torch.autograd.functional.hessian(
            lambda out, label=label: map_criterion(model.output(out[None]), label[None]), outputs
        ).diagonal()
        expected += exact * (1.7159 * 2 / 3 * (1 - torch.tanh(2 / 3 * feature) ** 2)) ** 2 / 3
    assert torch.allclose(found[model.f6.bias], expected)


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([nn.Conv2d(1, 2, 3), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(8, 3)], "no rule for second derivatives"),
        ([nn.BatchNorm2d(1), nn.Flatten(), nn.Linear(36, 3)], "must be linear in them and in their input, got BatchN"),
        ([nn.Flatten()], "at least one with weights"),
    ],
)
def test_a_layer_without_a_rule_is_refused(layers, message, images):
    with pytest.raises(ValueError, match=message):
        diagonal_curvature(layers, images[0].float(), images[1], cross_entropy)


@pytest.mark.parametrize("seed", range(3))
def test_the_gradient_by_hand_is_autograds(seed):
    with seeded(seed):
        model = build("lenet5_1998")
        image, label = torch.randn(1, 32, 32), seed * 3
    by_hand = LeNetByHand(model)
    logits = model(image[None])
    loss = map_criterion(logits, torch.tensor([label]))
    loss.backward()
    found, right = by_hand.gradient(image.numpy(), label)
    trained = by_hand.flat({parameter: torch.ones_like(parameter) for parameter in model.parameters()})
    expected = by_hand.flat({parameter: parameter.grad for parameter in model.parameters()})
    assert found == pytest.approx(loss.item(), rel=1e-6)
    assert right == (int(logits.argmax()) == label)
    assert np.abs(trained * by_hand.slopes - expected).max() < 1e-5 * np.abs(expected).max()
    assert trained.sum() == sum(parameter.numel() for parameter in model.parameters())


def test_weights_go_into_the_vector_and_back():
    with seeded(0):
        model, other = build("lenet5_1998"), build("lenet5_1998")
    by_hand = LeNetByHand(other)
    by_hand.values[:] = LeNetByHand(model).values
    by_hand.store()
    for one, same in zip(model.parameters(), other.parameters(), strict=True):
        assert torch.equal(one, same)


@pytest.fixture(scope="module")
def digits():
    return load_prepared("digits", resize=24, pad=32, take=60)


def train(data, **options):
    model = lenet()
    return model, fit_sdlm(model, data, criterion=map_criterion, one_image=LeNetByHand, **options)


def lenet():
    with seeded(0):
        return build("lenet5_1998", init="efficient-backprop")


@pytest.mark.parametrize("measured", [None, lambda logits, labels: 4 * mse_criterion(logits, labels)])
def test_a_step_is_the_slope_times_the_rate_over_mu_and_curvature(digits, measured):
    one = ImageData("one", digits.train.take(1), digits.test, digits.classes, pixels=digits.stats)
    before = lenet()
    x, labels = normalise(one.train.images, digits.stats), one.train.labels
    curvature = diagonal_curvature(list(before.children()), x, labels, measured or map_criterion)
    map_criterion(before(x), labels).backward()
    after, history = train(one, epochs=1, lr=0.001, schedule="constant", curvature=measured)
    for old, new in zip(before.parameters(), after.parameters(), strict=True):
        assert torch.allclose(new, old - 0.001 / (0.02 + curvature[old]) * old.grad, atol=1e-6)
    assert history.lr == (0.001,)
    assert history.train_loss[0] == pytest.approx(map_criterion(before(x), labels).item(), rel=1e-5)


def test_autograd_and_the_gradient_by_hand_train_alike(digits):
    few = digits.take(12, 20)
    by_hand, first = train(few, epochs=2)
    model = lenet()
    second = fit_sdlm(model, few, criterion=map_criterion, epochs=2)
    assert first.train_loss == pytest.approx(second.train_loss, rel=1e-4)
    for one, other in zip(by_hand.parameters(), model.parameters(), strict=True):
        assert torch.allclose(one, other, atol=1e-4)


def test_it_learns_and_tells_what_it_did(digits):
    model, history = train(digits, epochs=8)
    assert history.epochs == 8
    assert history.train_accuracy[-1] > 0.9
    assert history.test_accuracy[-1] == evaluate(model, digits.test).accuracy > 0.6
    assert len(history.step_loss) == 8
    assert history.step_loss[3] == pytest.approx(history.train_loss[3])
    assert not model.training


def test_a_run_that_was_stopped_goes_on_bit_for_bit(digits, tmp_path):
    few = digits.take(20, 20)
    whole, history = train(few, epochs=3)

    class StopError(Exception):
        pass

    class Stopping(LeNetByHand):
        calls = 0

        def gradient(self, image, label):
            Stopping.calls += 1
            if Stopping.calls > 50:
                raise StopError
            return super().gradient(image, label)

    model = lenet()
    with pytest.raises(StopError):
        fit_sdlm(model, few, criterion=map_criterion, one_image=Stopping, epochs=3, checkpoint=tmp_path)
    resumed, again = train(few, epochs=3, checkpoint=tmp_path, resume=True)
    assert again.train_loss == history.train_loss
    for one, other in zip(whole.parameters(), resumed.parameters(), strict=True):
        assert torch.equal(one, other)


def test_a_rate_that_is_too_high_is_said():
    pixels = torch.arange(256, dtype=torch.uint8).view(4, 1, 8, 8)
    data = ImageData(
        "grey", Split(pixels, torch.tensor([0, 1, 0, 1])), Split(pixels, torch.zeros(4).long()), ("a", "b")
    )
    net = nn.Sequential(nn.Flatten(), nn.Linear(64, 2))
    with pytest.raises(TrainingError, match="training diverged: the loss was"):
        fit_sdlm(net, data, criterion=lambda z, _: z.pow(4).sum(), epochs=9, lr=10.0, schedule="constant")
    for wrong in ({"mu": 0.0}, {"samples": 0}):
        with pytest.raises(ValueError, match="mu must be above 0 and samples at least 1"):
            fit_sdlm(net, data, criterion=cross_entropy, **wrong)


def test_the_curvature_of_the_loss_vanishes_where_the_code_is_met_and_that_of_the_penalty_does_not():
    copy = nn.Linear(84, 84)
    with torch.no_grad():
        copy.weight[:], copy.bias[:] = torch.eye(84), torch.zeros(84)
    codes, labels = class_codes(), torch.arange(10)
    layers = [copy, EuclideanRBF(codes)]
    whole, penalty = (diagonal_curvature(layers, codes, labels, loss) for loss in (map_criterion, mse_criterion))
    assert torch.allclose(penalty[copy.bias], torch.full((84,), 2.0))
    assert whole[copy.bias].max() < 1e-3


def test_the_schedule_is_the_papers():
    rates = [0.0005 * Table()(epoch, 20) for epoch in range(20)]
    assert rates == pytest.approx([0.0005] * 2 + [0.0002] * 3 + [0.0001] * 3 + [0.00005] * 4 + [0.00001] * 8)


def test_the_vector_by_autograd_is_the_modules():
    with seeded(0):
        net = nn.Sequential(nn.Flatten(), nn.Linear(64, 2))
    vector = ByAutograd(net, cross_entropy)
    loss, _ = vector.gradient(np.ones((1, 8, 8), np.float32), 1)
    own = functional_call(net, dict(net.named_parameters()), (torch.ones(1, 1, 8, 8),))
    assert loss == pytest.approx(cross_entropy(own, torch.tensor([1])).item())
