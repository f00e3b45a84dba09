"""Where MNIST's four files may lie: torchvision's folder, or wherever a reader has put them, packed or not."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from pathlib import Path
from typing import NamedTuple

from course_lib.data.files import damaged, read_checked

NAMES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


class IdxSet(NamedTuple):
    """Where a data set lies, how many images it has, and the SHA-256 of its files.

    Args:
        name: as ``load`` takes it.
        dataset: torchvision's class, which names the folder too.
        classes: their names.
        counts: images in "train" and in "t10k", as the files call the test split.
        sha256: of the four files, where these are published.
        archives: of the four archives, where those are.
        others: SHA-256 of files of the same names that are of another data set.
    """

    name: str
    dataset: str
    classes: tuple[str, ...]
    counts: dict[str, int]
    sha256: dict[str, str]
    archives: dict[str, str]
    others: frozenset[str] = frozenset()


def folders(which: IdxSet, root: Path) -> list[Path]:
    """The folders that are looked into, in this order."""
    own = root / which.dataset
    return [own / "raw", own, root / which.name, root]


def find_idx(which: IdxSet, root: Path) -> dict[str, Path] | None:
    """The path of each of the four files, all in one folder; None where there is nothing of the set.

    A file may be packed with gzip, may have the dot of Kaggle's copy in its name, "train-images.idx3-ubyte", and may
    lie in a folder of its own name, as Kaggle's copy is unpacked.

    Raises:
        DataError: some of them are there, and others are missing.
    """
    partly: dict[Path, dict[str, Path]] = {}
    for folder in folders(which, root):
        found = {name: path for name in NAMES if (path := _find(folder, name)) is not None}
        if len(found) == len(NAMES) and (folder != root or _is_of(which, found)):
            return found
        if found and folder != root:
            partly[folder] = found
    if not partly:
        return None
    folder, found = next(iter(partly.items()))
    missing = next(name for name in NAMES if name not in found)
    raise damaged(folder / missing, root / which.dataset, f"is missing beside {next(iter(found.values())).name}")


def content_of(which: IdxSet, name: str, path: Path, folder: Path, size: int) -> bytes:
    """The bytes of one file, unpacked, once its size is right and its SHA-256 where that is known.

    Raises:
        DataError: it cannot be read, or differs.
    """
    if path.suffix == ".gz":
        content = _unpack(read_checked(path, folder, sha256=which.archives.get(f"{name}.gz")))
        if content is None:
            raise damaged(path, folder, "is corrupted, it cannot be unpacked")
        if len(content) != size:
            raise damaged(path, folder, f"holds {len(content):,} bytes, expected {size:,}")
        if name in which.sha256 and _sha256(content) != which.sha256[name]:
            raise damaged(path, folder, f"is corrupted, what it holds has another sha256 than {which.sha256[name]}")
        return content
    content = read_checked(path, folder, size=size, sha256=which.sha256.get(name))
    archive = path.with_name(f"{path.name}.gz")
    if name not in which.sha256 and archive.exists():
        packed = read_checked(archive, folder, sha256=which.archives.get(archive.name))
        if _unpack(packed) != content:
            raise damaged(path, folder, f"is corrupted, it is not what {archive.name} holds")
    return content


def _find(folder: Path, name: str) -> Path | None:
    dotted = name.replace("-idx", ".idx")
    for called in (name, dotted):
        for path in (folder / called, folder / called / called, folder / f"{called}.gz"):
            if path.is_file() or (path == folder / name and path.is_dir() and not (path / name).exists()):
                return path
    return None


def _is_of(which: IdxSet, found: dict[str, Path]) -> bool:
    """Whether files that lie in nobody's folder are of this set and not of another of the same names."""
    name = NAMES[-1]
    try:
        content = found[name].read_bytes()
    except OSError:
        return False
    sum_of_it = _sha256(_unpack(content) or b"" if found[name].suffix == ".gz" else content)
    return sum_of_it == which.sha256.get(name, sum_of_it) and sum_of_it not in which.others


def _unpack(packed: bytes) -> bytes | None:
    try:
        return gzip.decompress(packed)
    except (OSError, EOFError, zlib.error):
        return None


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
