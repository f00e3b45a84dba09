"""Files that are whole or refused: sizes, sums, and downloads that appear in one step."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import shutil
import socket
import tempfile
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from tarfile import TarError

from course_lib.data.errors import DataError

STALE_SECONDS = 24 * 3600
TIMEOUT_SECONDS = 30.0
REMEDY = ": put the right file there, or move "


def read_checked(
    path: Path, folder: Path, *, size: int | None = None, sha256: str | None = None, md5: str | None = None
) -> bytes:
    """The bytes of a file of the data set in ``folder``, once size and sums are right.

    Raises:
        DataError: the file is missing, cannot be read, or differs from what is expected.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise damaged(path, folder, "is missing") from None
    except OSError as error:
        raise damaged(path, folder, f"cannot be read ({error.strerror}), check its permissions") from None
    if size is not None and len(content) != size:
        raise damaged(path, folder, f"has {len(content):,} bytes, expected {size:,}")
    for expected, algorithm in ((sha256, "sha256"), (md5, "md5")):
        if expected is None:
            continue
        found = hashlib.new(algorithm, content, usedforsecurity=False).hexdigest()
        if found != expected:
            raise damaged(path, folder, f"is corrupted, its {algorithm} is {found}, expected {expected}")
    return content


def damaged(path: Path, folder: Path, problem: str) -> DataError:
    """What is wrong with a file of the data set in ``folder``, and the remedy."""
    away = folder if path.is_relative_to(folder) else path
    return DataError(f"{path} {problem}{REMEDY}{away} away and load again to download it afresh")


def download(
    name: str,
    folder: Path,
    fetch: Callable[[Path], object],
    verify: Callable[[Path], object],
    places: str | None = None,
) -> None:
    """Put ``folder`` in place, whole and verified, or leave nothing there.

    ``fetch(parent)`` writes a folder of that name under a temporary parent on the same disk, ``verify(folder)`` looks
    at it there, and a rename puts it in place. What a killed download left behind is removed a day later. ``places``
    is where the data set was looked for, if that is more than ``folder``.

    Raises:
        DataError: no network, no space, no permission, or the wrong bytes.
    """
    root = folder.parent
    made = [parent for parent in (root, *root.parents) if not parent.exists()]
    try:
        root.mkdir(parents=True, exist_ok=True)
        _remove_stale(root)
        parent = Path(tempfile.mkdtemp(prefix=".download-", dir=root))
    except OSError as error:
        raise DataError(
            f"{name} cannot be stored in {root} ({error.strerror}): set COURSE_DATA to a folder that you can write to"
        ) from None
    try:
        with _socket_timeout(TIMEOUT_SECONDS):
            fetch(parent)
        verify(parent / folder.name)
        if not folder.exists():  # else another process was faster, and its folder is whole
            (parent / folder.name).rename(folder)
    except (DataError, RuntimeError, OSError, EOFError, http.client.HTTPException, zlib.error, TarError) as error:
        text = str(error).partition(REMEDY)[0]  # that folder is deleted below
        reason = " ".join(text.split())[:200] or type(error).__name__
        raise DataError(
            f"{name} is not in {places or folder}, and could not be downloaded to {root} ({reason}): check the network "
            f'and the free space, or copy the files there by hand, or use "digits", which needs no download'
        ) from None
    finally:
        shutil.rmtree(parent, ignore_errors=True)
        for empty in made:
            with contextlib.suppress(OSError):  # it holds the data now
                empty.rmdir()


def _remove_stale(root: Path) -> None:
    for leftover in root.glob(".download-*"):
        with contextlib.suppress(FileNotFoundError):  # another process may be removing it too
            if time.time() - leftover.stat().st_mtime > STALE_SECONDS:
                shutil.rmtree(leftover, ignore_errors=True)


@contextlib.contextmanager
def _socket_timeout(seconds: float):
    """Let a silent server fail after so many seconds; torchvision itself waits for ever."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
