"""Whether a data set can be loaded without a network."""

from __future__ import annotations

from pathlib import Path

from course_lib.data import cifar
from course_lib.data.errors import DataError
from course_lib.data.idx_files import find_idx
from course_lib.data.load import NAMES, data_root
from course_lib.data.mnist import FASHION_MNIST, MNIST


def is_at_hand(name: str, root: str | Path | None = None) -> bool:
    """Whether ``load(name, root)`` finds the data set on this machine. Only names are looked at; nothing is read.

    Raises:
        ValueError: an unknown name.
    """
    kind, _, path = name.partition(":")
    if kind == "folder" and path:
        return Path(path).expanduser().exists()
    if name not in NAMES:
        raise ValueError(f"name must be one of {', '.join(NAMES)} or folder:PATH, got {name!r}")
    if name == "digits":
        return True
    if name == "cifar10":
        return cifar.find(data_root(root)) is not None
    try:
        return find_idx(MNIST if name == "mnist" else FASHION_MNIST, data_root(root)) is not None
    except DataError:
        return False
