"""Many image files as one array: decoded once, by several threads, into memory or into a file that is mapped."""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from course_lib.data.errors import BadFileError, DataError
from course_lib.data.pictures import REMARKS, SCALED, Done, Header, decode, quiet_metadata, read_header

CHUNK = 32  # files for one task of a thread
AT_A_TIME = 64 * 2**20  # bytes decoded between two marks of what is done


class Wanted(NamedTuple):
    """How pictures are asked for; as in ``load_folder``."""

    size: tuple[int, int] | None = None
    fit: str = "crop"
    channels: int | None = None


@dataclass(frozen=True)
class How:
    """How pictures become rows of one array; as in ``pictures.decode``, with channels and size known."""

    channels: int
    size: tuple[int, int]
    fit: str
    scaled: bool

    def row(self, file: Path) -> tuple[np.ndarray, Done]:
        """One picture as (C, H, W)."""
        size = self.size if self.scaled else None
        pixels, done = decode(file, channels=self.channels, size=size, fit=self.fit)
        if pixels.shape[:2] != self.size:
            raise BadFileError(file, "has other sides than its header says")
        return pixels.transpose(2, 0, 1), done


class Rows(NamedTuple):
    """Where pictures go.

    Args:
        images: uint8 (N, C, H, W).
        done: uint8 (N,), the bits of ``Done``; 0 where nothing is decoded yet.
    """

    images: np.ndarray
    done: np.ndarray


def read_headers(files: Sequence[Path]) -> tuple[dict[Path, Header], list[BadFileError]]:
    """What each file says of its picture, and the files that say nothing."""
    headers, bad = {}, []
    for file, found in zip(files, in_threads(files, read_header, "looking"), strict=True):
        if isinstance(found, BadFileError):
            bad.append(found)
        else:
            headers[file] = found
    return headers, bad


def settle(headers: dict[Path, Header], wanted: Wanted) -> How:
    """Channels and size of all images.

    Raises:
        DataError: they are of several sizes, and none is asked for.
    """
    channels = wanted.channels or (1 if all(header.is_grey for header in headers.values()) else 3)
    if wanted.size is not None:
        return How(channels, wanted.size, wanted.fit, scaled=True)
    first, header = next(iter(headers.items()))
    for file, other in headers.items():
        if other.size != header.size:
            count = len({each.size for each in headers.values()})
            raise DataError(
                f"images of {count:,} sizes (height x width): {first} is {header.height}x{header.width}, {file} is "
                f"{other.height}x{other.width}: pass image_size (--resize) to scale all images to one size"
            )
    return How(channels, header.size, wanted.fit, scaled=False)


def decode_rows(files: Sequence[Path], how: How, rows: Rows) -> list[BadFileError]:
    """Decode the files whose row is not done yet, and mark them; return those that cannot be decoded.

    Rows are marked only after their pixels are on their way to disk, so that a run that is killed goes on where the
    marks end.
    """
    bad, todo = [], np.flatnonzero(rows.done == 0)
    step = max(1, AT_A_TIME // (rows.images[:1].nbytes or 1))
    found = in_threads([files[row] for row in todo], how.row, "decoding")
    for start in range(0, len(todo), step):
        marks = {}
        for row in todo[start : start + step]:
            result = next(found)
            if isinstance(result, BadFileError):
                bad.append(result)
            else:
                rows.images[row], marks[row] = result
        _flush(rows.images)
        for row, done in marks.items():
            rows.done[row] = done
        _flush(rows.done)
    return bad


def remarks(done: np.ndarray, headers: dict[Path, Header], how: How) -> list[str]:
    """What was done to the pictures, each a phrase with a count."""
    counts = {text: int(np.count_nonzero(done & bit)) for bit, text in REMARKS.items()}
    if how.scaled:
        height, width = how.size
        counts[SCALED[how.fit]] = sum(each.height * width != each.width * height for each in headers.values())
    return [f"{count:,} {text}" for text, count in counts.items() if count]


def in_threads(files: Sequence[Path], work: Callable[[Path], object], what: str) -> Iterator[object]:
    """``work(file)``, or the ``BadFileError`` that it raised, for each file in order; few at a time are held in memory.

    A bar shows on a terminal; elsewhere a line a minute, if it takes so long.
    """

    def several(chunk: Sequence[Path]) -> list[object]:
        results = []
        for file in chunk:
            try:
                results.append(work(file))
            except BadFileError as error:
                results.append(error)
        return results

    workers = os.cpu_count() or 1
    chunks = iter([files[start : start + CHUNK] for start in range(0, len(files), CHUNK)])
    pause = 0.1 if sys.stderr.isatty() else 60.0
    bar = tqdm(total=len(files), desc=what, unit=" images", delay=pause, mininterval=pause)
    with quiet_metadata(), bar, ThreadPoolExecutor(workers) as pool:
        try:
            waiting = [pool.submit(several, chunk) for chunk in itertools.islice(chunks, 2 * workers)]
            while waiting:
                results = waiting.pop(0).result()
                waiting += [pool.submit(several, chunk) for chunk in itertools.islice(chunks, 1)]
                yield from results
                bar.update(len(results))
        finally:
            pool.shutdown(cancel_futures=True)


def _flush(array: np.ndarray) -> None:
    if isinstance(array, np.memmap):
        array.flush()
