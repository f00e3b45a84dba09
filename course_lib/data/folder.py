"""A folder of one's own images: listed, split where nobody has, decoded once, and said in a line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from course_lib.data.cache import decoded
from course_lib.data.decoded import Wanted, read_headers
from course_lib.data.errors import BadFileError, DataError
from course_lib.data.label_table import SUFFIXES, find_tables, list_tables
from course_lib.data.listing import Classes, Listing, list_images
from course_lib.data.pictures import FITS
from course_lib.data.shares import share_out, take_evenly
from course_lib.data.splits import ImageData, Split
from course_lib.data.words import counted

NAMED = 5  # bad files in a message


def load_folder(
    path: Path,
    *,
    image_size: int | tuple[int, int] | None = None,
    fit: str = "crop",
    channels: int | None = None,
    labels: str | Path | None = None,
    skip_bad: bool = False,
    take: int | None = None,
    test_share: float = 0.2,
    split_seed: int = 0,
) -> ImageData:
    """The images of a folder: (N, 3, H, W), or (N, 1, H, W) where all of them are grey.

    The classes are the folders in alphabetical order, or those of a table; see ``list_images`` and ``list_table`` for
    what is understood, and ``decode`` for what is done to a picture. Where there is no test split, one is drawn, the
    same share of each class. Large sets are decoded once, into ``cache_root``. ``ImageData.notes`` says what was found,
    done and left out.

    Args:
        path: the folder, or a CSV file of labels.
        image_size: scale each image to this size, ``size`` or ``(height, width)``; None needs images of one size.
        fit: "crop", "stretch" or "pad": what happens to images of another shape.
        channels: 1 or 3; None takes 1 where all images are grey.
        labels: a CSV file with a file's name and its class in each line, for a folder without class folders.
        skip_bad: leave out files that cannot be used, and count them in the notes; else they are refused, by name.
        take: decode only so many training images, spread evenly over the classes.
        test_share, split_seed: of the split that is drawn where there is none.

    Raises:
        ValueError: an argument is out of its range.
        DataError: no such folder, no images, a file that cannot be used (without ``skip_bad``), classes that do not
            fit, images of several sizes without ``image_size``, or no room for the decoded images.
    """
    path = path.expanduser()
    size = (image_size, image_size) if isinstance(image_size, int) else image_size
    _check_arguments(size, fit, channels, test_share)
    listing = list_folder(path, labels)
    notes, bad = list(listing.notes), list(listing.bad)
    parts = _split(listing, test_share, split_seed, notes)
    if take is not None:
        _check_take(take, parts["train"])
        parts["train"] = take_evenly(parts["train"], take)
    files = [file for part in parts.values() for found in part.values() for file in found]
    if bad and not skip_bad:  # all of them in one message
        _refuse(path, bad + read_headers(files)[1], skip_bad)
    pictures = decoded(files, Wanted(size, fit, channels), skip_bad=skip_bad)
    bad += pictures.bad
    _refuse(path, bad, skip_bad)
    parts = _without(path, parts, {error.path for error in pictures.bad})
    notes += pictures.notes + _leaks(parts, pictures.copies)
    if bad:
        notes.append(f"{counted(len(bad), 'bad file')} skipped")
    if listing.other:
        notes.append(counted(len(listing.other), "other file"))
    return _data(path, parts, pictures.images, tuple(notes))


def list_folder(path: Path, labels: str | Path | None = None) -> Listing:
    """The images of a folder or of a table of labels: of ``labels``, or where class folders are not to be found.

    Raises:
        DataError: nothing of that kind is there, or it cannot be used.
    """
    if labels is not None:
        return list_tables([Path(labels).expanduser()], path)
    if path.is_file() and path.suffix.lower() in SUFFIXES:
        return list_tables([path], path.parent)
    if not path.is_dir():
        kind = "is a file" if path.exists() else "is not there"
        raise DataError(f"{path} {kind}: give the folder that holds train/ and test/, or one folder per class")
    try:
        return list_images(path)
    except DataError:
        tables = find_tables(path)
        if not tables:
            raise
        return list_tables(tables, path)


def _check_arguments(size: tuple[int, int] | None, fit: str, channels: int | None, share: float) -> None:
    if size is not None and min(size) < 1:
        raise ValueError(f"image_size must be at least 1 pixel, got {size}")
    if fit not in FITS:
        raise ValueError(f"fit must be one of {', '.join(FITS)}, got {fit!r}")
    if channels not in (None, 1, 3):
        raise ValueError(f"channels must be 1 or 3, got {channels}")
    if not 0 < share < 1:
        raise ValueError(f"test_share must lie between 0 and 1, got {share}")


def _check_take(take: int, train: Classes) -> None:
    count = sum(map(len, train.values()))
    if not 1 <= take <= count:
        raise ValueError(f"take must be between 1 and the {count:,} images of the training split, got {take}")


def _split(listing: Listing, share: float, seed: int, notes: list[str]) -> dict[str, Classes]:
    """The parts, with a test split; its classes are those of the training split."""
    if "all" not in listing.parts:
        return dict(listing.parts)
    train, test = share_out(listing.parts["all"], share=share, seed=seed)
    notes.append(f"{share:.0%} of each class drawn for the test (seed {seed})")
    alone = [name for name, files in test.items() if not files]
    if len(alone) == len(test):
        raise DataError(f"{listing.folder}: no class has two different images, so none can be set aside for the test")
    if alone:
        notes.append(f"no test image of {', '.join(alone[:5])}{' and others' if len(alone) > 5 else ''}")
    return {"train": train, "test": test}


def _refuse(path: Path, bad: list[BadFileError], skip_bad: bool) -> None:
    if not bad or skip_bad:
        return
    named = "; ".join(str(error) for error in bad[:NAMED])
    more = f"; and {len(bad) - NAMED:,} more, which course data {path} lists" if len(bad) > NAMED else ""
    raise DataError(
        f"{counted(len(bad), 'bad file')}: {named}{more}: replace or delete such files, or leave them out with "
        f"skip_bad (--skip-bad)"
    )


def _without(path: Path, parts: dict[str, Classes], bad: set[Path]) -> dict[str, Classes]:
    """The parts without the bad files, as long as there is something to train and to test on."""
    kept = {
        part: {name: [file for file in files if file not in bad] for name, files in classes.items()}
        for part, classes in parts.items()
    }
    for name, files in kept["train"].items():
        if parts["train"][name] and not files:
            raise DataError(f"{path}: no training image of the class {name} can be used; course data says why")
    if not any(kept["test"].values()):
        raise DataError(f"{path}: no test image can be used; course data says why")
    if "validation" in kept and not any(kept["validation"].values()):
        del kept["validation"]
    return kept


def _leaks(parts: dict[str, Classes], copies: list[list[Path]]) -> list[str]:
    """How many images to test on, or to choose by, are copies of images to train on."""
    trained = {file for files in parts["train"].values() for file in files}
    copied = {file for group in copies if trained.intersection(group) for file in group}
    counts = {
        part: sum(file in copied for files in classes.values() for file in files)
        for part, classes in parts.items()
        if part != "train"
    }
    return [
        f"{counted(count, f'{part} image')} with a copy among the training images"
        for part, count in counts.items()
        if count
    ]


def _data(path: Path, parts: dict[str, Classes], images: np.ndarray, notes: tuple[str, ...]) -> ImageData:
    """The parts as slices of the images: nothing is copied."""
    splits, start = {}, 0
    for part, classes in parts.items():
        labels = [label for label, files in enumerate(classes.values()) for _ in files]
        chosen = torch.from_numpy(images[start : start + len(labels)])
        splits[part] = Split(chosen, torch.tensor(labels, dtype=torch.int64))
        start += len(labels)
    return ImageData(f"folder:{path}", classes=tuple(parts["train"]), notes=notes, **splits)
