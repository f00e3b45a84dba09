"""The validation split: what is held out, from what, and what a search may see."""

import pytest
import torch

from course_lib.data import ImageData, Split, load, normalise, resize

ORDER = torch.randperm(77, generator=torch.Generator().manual_seed(0))
LABELS = torch.arange(3).repeat_interleave(torch.tensor([40, 25, 12]))[ORDER]


def numbered(labels, start=0):
    """Images that are known by the value of their pixels."""
    return Split((torch.arange(len(labels)) + start).to(torch.uint8).view(-1, 1, 1, 1).repeat(1, 1, 2, 2), labels)


@pytest.fixture
def data():
    return ImageData("toy", numbered(LABELS), numbered(torch.tensor([0, 1, 2]), start=200), ("a", "b", "c"))


def values(split):
    return split.images[:, 0, 0, 0].tolist()


@pytest.mark.parametrize("share", [0.05, 0.1, 0.3, 0.5])
def test_what_is_held_out_is_a_share_of_each_class_and_of_the_training_images_alone(data, share):
    held = data.hold_out(share)
    assert sorted(values(held.train) + values(held.validation)) == sorted(values(data.train))
    assert len(held.validation) == round(share * 77)
    for label, count in enumerate((40, 25, 12)):
        assert abs(int((held.validation.labels == label).sum()) - share * count) <= 1
    for split in (held.train, held.validation):
        assert [int(LABELS[value]) for value in values(split)] == split.labels.tolist()
        assert values(split) == sorted(values(split))  # in their old order
    assert values(held.test) == values(data.test)


def test_no_chance_is_involved_and_the_hash_knows_the_validation_images(data):
    assert data.hold_out().sha256 == data.hold_out().sha256
    assert len({data.sha256, data.hold_out(0.1).sha256, data.hold_out(0.2).sha256}) == 3


def test_the_validation_images_are_normalised_by_the_training_images_that_are_left(data):
    held = data.hold_out(0.3)
    left = held.train.images.double() / 255
    assert held.validation.stats == held.train.stats == held.test.stats
    assert held.stats.mean[0] == pytest.approx(left.mean().item())
    assert normalise(held.train.images, held.stats).mean().item() == pytest.approx(0, abs=1e-6)


def test_a_search_sees_the_validation_images_in_the_place_of_the_test(data):
    search = data.for_choosing(0.2)
    held = data.hold_out(0.2)
    assert values(search.test) == values(held.validation)
    assert values(search.train) == values(held.train)
    assert search.validation is None
    assert not set(values(search.train) + values(search.test)) & set(values(data.test))
    assert values(held.for_choosing().test) == values(held.validation)


def test_map_changes_the_validation_images_too(data):
    larger = data.hold_out().map(lambda images: resize(images, 4))
    assert larger.validation.images.shape[1:] == (1, 4, 4)
    assert larger.validation.stats == larger.train.stats


def test_the_digits_hold_out_a_tenth():
    held = load("digits").hold_out()
    assert (len(held.train), len(held.validation), len(held.test)) == (1293, 144, 360)
    assert torch.bincount(held.validation.labels).tolist() == pytest.approx([14.4] * 10, abs=1)


def test_what_cannot_be_held_out_is_refused(data):
    with pytest.raises(ValueError, match="has a validation split of 8 images already"):
        data.hold_out().hold_out()
    for share in (0, 0.001, 1, -0.1):
        with pytest.raises(ValueError, match="share must leave an image in each part of the 77, got"):
            data.hold_out(share)
    larger = Split(torch.zeros(3, 1, 5, 5, dtype=torch.uint8), LABELS[:3])
    with pytest.raises(ValueError, match="train and validation images must have one shape"):
        ImageData("toy", data.train, data.test, data.classes, validation=larger)
