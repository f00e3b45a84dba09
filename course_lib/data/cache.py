"""Decoded pictures on disk, under a key of all that they depend on."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import math
import os
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import PIL
from filelock import FileLock

from course_lib.data.copies import find_copies
from course_lib.data.decoded import AT_A_TIME, Rows, Wanted, decode_rows, read_headers, remarks, settle
from course_lib.data.errors import BadFileError, DataError

FORM = 1  # raised when the same files would be decoded otherwise
IN_MEMORY_BYTES = 128 * 2**20  # what is smaller is decoded each time, and leaves nothing behind
STALE_SECONDS = 30 * 24 * 3600
IMAGES, KEPT = "images.u8", "kept.json"


class Pictures(NamedTuple):
    """Decoded pictures, uint8 (N, C, H, W); the files that are not among them; what was done; equal files."""

    images: np.ndarray
    bad: list[BadFileError]
    notes: list[str]
    copies: list[list[Path]]


def cache_root() -> Path:
    """The folder of decoded pictures: the variable COURSE_CACHE, else ``~/.cache/cnn-recomputed/decoded``."""
    return Path(os.environ.get("COURSE_CACHE") or "~/.cache/cnn-recomputed/decoded").expanduser()


def decoded(files: Sequence[Path], wanted: Wanted, *, skip_bad: bool = True) -> Pictures:
    """The pictures of all files that can be decoded, in order, and those that cannot.

    A large set is decoded into a file of ``cache_root``, which is mapped: memory holds what is used. A second call
    finds it there while no file, size or date has changed. A call that was killed is gone on with. Several processes
    that ask for the same pictures wait for the one that decodes.

    Args:
        skip_bad: False stops before decoding where a file cannot even be opened: there are no pictures then.

    Raises:
        DataError: several sizes and none is asked for, no room, or a folder that cannot be written to.
    """
    folder = cache_root() / _key(files, wanted)
    if (folder / KEPT).exists():
        return _open(folder, files)
    headers, bad = read_headers(files)
    if not headers or (bad and not skip_bad):
        return Pictures(np.empty((0, 1, 1, 1), np.uint8), bad, [], [])
    how, good = settle(headers, wanted), list(headers)
    shape = (len(good), how.channels, *how.size)
    num_bytes = math.prod(shape)
    if num_bytes < IN_MEMORY_BYTES:
        rows = Rows(np.empty(shape, np.uint8), np.zeros(len(good), np.uint8))
        bad += decode_rows(good, how, rows)
        images = rows.images if rows.done.all() else rows.images[rows.done > 0]
        return Pictures(images, bad, remarks(rows.done, headers, how), find_copies(files))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _remove_stale(folder)
        with FileLock(folder / "lock"):
            if not (folder / KEPT).exists():
                rows = _rows(folder, shape)
                bad += decode_rows(good, how, rows)
                _finish(folder, rows, Pictures(rows.images, bad, remarks(rows.done, headers, how), find_copies(files)))
        return _open(folder, files)
    except OSError as error:
        raise DataError(
            f"{len(good):,} images of {how.size[0]}x{how.size[1]} need {num_bytes / 2**30:.1f} GiB in {cache_root()} "
            f"({error.strerror}): make room, ask for smaller images, or name another folder in COURSE_CACHE"
        ) from None


def _key(files: Sequence[Path], wanted: Wanted) -> str:
    """A name for these files, as they are now, decoded so by this Pillow."""
    digest = hashlib.sha256(repr((FORM, PIL.__version__, wanted)).encode())
    for file in files:
        with contextlib.suppress(OSError):  # gone, or out of reach: found out when it is opened
            status = file.stat()
            digest.update(repr((str(file.absolute()), status.st_size, status.st_mtime_ns)).encode())
    return digest.hexdigest()[:32]


def _rows(folder: Path, shape: tuple[int, ...]) -> Rows:
    """The files that are decoded into: those that a killed run left, or new ones."""
    parts, shapes = _parts(folder), (shape, shape[:1])
    sizes = [math.prod(size) for size in shapes]
    if not all(part.exists() and part.stat().st_size == size for part, size in zip(parts, sizes, strict=True)):
        for part, size in zip(parts, sizes, strict=True):
            _reserve(part, size)
    return Rows(*(np.memmap(part, np.uint8, "r+", shape=size) for part, size in zip(parts, shapes, strict=True)))


def _finish(folder: Path, rows: Rows, made: Pictures) -> None:
    """Put the pictures in place; the file ``KEPT``, which comes last, says that they are complete."""
    good, shape = np.flatnonzero(rows.done), rows.images.shape
    if len(good) < len(rows.done):
        with (folder / IMAGES).open("wb") as file:
            for some in np.array_split(good, max(1, rows.images.nbytes // AT_A_TIME)):
                file.write(rows.images[some])
    else:
        _parts(folder)[0].replace(folder / IMAGES)
    content = {
        "shape": [len(good), *shape[1:]],
        "bad": {str(error.path): error.reason for error in made.bad},
        "notes": made.notes,
        "copies": [[str(file) for file in group] for group in made.copies],
    }
    temporary = folder / f"{KEPT}.part"
    temporary.write_text(json.dumps(content), encoding="utf-8")
    temporary.replace(folder / KEPT)
    for part in _parts(folder):
        part.unlink(missing_ok=True)


def _parts(folder: Path) -> list[Path]:
    return [folder / "images.part", folder / "done.part"]


def _open(folder: Path, files: Sequence[Path]) -> Pictures:
    """The finished pictures. They are mapped so that what is changed in memory stays there."""
    content = json.loads((folder / KEPT).read_text(encoding="utf-8"))
    (folder / KEPT).touch()
    images = np.memmap(folder / IMAGES, np.uint8, "c", shape=tuple(content["shape"]))
    bad = [BadFileError(file, content["bad"][str(file)]) for file in files if str(file) in content["bad"]]
    copies = [[Path(file) for file in group] for group in content["copies"]]
    return Pictures(images, bad, content["notes"], copies)


def _reserve(path: Path, num_bytes: int) -> None:
    """A file of zeros that has its room on disk: a mapped file that runs out of room would kill the process."""
    with path.open("wb") as file:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, num_bytes)
        elif shutil.disk_usage(path.parent).free < num_bytes:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        file.truncate(num_bytes)


def _remove_stale(folder: Path) -> None:
    """Remove what nobody has asked for in a month, and what a killed run left as long ago."""
    for other in folder.parent.iterdir():
        with contextlib.suppress(OSError):  # another process may be removing it too
            newest = max((path.stat().st_mtime for path in other.iterdir()), default=0.0)
            if other != folder and time.time() - newest > STALE_SECONDS:
                shutil.rmtree(other, ignore_errors=True)
