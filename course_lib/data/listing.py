"""Which images a folder holds, of which class, and for which part: read from its folders, whatever they are called."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from pathlib import Path

from course_lib.data.errors import BadFileError, DataError
from course_lib.data.part_names import PARTS, part_of, parts_of
from course_lib.data.walk import Tree, loose_files, subfolders, walk
from course_lib.data.words import counted

Classes = dict[str, list[Path]]
MAX_LEVELS = 8  # of folders in folders, above the classes


@dataclass
class Listing:
    """What a folder, or a table of labels, holds.

    Args:
        folder: where the class folders or the parts lie, which may be below the folder that was named.
        parts: the files of each class, of each of "train", "validation", "test"; or of "all", where nobody has split.
        bad: files and folders that are of no use, with the reason.
        other: files that are no images.
        notes: what a reader should know, each a phrase.
    """

    folder: Path
    parts: dict[str, Classes]
    bad: list[BadFileError] = field(default_factory=list)
    other: list[Path] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes, in order."""
        return tuple(self.parts.get("train", self.parts.get("all", {})))

    def add(self, tree: Tree) -> None:
        """Take over what is bad or no image."""
        self.bad += tree.bad
        self.other += tree.other


def list_images(path: Path) -> Listing:
    """The images of a folder of class folders.

    Read as they stand: ``CLASS/``; ``train/CLASS/`` beside ``val/`` or ``test/``, under any of the names in
    ``part_names``; ``CLASS/train/``; and any of these one or more levels deeper than said, where only one folder leads
    down. What lies deeper in a class belongs to that class.

    Raises:
        DataError: fewer than two classes, a class without images, classes that differ between the parts.
    """
    folder = descend(path)
    listing = Listing(folder, {})
    if folder != path:
        listing.notes.append(f"found in {folder.relative_to(path)}/")
    by_part = _by_part(folder)
    if by_part:
        _read_parts(listing, by_part)
    else:
        classes = _read_classes(listing, folder)
        listing.parts = _split_inside(listing, classes) or {"all": classes}
    listing.add(loose := loose_files(folder))
    if loose.images:
        listing.notes.append(
            f"left out: {counted(len(loose.images), 'image')} beside the class folders, without a class"
        )
    check_listing(listing, path)
    return listing


def descend(path: Path) -> Path:
    """Down to where there is more than one folder, as long as exactly one leads there and has folders itself."""
    for _ in range(MAX_LEVELS):
        inner = subfolders(path)
        if len(inner) != 1 or not subfolders(inner[0]) or loose_files(path).images:
            break
        path = inner[0]
    return path


def _by_part(folder: Path) -> dict[str, Path]:
    """The folders that are parts, or nothing where the folders are classes.

    Raises:
        DataError: two folders are the same part, or there is a test and nothing to train on.
    """
    found: dict[str, Path] = {}
    inner = subfolders(folder)
    for child, part in zip(inner, parts_of([child.name for child in inner]), strict=True):
        if part in found:
            if {"train", "test"} & set(found):
                raise DataError(f"{folder}: {found[part].name}/ and {child.name}/ both look like {part}: move one away")
            return {}
        if part:
            found[part] = child
    if "train" in found and (len(found) > 1 or len(inner) == 1):
        return found
    if len(found) == len(inner) > 1:
        names = " and ".join(f"{child.name}/" for child in found.values())
        raise DataError(f"{folder} holds {names} and no train/: name the folder of the training images train")
    return {}


def _read_parts(listing: Listing, by_part: dict[str, Path]) -> None:
    folder = listing.folder
    for part in PARTS:
        if part not in by_part:
            continue
        inner = descend(by_part[part])
        if not subfolders(inner):
            images = counted(len(loose_files(inner).images), "image")
            if part == "train":
                raise DataError(
                    f"{inner} has no class folders ({images} in it): put the images of each class into "
                    f"a folder named after the class, or name a table of labels (labels=FILE.csv, --labels FILE.csv)"
                )
            listing.notes.append(f"left out: {images} in {by_part[part].name}/, which has no class folders")
            continue
        classes = _read_classes(listing, inner)
        if any(classes.values()):
            listing.parts[part] = classes
    for child in subfolders(folder):
        if child not in by_part.values() and (images := len(walk(child).images)):
            listing.notes.append(f"left out: {counted(images, 'image')} in {child.name}/, which is no part")
    if set(listing.parts) == {"train"}:
        listing.parts = {"all": listing.parts["train"]}
    elif "test" not in listing.parts:
        listing.parts["test"] = listing.parts.pop("validation")
        listing.notes.append(f"{by_part['validation'].name}/ is the test split, since there is no other")


def _read_classes(listing: Listing, folder: Path) -> Classes:
    """The images of each class folder. A name is the same whichever way its accents are stored."""
    classes: Classes = {}
    for child in subfolders(folder):
        name = unicodedata.normalize("NFC", child.name)
        alike = next((other for other in classes if other.casefold() == name.casefold()), None)
        if alike is not None:
            raise DataError(f"{folder}: the classes {alike} and {child.name} differ in case alone: make them one")
        tree = walk(child)
        listing.add(tree)
        classes[name] = tree.images
    return dict(sorted(classes.items()))


def _split_inside(listing: Listing, classes: Classes) -> dict[str, Classes]:
    """The parts, where each class folder has its own ``train`` and ``test``; else nothing."""
    parts: dict[str, Classes] = {}
    for name, files in classes.items():
        for file in files:
            steps = file.relative_to(listing.folder).parts
            part = part_of(steps[1]) if len(steps) > 2 else None
            if part is None:
                return {}
            parts.setdefault(part, {}).setdefault(name, []).append(file)
    if "train" not in parts or len(parts) < 2:
        return {}
    if "test" not in parts:
        parts["test"] = parts.pop("validation")
        listing.notes.append("the validation folders are the test split, since there is no other")
    return {part: {name: parts[part].get(name, []) for name in classes} for part in PARTS if part in parts}


def check_listing(listing: Listing, path: Path) -> None:
    """Refuse what cannot be trained on; note what cannot be tested."""
    classes = listing.classes
    if not classes:
        raise DataError(f"{path} has no folders: put the images of each class into a folder named after the class")
    main = listing.parts.get("train", listing.parts.get("all", {}))
    empty = [name for name in classes if not main[name]]
    if empty:
        named = f"{', '.join(empty)}{bad_files(listing)}"
        raise DataError(f"{path}: no image to train on in the class {named}: add some or delete it")
    if len(classes) == 1:
        raise DataError(
            f"{path} holds one class, {classes[0]}, and a classifier needs two: give the folder that holds one folder "
            f"per class, or a table of labels (labels=FILE.csv, --labels FILE.csv)"
        )
    for part, found in listing.parts.items():
        odd = sorted(name for name in found if name not in classes and found[name])
        if odd:
            raise DataError(f"{path}: {part} has classes that train has not: {', '.join(odd)}")
        listing.parts[part] = {name: found.get(name, []) for name in classes}
        lacking = [name for name in classes if not listing.parts[part][name]]
        if lacking:
            listing.notes.append(f"no {part} image of {_few(lacking)}")


def bad_files(listing: Listing) -> str:
    """How many bad files there are, for a message; nothing where there are none."""
    return f" ({counted(len(listing.bad), 'bad file')}; course data says why)" if listing.bad else ""


def _few(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
