"""MNIST and Fashion-MNIST: four IDX files each, in the folders where torchvision puts them."""

from __future__ import annotations

import struct
from pathlib import Path

import torch
from torch import Tensor

from course_lib.data.files import damaged, download
from course_lib.data.idx_files import NAMES, IdxSet, content_of, find_idx, folders
from course_lib.data.splits import ImageData, Split

SIDE = 28


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
FASHION_MNIST = IdxSet(
    "fashion_mnist", "FashionMNIST", FASHION_CLASSES, COUNTS, {}, FASHION_ARCHIVES, frozenset(MNIST_SHA256.values())
)


def load_idx(which: IdxSet, root: Path) -> ImageData:
    """60,000 training and 10,000 test images of 28x28, from wherever ``find_idx`` finds them, else downloaded.

    LeCun et al. 1998 (MNIST); Xiao et al. 2017, arXiv:1708.07747 (Fashion-MNIST).

    Raises:
        DataError: a file is missing, truncated or corrupted, or the download failed.
    """
    folder = root / which.dataset
    files = find_idx(which, root)
    if files is None and folder.exists():
        raise damaged(folder / "raw" / NAMES[0], folder, "is missing")
    if files is None:
        places = ", ".join(str(place) for place in folders(which, root))
        download(which.name, folder, lambda parent: _fetch(which, parent), lambda made: _read(which, made), places)
        files = find_idx(which, root) or {}
    return _images(which, files, folder)


def _fetch(which: IdxSet, parent: Path) -> None:
    from torchvision import datasets

    getattr(datasets, which.dataset)(parent, download=True)  # checks the MD5 of each archive


def _read(which: IdxSet, folder: Path) -> ImageData:
    """What a download has put into ``folder``."""
    return _images(which, {name: folder / "raw" / name for name in NAMES}, folder)


def _images(which: IdxSet, files: dict[str, Path], folder: Path) -> ImageData:
    return ImageData(which.name, *(_split(which, files, folder, part) for part in ("train", "t10k")), which.classes)


def _split(which: IdxSet, files: dict[str, Path], folder: Path, part: str) -> Split:
    count = which.counts[part]
    images = _elements(which, files, folder, f"{part}-images-idx3-ubyte", (count, SIDE, SIDE))
    labels = _elements(which, files, folder, f"{part}-labels-idx1-ubyte", (count,))
    if int(labels.max()) >= len(which.classes):
        path = files[f"{part}-labels-idx1-ubyte"]
        raise damaged(path, folder, f"is corrupted, it has a label above {len(which.classes) - 1}")
    return Split(images.unsqueeze(1), labels.long())


def _elements(which: IdxSet, files: dict[str, Path], folder: Path, name: str, shape: tuple[int, ...]) -> Tensor:
    """The bytes of one IDX file as a tensor of that shape."""
    header = struct.pack(f">{1 + len(shape)}i", 0x0800 + len(shape), *shape)
    content = content_of(which, name, files[name], folder, len(header) + torch.Size(shape).numel())
    if not content.startswith(header):
        size = "x".join(map(str, shape))
        raise damaged(files[name], folder, f"is corrupted, it does not begin as an IDX file of {size} bytes")
    return torch.frombuffer(bytearray(content), dtype=torch.uint8, offset=len(header)).view(shape)
