"""``fit``: it learns, it is the plain loop of torch, and it gives the same bits each time."""

import dataclasses
import json
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from training_cases import NetWithHeads, noise, numbers, same_weights, small_net

from course_lib.data import load
from course_lib.training import Augment, History, TrainingError, fit, parameter_groups, seeded
from course_lib.training.loop import batches
from course_lib.training.outputs import make_criterion, training_loss
from course_lib.training.pools import QuickAvgPool2d


@pytest.fixture(scope="module")
def digits():
    return load("digits")


# ---- what a run gives ------------------------------------------------------------------------------------------------


def test_it_learns_the_digits(digits):
    model = small_net()
    history = fit(model, digits, epochs=5, lr=0.1)
    assert history.epochs == 5
    assert history.test_accuracy[-1] > 0.96
    assert history.train_accuracy[-1] > 0.98
    assert history.train_loss[-1] < history.train_loss[0] / 4
    assert not any(module.training for module in model.modules())


def test_testing_once_changes_nothing_but_the_number_of_tests(digits):
    once, each = (small_net() for _ in range(2))
    short, full = (
        fit(model, digits, epochs=3, test_once=test_once) for model, test_once in ((once, True), (each, False))
    )
    assert same_weights(once, each)
    assert short.test_accuracy == full.test_accuracy[-1:]
    assert short.test_loss == full.test_loss[-1:]
    assert (short.epochs, short.train_loss) == (3, full.train_loss)


def test_an_image_that_is_left_out_counts_neither_for_nor_against_the_accuracy():
    data = noise(train=91)
    always_right = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
    zeros = torch.zeros(91, dtype=torch.int64)
    data = dataclasses.replace(data, train=dataclasses.replace(data.train, labels=zeros))
    with torch.no_grad():
        always_right[1].bias[0] = 100.0
    assert fit(always_right, data, epochs=1, batch_size=45, lr=1e-9).train_accuracy == (1.0,)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"optimizer": "adam", "lr": 0.003, "weight_decay": 1e-3, "schedule": "cosine"},
        {"precision": "bf16", "channels_last": True},
        {"augment": Augment(crop=1, flip=True), "label_smoothing": 0.1, "schedule": "step"},
    ],
    ids=["plain", "adam", "bf16", "augmented"],
)
def test_two_runs_give_the_same_bits(settings):
    models = small_net(dropout=0.5), small_net(dropout=0.5)
    first, second = (fit(model, noise(), epochs=2, batch_size=16, seed=3, **settings) for model in models)
    assert numbers(first) == numbers(second)
    assert same_weights(*models)


def test_another_seed_gives_another_run():
    models = small_net(), small_net()
    first, second = (fit(model, noise(), epochs=1, seed=seed) for seed, model in enumerate(models))
    assert first.step_loss != second.step_loss
    assert not same_weights(*models)


def test_dropout_draws_from_the_seed_not_from_the_global_state():
    runs = []
    for before in (10, 11):
        torch.manual_seed(before)
        runs.append(numbers(fit(small_net(dropout=0.5), noise(), epochs=1, seed=5)))
    assert runs[0] == runs[1]


def plain_loop(model, data, *, epochs, batch_size, lr, seed, smoothing, decay):
    """Training as torch's tutorials have it, with torch's own schedule; the losses and rates of all steps."""
    images = (data.train.images / 255 - data.stats.mean[0]) / data.stats.std[0]
    decayed = [weight for name, weight in model.named_parameters() if name in ("0.weight", "6.weight")]
    others = [weight for name, weight in model.named_parameters() if name not in ("0.weight", "6.weight")]
    groups = [{"params": decayed, "weight_decay": decay}, {"params": others, "weight_decay": 0}]
    optimizer = torch.optim.SGD(groups, lr=lr, momentum=0.9)
    steps = epochs * math.ceil(len(images) / batch_size)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, lr, total_steps=steps, cycle_momentum=False)
    criterion = nn.CrossEntropyLoss(label_smoothing=smoothing)
    generator, losses, sizes, rates = torch.Generator().manual_seed(seed), [], [], []
    for _ in range(epochs):
        model.train()
        for chosen in torch.randperm(len(images), generator=generator).split(batch_size):
            loss = criterion(model(images[chosen]), data.train.labels[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
            sizes.append(len(chosen))
            rates.append(scheduler.get_last_lr()[0])
            scheduler.step()
    return losses, sizes, rates


def test_it_is_the_plain_loop():
    data, mine, theirs = noise(train=90), small_net(), small_net()
    losses, sizes, rates = plain_loop(theirs, data, epochs=2, batch_size=32, lr=0.05, seed=7, smoothing=0.1, decay=0.01)
    history = fit(mine, data, epochs=2, batch_size=32, lr=0.05, seed=7, label_smoothing=0.1, weight_decay=0.01)
    assert sizes == [32, 32, 26] * 2
    assert history.step_loss == pytest.approx(losses, rel=1e-4)
    assert history.lr == pytest.approx([rates[2], rates[5]])
    assert history.train_loss == pytest.approx(
        [np.average(losses[:3], weights=sizes[:3]), np.average(losses[3:], weights=sizes[3:])], rel=1e-4
    )
    for ours, other in zip(mine.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(ours, other, rtol=1e-3, atol=1e-4)


def test_accuracy_while_training_counts_each_image_once_but_not_one_left_out():
    data = noise(train=65)
    left_out = torch.randperm(65, generator=torch.Generator().manual_seed(0))[64]
    always = int(data.train.labels[left_out])
    silent = nn.Sequential(nn.Flatten(), nn.Linear(64, 10))
    nn.init.zeros_(silent[1].weight)
    silent[1].bias.data = torch.eye(10)[always] * 50.0
    history = fit(silent, data, epochs=1, batch_size=32, lr=1e-12)
    assert history.train_accuracy == (((data.train.labels == always).sum().item() - 1) / 64,)
    assert history.test_accuracy == ((data.test.labels == always).sum().item() / 30,)


def test_the_global_state_is_put_back():
    torch.manual_seed(12)
    expected = torch.rand(3)
    torch.manual_seed(12)
    fit(small_net(dropout=0.5), noise(), epochs=1)
    with pytest.raises(TrainingError):
        fit(small_net(dropout=0.5), noise(), epochs=1, lr=1e30)
    assert torch.equal(torch.rand(3), expected)
    assert not torch.are_deterministic_algorithms_enabled()
    assert torch.utils.deterministic.fill_uninitialized_memory


def test_deterministic_algorithms_are_asked_for_unless_one_says_no():
    seen = []

    def look(images, generator):
        seen.append(torch.are_deterministic_algorithms_enabled())
        return images

    fit(small_net(), noise(train=8), epochs=1, augment=look)
    fit(small_net(), noise(train=8), epochs=1, augment=look, deterministic=False)
    assert seen == [True, False]


def test_seeded_gives_the_same_numbers_and_goes_on_as_before():
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    with seeded(0):
        first = torch.rand(4)
    with seeded(0):
        assert torch.equal(torch.rand(4), first)
    assert torch.equal(torch.rand(2), expected)


def test_a_history_survives_json():
    history = fit(small_net(), noise(), epochs=2, batch_size=32)
    assert History.from_dict(json.loads(json.dumps(history.to_dict()))) == history
    assert len(history.step_loss) == 6
    assert all(seconds > 0 for seconds in history.seconds)


def test_a_bar_is_shown_when_asked_for(capsys):
    fit(small_net(), noise(), epochs=1, progress=True)
    assert "2/2" in capsys.readouterr().err
    fit(small_net(), noise(), epochs=1)
    assert capsys.readouterr().err == ""


# ---- the parts of a step ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "batch_size", "sizes"),
    [(10, 4, [4, 4, 2]), (9, 4, [4, 4]), (8, 4, [4, 4]), (3, 4, [3]), (1, 4, [1]), (3, 1, [1, 1])],
)
def test_batches_take_each_image_once_and_leave_out_a_last_one_alone(count, batch_size, sizes):
    groups = batches(count, batch_size, torch.Generator().manual_seed(0))
    assert [len(group) for group in groups] == sizes
    chosen = torch.cat(groups).tolist()
    assert len(set(chosen)) == len(chosen)
    assert set(chosen) <= set(range(count))


def test_the_order_is_new_in_each_epoch():
    generator = torch.Generator().manual_seed(0)
    first, second = (torch.cat(batches(50, 8, generator)).tolist() for _ in range(2))
    assert sorted(first) == sorted(second) == list(range(50))
    assert first != second


def test_weights_decay_and_biases_and_norms_do_not():
    model = small_net()
    model[0].weight.requires_grad = False
    decaying, others = parameter_groups(model, 0.1)
    assert decaying["weight_decay"] == 0.1
    assert [id(weight) for weight in decaying["params"]] == [id(model[6].weight)]
    assert others["weight_decay"] == 0.0
    expected = [model[0].bias, model[1].weight, model[1].bias, model[6].bias]
    assert [id(weight) for weight in others["params"]] == [id(weight) for weight in expected]


def test_frozen_weights_stay():
    model = small_net()
    model[0].weight.requires_grad = False
    before = model[0].weight.clone()
    fit(model, noise(), epochs=1, weight_decay=0.1)
    assert torch.equal(model[0].weight, before)


def test_an_optimiser_of_ones_own_gets_the_groups_and_the_rates():
    seen = []

    class Spy(torch.optim.SGD):
        def step(self, closure=None):
            seen.append([(group["lr"], group["weight_decay"]) for group in self.param_groups])
            return super().step(closure)

    halves = [1.0, 0.5]
    fit(
        small_net(), noise(train=64), epochs=1, batch_size=32, lr=0.2, weight_decay=0.01,
        optimizer=lambda groups: Spy(groups, lr=1.0), schedule=lambda step, total: halves[step] if total == 2 else 0,
    )  # fmt: skip
    assert seen == [[(0.2, 0.01), (0.2, 0.0)], [(0.1, 0.01), (0.1, 0.0)]]


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_the_loss_is_cross_entropy_with_label_smoothing(smoothing):
    scores, labels = torch.randn(6, 5, generator=torch.Generator().manual_seed(0)), torch.tensor([0, 1, 2, 3, 4, 0])
    found = training_loss(scores, labels, make_criterion(None, smoothing), 0.3)
    target = F.one_hot(labels, 5) * (1 - smoothing) + smoothing / 5
    torch.testing.assert_close(found, -(target * scores.log_softmax(1)).sum(1).mean())


def test_a_criterion_of_ones_own_is_minimised():
    def squared(scores, labels):
        return (scores - F.one_hot(labels, 10)).square().mean()

    history = fit(small_net(), noise(), epochs=1, batch_size=90, lr=1e-9, criterion=squared)
    data, model = noise(), small_net().train()
    scores = model((data.train.images / 255 - data.stats.mean[0]) / data.stats.std[0])
    assert history.step_loss[0] == pytest.approx(squared(scores, data.train.labels).item(), rel=1e-4)
    assert history.test_loss[0] == pytest.approx(math.log(10), abs=0.5)  # still the plain cross-entropy
    with pytest.raises(ValueError, match="label_smoothing is for cross-entropy; with a criterion it must be 0, got"):
        fit(small_net(), noise(), epochs=1, criterion=squared, label_smoothing=0.1)


@pytest.mark.parametrize("weight", [0.3, 1.0])
def test_auxiliary_heads_count_their_weight(weight):
    data, model = noise(), NetWithHeads()
    images = ((data.train.images / 255 - data.stats.mean[0]) / data.stats.std[0]).flatten(1)
    main, first, second = (
        F.cross_entropy(head(images), data.train.labels).item() for head in (model.main, model.first, model.second)
    )
    settings = {} if weight == 0.3 else {"aux_weight": weight}
    history = fit(model, data, epochs=1, batch_size=90, lr=1e-9, **settings)
    assert history.step_loss[0] == pytest.approx(main + weight * (first + second), rel=1e-5)
    right = (model.main(images).argmax(1) == data.train.labels).double().mean().item()
    assert history.train_accuracy == (right,)


def test_channels_last_lays_the_weights_out_so(digits):
    data = digits.take(300, 100)
    model, other = small_net(), small_net()
    model[0] = nn.Conv2d(1, 8, 3, padding=1)
    model = nn.Sequential(nn.Conv2d(1, 4, 1), nn.Conv2d(4, 1, 3, padding=1), *other)
    fit(model, data, epochs=1, channels_last=True)
    assert model[1].weight.is_contiguous(memory_format=torch.channels_last)
    assert not model[1].weight.is_contiguous()


@pytest.mark.parametrize("settings", [{"channels_last": True}, {"precision": "bf16"}], ids=["channels_last", "bf16"])
def test_fast_settings_learn_as_well(digits, settings):
    data = digits.take(500, 200)
    plain = fit(small_net(), data, epochs=2)
    fast = fit(small_net(), data, epochs=2, **settings)
    assert fast.step_loss[0] == pytest.approx(plain.step_loss[0], rel=0.02)
    assert fast.test_loss[-1] == pytest.approx(plain.test_loss[-1], rel=0.1)


def test_bf16_computes_in_bfloat16():
    model, seen = small_net(), []
    model[6].register_forward_hook(lambda *call: seen.append(call[-1].dtype))
    fit(model, noise(train=8), epochs=1, precision="bf16")
    assert set(seen) == {torch.bfloat16}
    assert {weight.dtype for weight in model.parameters()} == {torch.float32}


@pytest.mark.parametrize("sizes", [(8, 6), (7, 6), (2, 2)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_quick_pool_is_torchs(sizes, dtype):
    x = torch.randn(2, 3, *sizes, generator=torch.Generator().manual_seed(0)).to(dtype)
    first, second = x.clone().requires_grad_(), x.clone().requires_grad_()
    ours, theirs = QuickAvgPool2d(2)(first), nn.AvgPool2d(2)(second)
    tolerance = {"rtol": 1e-6, "atol": 1e-6} if dtype == torch.float32 else {"rtol": 2**-6, "atol": 2**-6}
    torch.testing.assert_close(ours, theirs, **tolerance)
    ours.sum().backward()
    theirs.sum().backward()
    torch.testing.assert_close(first.grad, second.grad, **tolerance)


@pytest.mark.parametrize(
    ("pool", "precision", "quick"),
    [
        (nn.AvgPool2d(2), "bf16", True),
        (nn.AvgPool2d((2, 2), (2, 2)), "bf16", True),
        (nn.AvgPool2d(2), "fp32", False),
        (nn.AvgPool2d(2, stride=1), "bf16", False),
        (nn.AvgPool2d(4), "bf16", False),
        (nn.AvgPool2d(2, divisor_override=3), "bf16", False),
        (nn.AvgPool2d((2, 4)), "bf16", False),
    ],
)
def test_the_quick_pool_stands_in_for_pools_by_two_in_bfloat16(pool, precision, quick):
    seen, model = [], nn.Sequential(pool, nn.Flatten(), nn.LazyLinear(10))
    model(torch.zeros(1, 1, 8, 8))
    pool.register_forward_hook(lambda module, *_: seen.append(type(module)))
    fit(model, noise(train=8), epochs=1, precision=precision, device="cpu")
    assert set(seen) == {QuickAvgPool2d if quick else nn.AvgPool2d}
    assert type(pool) is nn.AvgPool2d


def test_compile_model_trains_what_torch_compiles(monkeypatch):
    compiled = []

    def fake(model):
        compiled.append(model)
        return model.forward

    monkeypatch.setattr(torch, "compile", fake)
    model = small_net()
    plain = fit(small_net(), noise(), epochs=1)
    assert numbers(fit(model, noise(), epochs=1, compile_model=True)) == numbers(plain)
    assert compiled == [model]


# ---- what is refused -------------------------------------------------------------------------------------------------


def test_divergence_says_where_and_what_to_do():
    message = (
        r"^training diverged: the loss was (nan|inf|\S+) at epoch 1, step 2 \(learning rate 4e\+29\); try a lower lr"
    )
    with pytest.raises(TrainingError, match=message):
        fit(small_net(), noise(), epochs=2, batch_size=32, lr=4e29, schedule="constant")


def test_divergence_in_the_last_step_shows_in_the_test():
    def last(step, total):
        return 1e35 if step == total - 1 else 1e-9

    with pytest.raises(TrainingError, match="training diverged: the test loss was nan after epoch 2; try a lower lr"):
        fit(small_net(), noise(), epochs=2, lr=1.0, schedule=last)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"epochs": 0}, "epochs must be a whole number of at least 1, got 0"),
        ({"epochs": 1.5}, r"epochs must be a whole number of at least 1, got 1\.5"),
        ({"batch_size": -2}, "batch_size must be a whole number of at least 1, got -2"),
        ({"batch_size": 8.0}, r"batch_size must be a whole number of at least 1, got 8\.0"),
        ({"lr": 0.0}, r"lr must be above 0 and finite, got 0\.0"),
        ({"lr": math.nan}, "lr must be above 0 and finite, got nan"),
        ({"lr": math.inf}, "lr must be above 0 and finite, got inf"),
        ({"momentum": -0.1}, r"momentum must be at least 0 and finite, got -0\.1"),
        ({"weight_decay": -1.0}, r"weight_decay must be at least 0 and finite, got -1\.0"),
        ({"aux_weight": -1.0}, r"aux_weight must be at least 0 and finite, got -1\.0"),
        ({"label_smoothing": 1.5}, r"label_smoothing must be between 0 and 1, got 1\.5"),
        ({"optimizer": "lion"}, "optimizer must be one of sgd, adam, adamw, or a function, got 'lion'"),
        (
            {"schedule": "linear"},
            "schedule must be one of constant, cosine, lecun1998, one-cycle, step, or a .* 'linear'",
        ),
        ({"precision": "fp16"}, "precision must be fp32 or bf16, got 'fp16'"),
        ({"resume": True}, "resume needs checkpoint, the folder of the run to go on with; got checkpoint=None"),
    ],
)
def test_an_argument_out_of_range_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        fit(small_net(), noise(), **{"epochs": 1, **settings})


def test_a_model_with_too_few_classes_is_refused():
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 9))
    with pytest.raises(ValueError, match="model must score at least 10 classes, got 9"):
        fit(model, noise(), epochs=1)


def test_a_model_with_nothing_to_train_is_refused():
    model = small_net().requires_grad_(False)
    with pytest.raises(ValueError, match="model must have at least one parameter with requires_grad, got none"):
        fit(model, noise(), epochs=1)
