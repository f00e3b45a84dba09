"""Files that are the same, byte for byte."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path


def find_copies(files: Iterable[Path]) -> list[list[Path]]:
    """The groups of equal files, each group and all groups in the order of ``files``.

    Only files of equal size are read. What cannot be read is a copy of nothing.
    """
    by_size: dict[int, list[Path]] = defaultdict(list)
    for file in files:
        try:
            by_size[file.stat().st_size].append(file)
        except OSError:
            continue
    by_content: dict[bytes, list[Path]] = defaultdict(list)
    for same_size in by_size.values():
        if len(same_size) > 1:
            for file in same_size:
                if digest := _digest(file):
                    by_content[digest].append(file)
    return [group for group in by_content.values() if len(group) > 1]


def _digest(file: Path) -> bytes | None:
    try:
        with file.open("rb") as opened:
            return hashlib.file_digest(opened, "blake2b").digest()
    except OSError:
        return None
