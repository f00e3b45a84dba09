"""Schedules against torch's own and values by hand; crops and flips image by image."""

import math

import pytest
import torch
import torch.nn.functional as F

from course_lib.training import Augment, Constant, Cosine, OneCycle, Steps, random_crop, random_flip
from course_lib.training.schedules import find_schedule


def rates_of(make_scheduler, total_steps):
    """The learning rates of torch's scheduler over a run, with a peak of 1."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler, rates = make_scheduler(optimizer), []
    for _ in range(total_steps):
        rates.append(scheduler.get_last_lr()[0])
        optimizer.step()
        scheduler.step()
    return rates


@pytest.mark.parametrize("total_steps", [10, 37, 500])
@pytest.mark.parametrize(
    ("schedule", "options"),
    [
        (OneCycle(), {}),
        (OneCycle(warmup=0.2, start=0.1, end=0.001), {"pct_start": 0.2, "div_factor": 10, "final_div_factor": 100}),
    ],
)
def test_one_cycle_is_torchs(schedule, options, total_steps):
    options = {"total_steps": total_steps, "cycle_momentum": False, **options}
    expected = rates_of(lambda optimizer: torch.optim.lr_scheduler.OneCycleLR(optimizer, 1.0, **options), total_steps)
    assert [schedule(step, total_steps) for step in range(total_steps)] == pytest.approx(expected, rel=1e-9)


def test_one_cycle_by_hand():
    schedule = OneCycle(warmup=0.5, start=0.2, end=0.0)  # 9 steps up to step 8 of 18, then 9 down
    assert schedule(0, 18) == pytest.approx(0.2)
    assert schedule(4, 18) == pytest.approx(0.6)
    assert schedule(8, 18) == pytest.approx(1.0)
    assert schedule(17, 18) == pytest.approx(0.0)


@pytest.mark.parametrize("warmup", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("total_steps", [1, 2, 3])
def test_one_cycle_has_a_rate_for_the_shortest_run(warmup, total_steps):
    rates = [OneCycle(warmup=warmup)(step, total_steps) for step in range(total_steps)]
    assert all(0 < rate <= 1 for rate in rates)
    assert max(rates) == 1.0 or total_steps == 2  # torch's schedule too may pass its peak between two steps


def test_cosine_is_torchs():
    expected = rates_of(lambda optimizer: torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 40), 40)
    assert [Cosine()(step, 40) for step in range(40)] == pytest.approx(expected)
    assert Cosine()(20, 40) == pytest.approx(0.5)


def test_steps_are_torchs():
    expected = rates_of(lambda optimizer: torch.optim.lr_scheduler.MultiStepLR(optimizer, [32, 48]), 64)
    assert [Steps()(step, 64) for step in range(64)] == pytest.approx(expected)
    assert [Steps((0.5,), 0.2)(step, 4) for step in range(4)] == [1.0, 1.0, 0.2, 0.2]


def test_constant_is_constant():
    assert {Constant()(step, 7) for step in range(7)} == {1.0}


def test_a_schedule_has_a_name_or_is_a_function():
    assert [find_schedule(name) for name in ("constant", "cosine", "one-cycle", "step")] == [
        Constant(), Cosine(), OneCycle(), Steps(),
    ]  # fmt: skip
    assert find_schedule(math.hypot) is math.hypot


# ---- augmentation ----------------------------------------------------------------------------------------------------


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


IMAGES = torch.randint(1, 256, (400, 2, 4, 5), dtype=torch.uint8, generator=generator(9))  # no pixel is black


@pytest.mark.parametrize("padding", [1, 2])
def test_a_crop_is_a_window_of_the_padded_image(padding):
    found, padded, shifts = random_crop(IMAGES, padding, generator()), F.pad(IMAGES, (padding,) * 4), []
    for image, field in zip(found, padded, strict=True):
        windows = {
            (down, right): field[:, down : down + 4, right : right + 5]
            for down in range(2 * padding + 1)
            for right in range(2 * padding + 1)
        }
        shifts += [place for place, window in windows.items() if torch.equal(window, image)]
    assert len(shifts) == len(IMAGES)  # one window each: both channels moved together, and no other image is mixed in
    counts = [shifts.count(place) for place in windows]
    assert min(counts) > 0.4 * len(IMAGES) / len(windows)
    assert (found.dtype, found.shape) == (IMAGES.dtype, IMAGES.shape)


def test_a_flip_mirrors_half_of_the_images():
    found = random_flip(IMAGES, generator())
    same = [torch.equal(image, before) for image, before in zip(found, IMAGES, strict=True)]
    mirrored = [torch.equal(image, before.flip(2)) for image, before in zip(found, IMAGES, strict=True)]
    assert all(one != other for one, other in zip(same, mirrored, strict=True))
    assert 160 < sum(mirrored) < 240
    assert found.dtype == IMAGES.dtype


def test_augmentation_depends_on_the_generator_alone():
    augment = Augment(crop=2, flip=True)
    assert torch.equal(augment(IMAGES, generator(1)), augment(IMAGES, generator(1)))
    assert not torch.equal(augment(IMAGES, generator(1)), augment(IMAGES, generator(2)))


def test_augmentation_crops_and_then_flips():
    source = generator(4)
    expected = random_flip(random_crop(IMAGES, 1, source), source)
    assert torch.equal(Augment(crop=1, flip=True)(IMAGES, generator(4)), expected)
    assert torch.equal(Augment(crop=1)(IMAGES, generator(4)), random_crop(IMAGES, 1, generator(4)))
    assert torch.equal(Augment(flip=True)(IMAGES, generator(4)), random_flip(IMAGES, generator(4)))


def test_no_augmentation_changes_nothing_and_draws_nothing():
    source = generator(3)
    assert Augment()(IMAGES, source) is IMAGES
    assert torch.equal(source.get_state(), generator(3).get_state())


def test_a_negative_crop_is_refused():
    with pytest.raises(ValueError, match="crop must be at least 0, got -1"):
        Augment(crop=-1)
