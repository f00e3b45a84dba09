"""A data set as a network gets it: scaled, set into a field, and perhaps only a part of its training images."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from course_lib.data.load import load
from course_lib.data.splits import ImageData
from course_lib.data.transforms import pad_to, pixel_scale
from course_lib.data.transforms import resize as resized


def load_prepared(
    name: str,
    root: str | Path | None = None,
    *,
    resize: int | None = None,
    pad: int | None = None,
    take: int | None = None,
    pixels: str | None = None,
    **options: Any,
) -> ImageData:
    """``load(name)`` with each step that is asked for: scaled, then a part of it, then padded.

    Args:
        name, root: as for ``load``.
        resize: scale the images to so many pixels a side.
        pad: set them into a black field of so many pixels a side.
        take: keep so many training images, spread evenly over the classes.
        pixels: "lecun1998" or "unit" for a fixed scale of the pixels; None normalises by the training images.
        **options: for "folder:" alone, those of ``load_folder``.

    Raises:
        ValueError: an unknown name, or a size or a number that does not fit.
        DataError: the data cannot be had.
    """
    if name.startswith("folder:"):
        data = load(name, root, image_size=resize, take=take, **options)
    else:
        data = load(name, root, **options)
        data = data.map(lambda images: resized(images, resize)) if resize else data
        data = data.take(take, len(data.test)) if take else data
    data = data.map(lambda images: pad_to(images, pad)) if pad else data
    return dataclasses.replace(data, pixels=pixel_scale(pixels, data.image_shape[0])) if pixels else data
