"""The data sets themselves, where COURSE_DATA has them."""

import hashlib
import os
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch
from torchvision import datasets

from course_lib.data import data_root, load, normalise

pytestmark = pytest.mark.data


def needed(*names):
    """The path of a file in COURSE_DATA; the test is skipped where it is not there."""
    root = os.environ.get("COURSE_DATA")
    if not root or not Path(root, *names).exists():
        pytest.skip(f"needs {'/'.join(names)} in COURSE_DATA")
    return Path(root, *names)


def test_mnist_is_the_canonical_one():
    path = needed("MNIST", "raw", "train-images-idx3-ubyte")
    assert hashlib.md5(path.read_bytes()).hexdigest() == "6bbc9ace898e44ae57da46a324031adb"
    data = load("mnist")
    assert (data.train.images.shape, data.test.images.shape) == ((60_000, 1, 28, 28), (10_000, 1, 28, 28))
    assert (round(data.stats.mean[0], 4), round(data.stats.std[0], 4)) == (0.1307, 0.3081)
    assert data.train.labels[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert data.train.labels.bincount().tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    theirs = datasets.MNIST(data_root(), train=False)
    assert torch.equal(data.test.images[:, 0], theirs.data)
    assert torch.equal(data.test.labels, theirs.targets)
    assert abs(normalise(data.train.images[:1000], data.stats).mean()) < 0.05


CLASSES, TRAIN, TEST = ("airplane", "bird", "dog"), 8, 4


@pytest.fixture
def some_of_cifar(tmp_path):
    """A few images of three classes, out of the archive of JPEG files."""
    wanted = {
        f"{part}/{name}/{index:04}.jpg"
        for part, count in (("train", TRAIN), ("test", TEST))
        for name in CLASSES
        for index in range(count)
    }
    with tarfile.open(needed("cifar10-jpeg.tar.gz")) as archive:
        for member in archive:
            if member.name in wanted:
                archive.extract(member, tmp_path, filter="data")
                wanted.remove(member.name)
    assert not wanted
    return tmp_path


def test_jpeg_files_of_cifar_are_a_folder_of_images(some_of_cifar):
    data = load(f"folder:{some_of_cifar}")
    assert (data.image_shape, len(data.train), len(data.test)) == ((3, 32, 32), 3 * TRAIN, 3 * TEST)
    assert data.classes == CLASSES
    assert data.train.labels.bincount().tolist() == [TRAIN] * 3
    assert all(0.3 < mean < 0.6 for mean in data.stats.mean)
    theirs = datasets.ImageFolder(some_of_cifar / "test")
    for image, (picture, label), mine in zip(data.test.images, theirs, data.test.labels, strict=True):
        assert np.array_equal(image.permute(1, 2, 0), picture)
        assert mine == label
