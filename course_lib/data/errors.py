"""What is wrong with data: the one exception that a user of ``course_lib.data`` meets."""

from __future__ import annotations

from pathlib import Path


class DataError(Exception):
    """A data set cannot be used as it lies on disk, or cannot be had. The message says what is wrong and what to do.

    It is one line, whatever is in the names and tables that it quotes.
    """

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.splitlines()))


class BadFileError(DataError):
    """One file of a folder of images that is of no use.

    Args:
        path: the file or folder.
        reason: why, as it goes on after the name: "is empty".
    """

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path} {reason}")
        self.path, self.reason = path, reason
