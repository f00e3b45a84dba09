"""A folder of one's own images, one folder per class, decoded once into memory."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from tqdm import tqdm

from course_lib.data.digits import stratified_split
from course_lib.data.splits import DataError, ImageData, Split

SUFFIXES = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"})


def load_folder(path: Path, *, image_size: int | tuple[int, int] | None = None) -> ImageData:
    """Images under ``train/CLASS/`` and ``test/CLASS/``, or under ``CLASS/`` alone: RGB, (N, 3, H, W).

    The classes are the folders in alphabetical order. Without ``train`` and ``test``, every fifth image of a class
    is for the test. A bar shows the decoding when the terminal is interactive.

    Args:
        path: the folder.
        image_size: scale each image to this size, ``size`` or ``(height, width)``; None needs images of one size.

    Raises:
        ValueError: ``image_size`` is below 1.
        DataError: no such folder, no images, an image that cannot be read, classes that differ between train and
            test, or images of several sizes without ``image_size``.
    """
    path = path.expanduser()
    if not path.is_dir():
        raise DataError(f"{path} is not a folder: give the folder that holds train/ and test/, or one folder per class")
    size = (image_size, image_size) if isinstance(image_size, int) else image_size
    if size is not None and min(size) < 1:
        raise ValueError(f"image_size must be at least 1 pixel, got {image_size}")
    name = f"folder:{path}"
    if not ((path / "train").is_dir() and (path / "test").is_dir()):
        files = _list(path)
        images, labels = _decode(files, size)
        if len(labels) < 5:
            raise DataError(f"{path} holds {len(labels)} images: at least 5 are needed to set some aside for the test")
        return ImageData(name, *stratified_split(images, labels), tuple(files))
    train, test = _list(path / "train"), _list(path / "test")
    if list(train) != list(test):
        odd = sorted(set(train) ^ set(test))
        raise DataError(f"{path}: train and test must have the same classes; in one alone: {', '.join(odd)}")
    splits = [Split(*_decode(files, size)) for files in (train, test)]
    if splits[0].images.shape[1:] != splits[1].images.shape[1:]:
        sizes = [tuple(split.images.shape[2:]) for split in splits]
        raise DataError(f"{path}: train images are {sizes[0]} and test images {sizes[1]}; pass image_size to scale all")
    return ImageData(name, *splits, tuple(train))


def _list(folder: Path) -> dict[str, list[Path]]:
    """The image files of each class, both in alphabetical order."""
    classes = sorted(entry for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    if not classes:
        raise DataError(f"{folder} has no folders: put the images of each class into a folder named after the class")
    files = {
        entry.name: sorted(file for file in entry.rglob("[!.]*") if file.suffix.lower() in SUFFIXES)
        for entry in classes
    }
    for name, found in files.items():
        if not found:
            raise DataError(f"{folder / name} has no images ({', '.join(sorted(SUFFIXES))}): add some or delete it")
    return files


def _decode(files: dict[str, list[Path]], size: tuple[int, int] | None) -> tuple[torch.Tensor, torch.Tensor]:
    """Images (N, 3, H, W) uint8 and labels (N,) of all files, class by class."""
    paths = [path for found in files.values() for path in found]
    labels = [label for label, found in enumerate(files.values()) for _ in found]
    images: torch.Tensor | None = None
    for index, path in enumerate(tqdm(paths, desc="decoding", unit=" images", disable=not sys.stderr.isatty())):
        pixels = torch.from_numpy(_open(path, size)).permute(2, 0, 1)
        if images is None:
            images = torch.empty(len(paths), *pixels.shape, dtype=torch.uint8)
        if pixels.shape != images.shape[1:]:
            height, width = images.shape[2:]
            raise DataError(
                f"{path} is {pixels.shape[1]}x{pixels.shape[2]} pixels (height x width), {paths[0]} is "
                f"{height}x{width}: pass image_size to scale all images to one size"
            )
        images[index] = pixels
    return images, torch.tensor(labels, dtype=torch.int64)


def _open(path: Path, size: tuple[int, int] | None) -> np.ndarray:
    """One image as (H, W, 3) uint8."""
    try:
        with Image.open(path) as image:
            rgb = image.convert("RGB")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise DataError(f"{path} cannot be decoded ({error}): replace it or delete it") from None
    if size is not None:
        rgb = rgb.resize((size[1], size[0]), Image.Resampling.BILINEAR)
    return np.array(rgb)
