"""One entrance for every data set."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from course_lib.data.cifar import load_cifar10
from course_lib.data.digits import load_digits
from course_lib.data.folder import load_folder
from course_lib.data.mnist import FASHION_MNIST, MNIST, load_idx
from course_lib.data.splits import ImageData

NAMES = ("digits", "mnist", "fashion_mnist", "cifar10")


def data_root(root: str | Path | None = None) -> Path:
    """The folder of downloaded data: ``root``, else the variable COURSE_DATA, else ``~/.cache/cnn-recomputed``."""
    chosen = root or os.environ.get("COURSE_DATA") or "~/.cache/cnn-recomputed"
    return Path(chosen).expanduser()


def load(name: str, root: str | Path | None = None, **options: Any) -> ImageData:
    """A data set as resident tensors: images uint8 (N, C, H, W), labels int64 (N,).

    Args:
        name: "digits" (no download), "mnist", "fashion_mnist", "cifar10", or "folder:PATH" for images of one's own in
            ``PATH/train/CLASS/`` and ``PATH/test/CLASS/``, or in ``PATH/CLASS/``, or named in a CSV file.
        root: where downloads lie or go, in torchvision's layout; see ``data_root``.
        **options: for "folder:" alone, those of ``load_folder``, such as ``image_size`` and ``skip_bad``.

    Raises:
        ValueError: an unknown name, or an option with another name than "folder:".
        DataError: data that is missing, truncated, corrupted or out of reach; the message says what to do.
    """
    kind, _, path = name.partition(":")
    if kind == "folder" and path:
        return load_folder(Path(path), **options)
    if name not in NAMES:
        raise ValueError(f"name must be one of {', '.join(NAMES)} or folder:PATH, got {name!r}")
    if given := [option for option, value in options.items() if value is not None]:
        raise ValueError(f"{given[0]} is for folder:PATH alone, got name={name!r}; use data.map(...) with resize")
    if name == "digits":
        return load_digits()
    if name == "cifar10":
        return load_cifar10(data_root(root))
    return load_idx(MNIST if name == "mnist" else FASHION_MNIST, data_root(root))
