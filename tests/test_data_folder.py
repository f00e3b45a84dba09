"""A folder of one's own images: read in a fixed order, or refused with the file's name."""

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.datasets import ImageFolder

from course_lib.data import DataError, load


def picture(path, size=(6, 5), seed=0):
    """Write a picture of (width, height), in the format that the suffix says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return pixels


@pytest.fixture
def folder(tmp_path):
    """Two classes, three images each to train and two to test, of 6x5 pixels."""
    for part, count in (("train", 3), ("test", 2)):
        for label, name in enumerate(("cat", "dog")):
            for index in range(count):
                picture(tmp_path / part / name / f"{index}.png", seed=10 * label + index)
    return tmp_path


def test_a_folder_is_read_as_torchvision_reads_it(folder):
    data = load(f"folder:{folder}")
    assert (data.name, data.classes, data.image_shape) == (f"folder:{folder}", ("cat", "dog"), (3, 5, 6))
    for part, split in (("train", data.train), ("test", data.test)):
        theirs = ImageFolder(folder / part)
        assert split.labels.tolist() == theirs.targets
        for image, (picture, _) in zip(split.images, theirs, strict=True):
            assert np.array_equal(image.permute(1, 2, 0), picture)


def test_formats_and_modes_are_mixed_as_one_likes(tmp_path):
    pixels = picture(tmp_path / "a" / "0.png")
    Image.fromarray(pixels).convert("L").save(tmp_path / "a" / "1.PNG")
    Image.fromarray(pixels).convert("RGBA").save(tmp_path / "a" / "2.webp", lossless=True)
    Image.fromarray(pixels).save(tmp_path / "a" / "3.bmp")
    picture(tmp_path / "b" / "deeper" / "0.tiff")
    (tmp_path / "a" / "notes.txt").write_text("no image")
    (tmp_path / "a" / "._0.png").write_text("what some systems leave beside a picture")
    (tmp_path / ".hidden").mkdir()
    data = load(f"folder:{tmp_path}")
    images = torch.cat([data.train.images, data.test.images]).permute(0, 2, 3, 1)
    assert len(images) == 5
    assert data.classes == ("a", "b")
    grey = images[images.float().std(3).sum((1, 2)) == 0]
    assert np.array_equal(grey[0, :, :, 0], np.array(Image.fromarray(pixels).convert("L")))
    assert sum(np.array_equal(image, pixels) for image in images) == 4


def test_without_train_and_test_every_fifth_image_of_a_class_is_for_the_test(tmp_path):
    for label, (name, count) in enumerate((("a", 10), ("b", 15))):
        for index in range(count):
            picture(tmp_path / name / f"{index:02}.png", seed=100 * label + index)
    data, again = load(f"folder:{tmp_path}"), load(f"folder:{tmp_path}")
    assert data.sha256 == again.sha256
    assert np.bincount(data.train.labels).tolist() == [8, 12]
    assert np.bincount(data.test.labels).tolist() == [2, 3]
    chosen = [tmp_path / "a" / "00.png", tmp_path / "a" / "05.png"]
    for image, path in zip(data.test.images[:2], chosen, strict=True):
        assert np.array_equal(image.permute(1, 2, 0), Image.open(path))


def test_images_of_several_sizes_need_image_size(folder):
    picture(folder / "train" / "dog" / "1.png", size=(7, 5))
    first, odd = folder / "train" / "cat" / "0.png", folder / "train" / "dog" / "1.png"
    with pytest.raises(DataError, match=rf"{odd} is 5x7 pixels \(height x width\), {first} is 5x6: pass image_size"):
        load(f"folder:{folder}")
    assert load(f"folder:{folder}", image_size=8).image_shape == (3, 8, 8)


def test_image_size_scales_as_pillow_does(folder):
    data = load(f"folder:{folder}", image_size=(3, 9))
    with Image.open(folder / "train" / "cat" / "0.png") as image:
        expected = np.array(image.resize((9, 3), Image.Resampling.BILINEAR))
    assert np.array_equal(data.train.images[0].permute(1, 2, 0), expected)


def test_train_and_test_of_different_sizes_need_image_size(folder):
    for path in (folder / "test").rglob("*.png"):
        picture(path, size=(4, 4))
    with pytest.raises(DataError, match=r"train images are \(5, 6\) and test images \(4, 4\); pass image_size"):
        load(f"folder:{folder}")


@pytest.mark.parametrize("size", [0, (4, 0), -3])
def test_image_size_below_one_pixel_is_refused(folder, size):
    with pytest.raises(ValueError, match="image_size must be at least 1 pixel, got"):
        load(f"folder:{folder}", image_size=size)


def cut_short(content):
    return content[: len(content) // 2]


def huge_header(content):
    return content[:18] + b"\xff\xff\x00\x00" * 2 + content[26:]


@pytest.mark.parametrize(
    ("suffix", "damage"),
    [
        (".png", cut_short),
        (".jpg", cut_short),
        (".jpg", lambda _: b""),
        (".gif", lambda _: b"text"),
        (".bmp", huge_header),
    ],
    ids=["half a png", "half a jpeg", "empty", "text", "too large"],
)
def test_an_image_that_cannot_be_decoded_is_named(folder, suffix, damage):
    path = folder / "train" / "cat" / f"9{suffix}"
    picture(path, size=(64, 64))
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(DataError, match=rf"^{path} cannot be decoded \(.*\): replace it or delete it$"):
        load(f"folder:{folder}", image_size=5)


def test_a_class_without_images_is_named(folder):
    (folder / "train" / "emu").mkdir()
    (folder / "train" / "emu" / "list.txt").write_text("")
    with pytest.raises(DataError, match=rf"{folder}/train/emu has no images \(\.bmp, .*\): add some or delete it"):
        load(f"folder:{folder}")


def test_classes_that_are_in_one_part_alone_are_named(folder):
    picture(folder / "train" / "emu" / "0.png")
    picture(folder / "test" / "ant" / "0.png")
    with pytest.raises(DataError, match="train and test must have the same classes; in one alone: ant, emu"):
        load(f"folder:{folder}")


def test_what_is_no_folder_of_images_is_refused(tmp_path):
    with pytest.raises(DataError, match="nowhere is not a folder: give the folder that holds train/ and test/, or one"):
        load(f"folder:{tmp_path}/nowhere")
    with pytest.raises(DataError, match="has no folders: put the images of each class into a folder named after the"):
        load(f"folder:{tmp_path}")
    picture(tmp_path / "cat" / "0.png")
    with pytest.raises(DataError, match="holds 1 images: at least 5 are needed to set some aside for the test"):
        load(f"folder:{tmp_path}")
