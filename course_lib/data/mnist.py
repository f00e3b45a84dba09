"""MNIST and Fashion-MNIST: four IDX files each, in the folders where torchvision puts them."""

from __future__ import annotations

import gzip
import struct
import zlib
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from course_lib.data.files import damaged, download, read_checked
from course_lib.data.splits import ImageData, Split

SIDE = 28


class IdxSet(NamedTuple):
    """Where a data set lies, how many images it has, and the SHA-256 of its files.

    Args:
        name: as ``load`` takes it.
        dataset: torchvision's class, which names the folder too.
        classes: their names.
        counts: images in "train" and in "t10k", as the files call the test split.
        sha256: of the four files, where these are published.
        archives: of the four archives, where those are.
    """

    name: str
    dataset: str
    classes: tuple[str, ...]
    counts: dict[str, int]
    sha256: dict[str, str]
    archives: dict[str, str]


COUNTS = {"train": 60_000, "t10k": 10_000}
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
FASHION_ARCHIVES = {
    "train-images-idx3-ubyte.gz": "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
    "train-labels-idx1-ubyte.gz": "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
    "t10k-images-idx3-ubyte.gz": "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
    "t10k-labels-idx1-ubyte.gz": "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
}
MNIST = IdxSet("mnist", "MNIST", tuple("0123456789"), COUNTS, MNIST_SHA256, {})
FASHION_MNIST = IdxSet("fashion_mnist", "FashionMNIST", FASHION_CLASSES, COUNTS, {}, FASHION_ARCHIVES)


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
    return ImageData(which.name, *(_split(which, folder, part) for part in ("train", "t10k")), which.classes)


def _split(which: IdxSet, folder: Path, part: str) -> Split:
    count = which.counts[part]
    images = _elements(which, folder, f"{part}-images-idx3-ubyte", (count, SIDE, SIDE))
    labels = _elements(which, folder, f"{part}-labels-idx1-ubyte", (count,))
    if int(labels.max()) >= len(which.classes):
        path = folder / "raw" / f"{part}-labels-idx1-ubyte"
        raise damaged(path, folder, f"is corrupted, it has a label above {len(which.classes) - 1}")
    return Split(images.unsqueeze(1), labels.long())


def _elements(which: IdxSet, folder: Path, name: str, shape: tuple[int, ...]) -> Tensor:
    """The bytes of one IDX file as a tensor of that shape.

    The file is checked by its SHA-256, or else against the archive that it came from, where that is kept.
    """
    path, header = folder / "raw" / name, struct.pack(f">{1 + len(shape)}i", 0x0800 + len(shape), *shape)
    count = torch.Size(shape).numel()
    content = read_checked(path, folder, size=len(header) + count, sha256=which.sha256.get(name))
    if name not in which.sha256:
        _compare_with_archive(which, folder, path, content)
    if not content.startswith(header):
        size = "x".join(map(str, shape))
        raise damaged(path, folder, f"is corrupted, it does not begin as an IDX file of {size} bytes")
    return torch.frombuffer(bytearray(content), dtype=torch.uint8, offset=len(header)).view(shape)


def _compare_with_archive(which: IdxSet, folder: Path, path: Path, content: bytes) -> None:
    archive = path.with_name(f"{path.name}.gz")
    if not archive.exists():
        return
    packed = read_checked(archive, folder, sha256=which.archives.get(archive.name))
    try:
        same = gzip.decompress(packed) == content
    except (OSError, EOFError, zlib.error):
        same = False
    if not same:
        raise damaged(path, folder, f"is corrupted, it is not what {archive.name} holds")
