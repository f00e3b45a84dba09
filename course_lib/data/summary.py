"""What was loaded, in one line."""

from __future__ import annotations

import torch

from course_lib.data.splits import ImageData


def summary(data: ImageData) -> str:
    """Classes, images in each split, their shape, the smallest class, and the notes of a folder; one line."""
    splits = {"training": data.train, "validation": data.validation, "test": data.test}
    counts = ", ".join(f"{len(split):,} {name}" for name, split in splits.items() if split is not None)
    by_class = torch.bincount(data.train.labels.cpu(), minlength=len(data.classes))
    smallest = int(by_class.argmin())
    shape = "x".join(map(str, data.image_shape))
    text = (
        f"{data.name}: {len(data.classes)} classes, {counts} images of {shape}, smallest class "
        f"{data.classes[smallest]} ({int(by_class[smallest]):,} training images)"
    )
    return " ".join("; ".join([text, *data.notes]).split())
