"""The digits, the photographs, and what may be done with a data set in memory."""

import hashlib

import numpy as np
import pytest
import torch
import torchvision.transforms.v2.functional as tv
from PIL import Image
from sklearn import datasets

from course_lib.data import (
    NAMES,
    ChannelStats,
    ImageData,
    Split,
    channel_stats,
    load,
    normalise,
    pad_to,
    photographs,
    resize,
)

DIGITS_SHA256 = "aadbe77432f077dd2dae53bd3c6c569a18707ee360047e05df885ce32ddd24e1"


@pytest.fixture(scope="module")
def digits():
    return load("digits")


@pytest.fixture(scope="module")
def bunch():
    return datasets.load_digits()


def grey(*shape, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8))


def split_of(labels, size=2):
    return Split(grey(len(labels), 1, size, size), torch.tensor(labels))


# ---- the digits ------------------------------------------------------------------------------------------------------


def test_the_digits_are_all_there_once(digits, bunch):
    assert (len(digits.train), len(digits.test), digits.image_shape) == (1437, 360, (1, 8, 8))
    assert digits.classes == tuple("0123456789")
    found = sorted(image.numpy().tobytes() for part in (digits.train, digits.test) for image in part.images)
    scaled = np.rint(bunch.images * 255 / 16).astype(np.uint8)
    assert found == sorted(image.tobytes() for image in scaled)


def test_both_splits_of_the_digits_hold_the_classes_alike(digits, bunch):
    totals = np.bincount(bunch.target)
    tests = np.bincount(digits.test.labels)
    assert np.all(np.abs(tests - totals / 5) < 1)
    assert np.array_equal(np.bincount(digits.train.labels) + tests, totals)


def test_the_digits_hash_is_that_of_scikit_learns_arrays(digits, bunch):
    levels = [0, 16, 32, 48, 64, 80, 96, 112, 128, 143, 159, 175, 191, 207, 223, 239, 255]  # 255/16 each, rounded
    images = np.array(levels, dtype=np.uint8)[bunch.images.astype(int)][:, None]
    by_class = sorted(range(len(bunch.target)), key=lambda index: (bunch.target[index], index))
    test = sorted(by_class[::5])
    digest = hashlib.sha256()
    for rows in (np.setdiff1d(np.arange(len(images)), test), np.array(test)):
        digest.update(f"({len(rows)}, 1, 8, 8)".encode())
        digest.update(images[rows].tobytes())
        digest.update(bunch.target[rows].astype("<i8").tobytes())
    assert digits.sha256 == digest.hexdigest() == DIGITS_SHA256


def test_every_split_carries_the_statistics_of_the_training_images(digits):
    scaled = digits.train.images.double() / 255
    mean, std = scaled.mean().item(), scaled.std(correction=0).item()
    assert digits.stats == digits.test.stats == (pytest.approx((mean,)), pytest.approx((std,)))


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"name must be one of digits, mnist, .* or folder:PATH, got 'imagenet'"):
        load("imagenet")
    with pytest.raises(ValueError, match="got 'folder:'"):
        load("folder:")


@pytest.mark.parametrize("name", NAMES)
def test_image_size_is_for_folders(name):
    with pytest.raises(ValueError, match=f"image_size is for folder:PATH alone, got name='{name}'"):
        load(name, image_size=32)


def test_photographs_are_those_of_scikit_learn():
    found = photographs()
    assert list(found) == ["china", "flower"]
    for name, image in found.items():
        assert np.array_equal(image.permute(1, 2, 0), datasets.load_sample_image(f"{name}.jpg"))


# ---- splits ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        (torch.zeros(2, 1, 4, 4), torch.zeros(2).long(), r"images must be uint8 \(N, C, H, W\), got torch.float32"),
        (grey(2, 4, 4), torch.zeros(2).long(), r"images must be uint8 \(N, C, H, W\), got torch.uint8 \(2, 4, 4\)"),
        (
            grey(2, 1, 4, 4),
            torch.zeros(3).long(),
            r"labels must be int64 \(2,\), one per image, got torch.int64 \(3,\)",
        ),
        (grey(2, 1, 4, 4), torch.zeros(2), r"labels must be int64 \(2,\), one per image, got torch.float32"),
        (grey(2, 1, 4, 4), torch.zeros(2, 1).long(), r"labels must be int64 \(2,\).*got torch.int64 \(2, 1\)"),
    ],
)
def test_a_split_of_the_wrong_shape_or_type_is_refused(images, labels, message):
    with pytest.raises(ValueError, match=message):
        Split(images, labels)


@pytest.mark.parametrize(
    ("train", "test", "message"),
    [
        (split_of([0, 1]), split_of([0], size=3), r"must have one shape, got \(1, 2, 2\) and \(1, 3, 3\)"),
        (split_of([0, 2]), split_of([0]), r"train labels must lie in 0\.\.1, the classes that have a name"),
        (split_of([0, 1]), split_of([-1]), r"test labels must lie in 0\.\.1"),
        (
            split_of([0, 1]),
            Split(grey(0, 1, 2, 2), torch.zeros(0).long()),
            "test must hold at least one image, got none",
        ),
    ],
)
def test_splits_that_do_not_fit_together_are_refused(train, test, message):
    with pytest.raises(ValueError, match=message):
        ImageData("two", train, test, ("a", "b"))


def test_take_spreads_over_the_classes_and_keeps_the_order():
    split = split_of([2, 2, 2, 2, 0, 1, 0, 1, 2])
    taken = split.take(5)
    chosen = [0, 1, 4, 5, 6]  # the first of each class, then the second of the classes that come first in the split
    assert taken.labels.tolist() == [2, 2, 0, 1, 0]
    assert torch.equal(taken.images, split.images[chosen])
    assert split.take(9).labels.tolist() == split.labels.tolist()


@pytest.mark.parametrize("count", [0, 4])
def test_take_refuses_what_is_not_there(count):
    with pytest.raises(ValueError, match=f"count must be between 1 and the 3 images of the split, got {count}"):
        split_of([0, 1, 0]).take(count)


def test_a_smaller_data_set_has_its_own_statistics_and_hash(digits):
    small = digits.take(100, 50)
    assert np.bincount(small.train.labels).tolist() == [10] * 10
    assert np.bincount(small.test.labels).tolist() == [5] * 10
    assert small.sha256 != digits.sha256
    assert small.test.stats == channel_stats(small.train.images)
    assert (small.name, small.classes) == (digits.name, digits.classes)


def test_map_changes_the_images_of_both_splits(digits):
    negative = digits.map(lambda images: 255 - images)
    assert torch.equal(negative.train.images, 255 - digits.train.images)
    assert torch.equal(negative.test.images, 255 - digits.test.images)
    assert torch.equal(negative.test.labels, digits.test.labels)
    assert negative.stats.mean[0] == pytest.approx(1 - digits.stats.mean[0])
    assert negative.sha256 != digits.sha256
    assert negative.map(lambda images: 255 - images).sha256 == digits.sha256


# ---- transforms ------------------------------------------------------------------------------------------------------


def test_normalise_by_hand():
    images = torch.tensor([[[[0, 255]], [[51, 102]]]], dtype=torch.uint8)  # 0 and 1; 0.2 and 0.4
    found = normalise(images, ChannelStats((0.5, 0.2), (0.25, 0.1)))
    torch.testing.assert_close(found, torch.tensor([[[[-2.0, 2.0]], [[0.0, 2.0]]]]))


def test_normalise_is_torchvisions():
    images = grey(3, 3, 5, 4)
    mean, std = (0.4, 0.5, 0.6), (0.2, 0.3, 0.1)
    expected = tv.normalize(tv.to_dtype(images, torch.float32, scale=True), mean, std)
    torch.testing.assert_close(normalise(images, ChannelStats(mean, std)), expected)


def test_normalised_training_images_have_mean_0_and_deviation_1():
    images = grey(50, 3, 6, 6) // torch.tensor([1, 2, 5]).view(1, 3, 1, 1)
    found = normalise(images, channel_stats(images)).double()
    torch.testing.assert_close(found.mean((0, 2, 3)), torch.zeros(3).double(), atol=1e-5, rtol=0)
    torch.testing.assert_close(found.std((0, 2, 3), correction=0), torch.ones(3).double(), atol=1e-5, rtol=0)


def test_a_channel_of_one_value_is_normalised_to_zero():
    images = torch.full((2, 1, 3, 3), 7, dtype=torch.uint8)
    assert normalise(images, channel_stats(images)).abs().max() < 1e-6


def test_normalise_refuses_another_number_of_channels():
    with pytest.raises(ValueError, match="images must have 1 channels as stats has, got 3"):
        normalise(grey(1, 3, 2, 2), ChannelStats((0.5,), (0.5,)))


def test_pad_to_sets_images_in_the_middle():
    images = torch.tensor([[[[1, 2], [3, 4]]]], dtype=torch.uint8)
    expected = [[9, 9, 9, 9, 9], [9, 1, 2, 9, 9], [9, 3, 4, 9, 9], [9, 9, 9, 9, 9]]
    found = pad_to(images, (4, 5), value=9)
    assert found.dtype == torch.uint8
    assert found[0, 0].tolist() == expected
    assert torch.equal(pad_to(images, 2), images)
    assert torch.equal(pad_to(images, 32), tv.pad(images, [15, 15, 15, 15]))


def test_pad_to_refuses_a_smaller_field():
    with pytest.raises(ValueError, match=r"size must be at least the images' \(8, 8\), got \(9, 7\)"):
        pad_to(grey(1, 1, 8, 8), (9, 7))


@pytest.mark.parametrize("size", [16, 5, (20, 3), 8])
def test_resize_is_torchvisions_up_to_rounding(size):
    images = grey(4, 3, 8, 8)
    both = [size, size] if isinstance(size, int) else list(size)
    expected = tv.resize(images, both, antialias=True)
    found = resize(images, size)
    assert found.dtype == torch.uint8
    assert found.shape == expected.shape
    assert (found.int() - expected.int()).abs().max() <= 1


def test_resize_is_pillows_up_to_rounding():
    image = grey(1, 1, 28, 28)
    expected = np.array(Image.fromarray(image[0, 0].numpy()).resize((15, 13), Image.Resampling.BILINEAR)).astype(int)
    assert np.abs(resize(image, (13, 15))[0, 0].numpy().astype(int) - expected).max() <= 1


def test_resize_in_parts_changes_nothing():
    images = grey(4100, 1, 2, 2)
    found = resize(images, 3)
    assert torch.equal(found[4095:], resize(images[4095:], 3))
    assert torch.equal(found[:2], resize(images[:2], 3))


def test_resize_refuses_no_pixels():
    with pytest.raises(ValueError, match=r"size must be at least 1 pixel, got \(4, 0\)"):
        resize(grey(1, 1, 8, 8), (4, 0))
