"""CIFAR-10: the original batches for Python, in the folder where torchvision puts them."""

from __future__ import annotations

import io
import pickle
import tarfile
import tempfile
from pathlib import Path

import numpy as np
import torch

from course_lib.data.files import damaged, download, read_checked
from course_lib.data.splits import ImageData, Split

FOLDER = "cifar-10-batches-py"
ARCHIVE = "cifar-10-python.tar.gz"
ARCHIVE_SHA256 = "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"
CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
# As torchvision.datasets.CIFAR10 lists them; the files are pickles, and are opened only when the sum is right.
TRAIN_MD5 = {
    "data_batch_1": "c99cafc152244af753f735de768cd75f",
    "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
    "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
    "data_batch_4": "634d18415352ddfa80567beed471001a",
    "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
}
TEST_MD5 = {"test_batch": "40351d587109b95175f43aff81a1287e"}


def load_cifar10(root: Path) -> ImageData:
    """50,000 training and 10,000 test images, 3x32x32, downloaded when the folder is not there.

    Krizhevsky 2009, Learning multiple layers of features from tiny images.

    Raises:
        DataError: a file is missing, truncated or corrupted, or the download failed.
    """
    place = find(root)
    if place is None:
        folder = root / FOLDER
        if folder.exists():
            missing = next(name for name in TRAIN_MD5 | TEST_MD5 if not (folder / name).exists())
            raise damaged(folder / missing, folder, "is missing")
        download("cifar10", folder, _fetch, _read)
        place = folder
    return _read(place)


def find(root: Path) -> Path | None:
    """The folder of the batches, or the archive that holds it; None where neither is there."""
    for folder in (root / FOLDER, root):
        if all((folder / name).exists() for name in TRAIN_MD5 | TEST_MD5):
            return folder
    return next((path for path in (root / ARCHIVE, root / FOLDER / ARCHIVE) if path.is_file()), None)


def _fetch(parent: Path) -> None:
    from torchvision import datasets

    datasets.CIFAR10(parent, download=True)
    read_checked(parent / ARCHIVE, parent, sha256=ARCHIVE_SHA256)


def _read(place: Path) -> ImageData:
    """The data set from its folder or from its archive."""
    if place.is_dir():
        return ImageData("cifar10", _split(place, TRAIN_MD5), _split(place, TEST_MD5), CLASSES)
    packed = read_checked(place, place, sha256=ARCHIVE_SHA256)
    with tempfile.TemporaryDirectory() as unpacked, tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(unpacked, filter="data")
        return _read(Path(unpacked, FOLDER))


def _split(folder: Path, files: dict[str, str]) -> Split:
    batches = [
        pickle.loads(read_checked(folder / name, folder, md5=md5), encoding="latin1") for name, md5 in files.items()
    ]
    images = torch.from_numpy(np.concatenate([batch["data"] for batch in batches])).view(-1, 3, 32, 32)
    labels = torch.tensor([label for batch in batches for label in batch["labels"]], dtype=torch.int64)
    return Split(images, labels)
