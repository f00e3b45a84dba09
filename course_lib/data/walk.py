"""What lies under a folder: images, other files, and what cannot be looked into, each once and in one order."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from course_lib.data.errors import BadFileError, DataError
from course_lib.data.pictures import FOREIGN_SUFFIXES, SUFFIXES, looks_like_a_picture

# What file systems, archives and notebooks leave behind, besides everything hidden.
LEFTOVERS = frozenset({"__macosx", "__pycache__", "@eadir", "$recycle.bin", "lost+found", "system volume information"})


@dataclass
class Tree:
    """What was found: image files, what is bad and why, and the files that are no images."""

    images: list[Path] = field(default_factory=list)
    bad: list[BadFileError] = field(default_factory=list)
    other: list[Path] = field(default_factory=list)


def entries(folder: Path) -> list[os.DirEntry[str]]:
    """What is in a folder and not hidden, in alphabetical order.

    Raises:
        DataError: the folder cannot be opened.
    """
    try:
        with os.scandir(folder) as found:
            kept = [entry for entry in found if entry.name[0] != "." and entry.name.casefold() not in LEFTOVERS]
    except OSError as error:
        raise DataError(f"{folder} cannot be opened ({error.strerror}): check its permissions") from None
    return sorted(kept, key=lambda entry: entry.name)


def subfolders(folder: Path) -> list[Path]:
    """The folders in a folder, in alphabetical order."""
    return [folder / entry.name for entry in entries(folder) if _is_folder(entry)]


def loose_files(folder: Path) -> Tree:
    """The files of the folder itself."""
    tree = Tree()
    for entry in entries(folder):
        if not _is_folder(entry):
            _sort_in(folder / entry.name, tree)
    return tree


def walk(folder: Path) -> Tree:
    """All files under a folder, through links too; a link to a folder above is bad, not a circle."""
    return _walk(folder, tuple(_identity(parent) for parent in folder.absolute().parents))


def _identity(folder: Path) -> tuple[int, int]:
    status = folder.stat()
    return status.st_dev, status.st_ino


def _walk(folder: Path, above: tuple[tuple[int, int], ...]) -> Tree:
    """``above``: the folders on the way down."""
    tree = Tree()
    try:
        here = _identity(folder)
        found = entries(folder)
    except DataError as error:
        return Tree(bad=[BadFileError(folder, str(error).removeprefix(f"{folder} ").partition(":")[0])])
    if here in above:
        return Tree(bad=[BadFileError(folder, "is a link to a folder above it")])
    for entry in found:
        path = folder / entry.name
        if _is_folder(entry):
            inner = _walk(path, (*above, here))
            tree.images += inner.images
            tree.bad += inner.bad
            tree.other += inner.other
        else:
            _sort_in(path, tree)
    return tree


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _sort_in(path: Path, tree: Tree) -> None:
    """Put one file where it belongs."""
    suffix = path.suffix.lower()
    is_named = suffix in SUFFIXES or suffix in FOREIGN_SUFFIXES
    try:
        if not path.is_file():
            if is_named or path.is_symlink():
                missing = path.is_symlink() and not path.exists()
                tree.bad.append(BadFileError(path, "is a link to nothing" if missing else "is no ordinary file"))
            else:
                tree.other.append(path)
        elif suffix in FOREIGN_SUFFIXES:
            tree.bad.append(
                BadFileError(path, f"is {suffix[1:].upper()}, which is not read here: save it as PNG or JPEG")
            )
        elif suffix in SUFFIXES or (not suffix and looks_like_a_picture(path)):
            tree.images.append(path)
        else:
            tree.other.append(path)
    except OSError as error:
        tree.bad.append(BadFileError(path, f"cannot be looked at ({error.strerror})"))
