"""MNIST and Fashion-MNIST: four IDX files each, in the folders where torchvision puts them."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path
from typing import NamedTuple

import torch

from course_lib.data.files import download, read_checked
from course_lib.data.splits import DataError, ImageData, Split


class IdxSet(NamedTuple):
    """Where a data set lies, and the SHA-256 of its files where these are published."""

    name: str
    dataset: str  # torchvision's class, which names the folder too
    classes: tuple[str, ...]
    sha256: dict[str, str]


SIZES = {
    "train-images-idx3-ubyte": 47_040_016,
    "train-labels-idx1-ubyte": 60_008,
    "t10k-images-idx3-ubyte": 7_840_016,
    "t10k-labels-idx1-ubyte": 10_008,
}
# The MD5 of MNIST's train-images-idx3-ubyte is 6bbc9ace898e44ae57da46a324031adb.
MNIST_SHA256 = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
FASHION_CLASSES = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip
MNIST = IdxSet("mnist", "MNIST", tuple("0123456789"), MNIST_SHA256)
FASHION_MNIST = IdxSet("fashion_mnist", "FashionMNIST", FASHION_CLASSES, {})


def load_idx(which: IdxSet, root: Path) -> ImageData:
    """60,000 training and 10,000 test images of 28x28, downloaded when the folder is not there.

    LeCun et al. 1998 (MNIST); Xiao et al. 2017, arXiv:1708.07747 (Fashion-MNIST).

    Raises:
        DataError: a file is missing, truncated or corrupted, or the download failed.
    """
    folder = root / which.dataset
    if not folder.exists():
        download(which.name, folder, lambda parent: _fetch(which, parent), lambda found: _read(which, found))
    return _read(which, folder)


def _fetch(which: IdxSet, parent: Path) -> None:
    from torchvision import datasets

    getattr(datasets, which.dataset)(parent, download=True)  # checks the MD5 of each archive


def _read(which: IdxSet, folder: Path) -> ImageData:
    content = {name: _read_file(which, folder / "raw" / name) for name in SIZES}
    train, test = (
        Split(_parse(content[f"{part}-images-idx3-ubyte"], 16).view(-1, 1, 28, 28),
              _parse(content[f"{part}-labels-idx1-ubyte"], 8).long())
        for part in ("train", "t10k")
    )  # fmt: skip
    for part, split in (("train", train), ("t10k", test)):
        if int(split.labels.max()) > 9:
            raise DataError(f"{folder}/raw/{part}-labels-idx1-ubyte is corrupted: a label above 9; delete {folder}/raw")
    return ImageData(which.name, train, test, which.classes)


def _read_file(which: IdxSet, path: Path) -> bytes:
    """One file's bytes: checked by its SHA-256, or else against the archive that it came from, where that is kept."""
    sha256 = which.sha256.get(path.name)
    content = read_checked(path, size=SIZES[path.name], sha256=sha256)
    archive = path.with_name(f"{path.name}.gz")
    if sha256 is None and archive.exists():
        from torchvision import datasets

        md5 = dict(getattr(datasets, which.dataset).resources)[archive.name]
        try:
            original = gzip.decompress(read_checked(archive, md5=md5))
        except (OSError, EOFError, zlib.error) as error:
            raise DataError(f"{archive} is corrupted ({error}): delete {path.parent} and load again") from None
        if original != content:
            raise DataError(f"{path} is corrupted: it is not what {archive.name} holds; delete {path.parent}")
    return content


def _parse(content: bytes, header: int) -> torch.Tensor:
    """The bytes after an IDX header (16 bytes for images, 8 for labels)."""
    return torch.frombuffer(bytearray(content), dtype=torch.uint8, offset=header)
