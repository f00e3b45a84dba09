"""What a recipe adds to the plain loop, each against torch's own or a loop by hand."""

import copy
import dataclasses
import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from training_cases import noise, numbers, same_weights, small_net

from course_lib.data import load
from course_lib.training import Recipe, evaluate, fit, seeded
from course_lib.training.keeper import best_epoch


def without_norm():
    """A network whose images do not look at each other."""
    with seeded(4):
        return nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 10))


def normalised(data):
    return (data.train.images / 255 - data.stats.mean[0]) / data.stats.std[0]


# ---- the step --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("parts", [2, 3, 40])
def test_a_batch_in_parts_is_the_batch(parts):
    whole, apart = without_norm(), without_norm()
    settings = {"epochs": 2, "batch_size": 32, "label_smoothing": 0.1}
    sizes = []
    apart.register_forward_pre_hook(lambda module, inputs: sizes.append(len(inputs[0])) if module.training else None)
    expected = fit(whole, noise(), **settings)
    found = fit(apart, noise(), recipe=Recipe(parts=parts), **settings)
    assert found.step_loss == pytest.approx(expected.step_loss, rel=1e-5)
    assert found.train_accuracy == expected.train_accuracy
    for mine, theirs in zip(apart.parameters(), whole.parameters(), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-6)
    assert max(sizes) == math.ceil(32 / parts)


def test_gradients_are_clipped_to_a_norm_over_all_weights():
    data, clipped, norms = noise(train=64), without_norm(), []

    class Spy(torch.optim.SGD):
        def step(self, closure=None):
            every = [weight.grad for group in self.param_groups for weight in group["params"]]
            norms.append(torch.cat([gradient.flatten() for gradient in every]).norm().item())
            return super().step(closure)

    fit(
        clipped,
        data,
        epochs=1,
        batch_size=32,
        recipe=Recipe(clip_norm=0.01),
        optimizer=lambda groups: Spy(groups, lr=1),
    )
    assert norms == pytest.approx([0.01, 0.01], rel=1e-3)
    fit(without_norm(), data, epochs=1, batch_size=32, optimizer=lambda groups: Spy(groups, lr=1))
    assert min(norms[2:]) > 0.02


def test_a_norm_that_is_not_reached_changes_nothing():
    free, clipped = small_net(), small_net()
    expected = fit(free, noise(), epochs=1)
    assert numbers(fit(clipped, noise(), epochs=1, recipe=Recipe(clip_norm=1e6))) == numbers(expected)
    assert same_weights(free, clipped)


def test_class_weights_are_those_of_torchs_cross_entropy():
    data, model = noise(), without_norm()
    weights = tuple(float(value) for value in range(1, 11))
    expected = F.cross_entropy(model(normalised(data)), data.train.labels, torch.tensor(weights), label_smoothing=0.1)
    history = fit(
        model, data, epochs=1, batch_size=90, lr=1e-9, label_smoothing=0.1, recipe=Recipe(class_weights=weights)
    )  # fmt: skip
    assert history.step_loss[0] == pytest.approx(expected.item(), rel=1e-5)


def test_balanced_weights_give_each_class_the_same_say():
    labels = torch.tensor([0] * 6 + [1] * 3 + [3])
    weights = Recipe(class_weights="balanced").weights_of(labels, 4)
    assert (weights[labels].view(-1)[[0, 6, 9]] * torch.tensor([6.0, 3.0, 1.0])).tolist() == pytest.approx([2.5] * 3)
    assert weights[2] == 1.0


@pytest.mark.parametrize("mix", ["mixup", "cutmix"])
def test_mixed_images_have_mixed_targets(mix):
    images, labels = torch.arange(4.0).view(4, 1, 1, 1).expand(4, 1, 6, 6).clone(), torch.arange(4)
    with seeded(1):
        mixed, targets = Recipe(mix=mix).mixer(4)(images, labels)
    assert targets.shape == (4, 4)
    assert targets.sum(1).tolist() == pytest.approx([1.0] * 4)
    means = mixed.mean((1, 2, 3))
    torch.testing.assert_close(means, targets @ torch.arange(4.0))  # the image holds of each what its target says
    assert 0 < targets[1, 1] < 1


@pytest.mark.parametrize("mix", ["mixup", "cutmix"])
def test_mixing_trains_from_the_seed(mix):
    runs = [fit(small_net(), noise(), epochs=1, seed=seed, recipe=Recipe(mix=mix)) for seed in (0, 0, 1)]
    assert numbers(runs[0]) == numbers(runs[1])
    assert runs[0].step_loss != runs[2].step_loss
    assert runs[0].step_loss != fit(small_net(), noise(), epochs=1).step_loss


# ---- the weights that are kept ---------------------------------------------------------------------------------------


def test_the_average_is_torchs():
    kept, model, twins = small_net(), small_net(), []
    averaged = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.8), use_buffers=True)

    class Watched(torch.optim.SGD):
        def step(self, closure=None):
            super().step(closure)
            twins.append(copy.deepcopy(kept.state_dict()))

    history = fit(
        kept, noise(), epochs=2, batch_size=32, recipe=Recipe(ema=0.8), optimizer=lambda groups: Watched(groups, lr=1)
    )
    for twin in twins:
        model.load_state_dict(twin)
        averaged.update_parameters(model)
    assert len(twins) == 6
    assert same_weights(kept, averaged.module)
    assert evaluate(kept, noise().test).accuracy == history.test_accuracy[-1]


def test_early_stopping_gives_the_weights_of_the_best_epoch(tmp_path):
    data = noise().hold_out(0.2)  # nothing can be learned from noise: the validation loss soon grows
    model, until_best = small_net(), small_net()
    settings = {"lr": 0.1, "schedule": "constant", "batch_size": 24}
    history = fit(model, data, epochs=30, recipe=Recipe(patience=3), checkpoint=tmp_path, **settings)
    best = best_epoch(history)
    assert history.epochs == best + 3
    assert min(history.validation_loss) == history.validation_loss[best - 1]
    fit(until_best, data, epochs=best, **settings)
    assert same_weights(model, until_best)
    found = evaluate(model, data.validation)
    assert (found.loss, found.accuracy) == (min(history.validation_loss), history.validation_accuracy[best - 1])
    again = small_net()
    assert (
        fit(again, data, epochs=30, recipe=Recipe(patience=3), checkpoint=tmp_path, resume=True, **settings) == history
    )
    assert same_weights(again, model)


def test_a_validation_split_is_tested_after_each_epoch():
    data = noise().hold_out(0.2)
    model = small_net()
    history = fit(model, data, epochs=2)
    assert history.validation_loss[-1] == evaluate(model, data.validation).loss
    assert len(history.validation_accuracy) == 2
    assert fit(small_net(), noise(), epochs=1).validation_loss == ()


def test_it_still_learns_the_digits():
    data = load("digits").hold_out(0.1)
    recipe = Recipe(clip_norm=5.0, parts=2, ema=0.9, mix="cutmix", class_weights="balanced", patience=5)
    assert fit(small_net(), data, epochs=6, lr=0.1, recipe=recipe).test_accuracy[-1] > 0.93


# ---- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"clip_norm": 0.0}, r"clip_norm must be above 0 and finite, got 0\.0"),
        ({"clip_norm": math.nan}, "clip_norm must be above 0 and finite, got nan"),
        ({"parts": 0}, "parts must be at least 1, got 0"),
        ({"ema": 1.0}, r"ema must be between 0 and 1, such as 0\.999, got 1\.0"),
        ({"mix": "cutout"}, "mix must be one of mixup, cutmix, got 'cutout'"),
        ({"mix_alpha": -1.0}, r"mix_alpha must be above 0 and finite, got -1\.0"),
        ({"patience": 0}, "patience must be at least 1 epoch, got 0"),
        ({"class_weights": "equal"}, "class_weights must be \"balanced\" or numbers of at least 0, got 'equal'"),
        ({"class_weights": (1.0, -1.0)}, r"class_weights must be .*, got \(1\.0, -1\.0\)"),
    ],
)
def test_a_value_out_of_range_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        Recipe(**settings)


def test_what_does_not_go_together_is_refused():
    with pytest.raises(
        ValueError, match=r"patience needs a validation split, to stop by: data.hold_out\(0\.1\) sets one"
    ):
        fit(small_net(), noise(), epochs=1, recipe=Recipe(patience=1))
    with pytest.raises(ValueError, match="class_weights must be one for each of the 10 classes, got 2"):
        fit(small_net(), noise(), epochs=1, recipe=Recipe(class_weights=(1.0, 2.0)))
    for recipe in (Recipe(mix="mixup"), Recipe(class_weights="balanced")):
        with pytest.raises(
            ValueError, match="class_weights and mix are for cross-entropy; with a criterion leave them"
        ):
            fit(small_net(), noise(), epochs=1, recipe=recipe, criterion=F.mse_loss)


def test_a_recipe_is_part_of_what_a_run_is(tmp_path):
    fit(small_net(), noise(), epochs=1, checkpoint=tmp_path)
    with pytest.raises(ValueError, match=r"recipe is 'Recipe\(clip_norm=1\.0, .*', was 'Recipe\(clip_norm=None"):
        fit(small_net(), noise(), epochs=1, checkpoint=tmp_path, resume=True, recipe=Recipe(clip_norm=1.0))
    assert dataclasses.replace(Recipe(), clip_norm=None) == Recipe()
