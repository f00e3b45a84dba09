"""The digits that the page trains on."""

from __future__ import annotations

from typing import Any

LEVELS = "0123456789abcdefg"  # grey values 0 to 16, one character each


def digits() -> dict[str, dict[str, str]]:
    """scikit-learn's digits as course_lib.data splits them: 64 characters an image, 0 to g for 0 to 16; its class."""
    from course_lib.data import load

    data = load("digits")
    return {"train": written(data.train), "test": written(data.test)}


def written(split: Any) -> dict[str, str]:
    """The images and labels of a split as two texts."""
    grey = (split.images.double() * 16 / 255).round().int().flatten().tolist()
    return {
        "pixels": "".join(LEVELS[value] for value in grey),
        "labels": "".join(str(label) for label in split.labels.tolist()),
    }
