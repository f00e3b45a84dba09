"""Labels in a table: a CSV file that names each image and its class."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

from course_lib.data.errors import BadFileError, DataError
from course_lib.data.listing import Classes, Listing, bad_files, check_listing, descend
from course_lib.data.part_names import PARTS, part_of
from course_lib.data.walk import loose_files, walk
from course_lib.data.words import counted

SUFFIXES = (".csv", ".tsv")
DELIMITERS = ",;\t|"
FILE_COLUMNS = tuple("file filename filepath path image imagename imageid imagepath img id name".split())
LABEL_COLUMNS = tuple("label labels class classname classid category target y species breed diagnosis level".split())
PART_COLUMNS = tuple("split set subset partition part".split())


class Line(NamedTuple):
    """One image of a table: where it is named, its file as named, its class, and its part, if one is given."""

    number: int
    file: str
    label: str
    part: str | None


class Index:
    """Finds the images under a folder by what a table calls them: path, name, or name without suffix."""

    def __init__(self, folder: Path, images: list[Path]) -> None:
        self.found: dict[str, list[Path]] = defaultdict(list)
        for image in images:
            relative = image.relative_to(folder)
            for name in {relative.as_posix(), image.name, image.stem, relative.with_suffix("").as_posix()}:
                self.found[name].append(image)

    def find(self, name: str) -> list[Path]:
        """The images that a name may mean; none, or several, is a fault of the table."""
        path = Path(name.replace("\\", "/"))
        full = path.as_posix().removeprefix("./")
        return self.found.get(full) or self.found.get(path.name) or []


def list_tables(tables: list[Path], folder: Path) -> Listing:
    """The images that tables name, somewhere under ``folder``.

    A table has a line for each image, with a column of files and a column of classes, perhaps one of parts ("split"),
    under the names in this module, or two columns in either order. Several tables are one for each part, as their
    names say: ``train.csv``, ``test.csv``. Classes that are whole numbers are in the order of numbers.

    Raises:
        DataError: a table cannot be read, a column or a class is missing, or there are fewer than two classes.
    """
    tree = walk(folder)
    index = Index(folder, tree.images)
    listing = Listing(folder, {}, bad=tree.bad, other=[file for file in tree.other if file not in tables])
    labelled: dict[Path, tuple[str, str | None, str]] = {}
    for table in tables:
        part_of_table = part_of(table.stem) if len(tables) > 1 else None
        for line in _lines(table, index):
            _place(line._replace(part=line.part or part_of_table), table, folder, index, labelled, listing)
    bad = {error.path for error in listing.bad}
    kept = {file: entry for file, entry in labelled.items() if file not in bad}
    listing.parts = _parts(folder, kept)
    if "test" not in listing.parts and "validation" in listing.parts:
        listing.parts["test"] = listing.parts.pop("validation")
        listing.notes.append("the validation images are the test split, since there is no other")
    names = " and ".join(table.name for table in tables)
    listing.notes.insert(0, f"labels from {names}")
    if unnamed := len(set(tree.images) - set(labelled)):
        listing.notes.append(f"left out: {counted(unnamed, 'image')} without a label in {names}")
    if not kept:
        raise DataError(f"{tables[0]} has no image that can be used{bad_files(listing)}")
    check_listing(listing, tables[0])
    return listing


def find_tables(folder: Path) -> list[Path]:
    """The one table of a folder, or those that are called by a part of a data set.

    Raises:
        DataError: there are several, and none is called so.
    """
    for place in {folder: None, descend(folder): None}:
        tables = [file for file in loose_files(place).other if file.suffix.lower() in SUFFIXES]
        by_part = [table for table in tables if part_of(table.stem)]
        if len(tables) > 1 and not by_part:
            names = ", ".join(table.name for table in tables[:5])
            raise DataError(f"{place} has several tables ({names}): name the one of labels (labels=, --labels)")
        if tables:
            return by_part if len(tables) > 1 else tables
    return []


def _lines(table: Path, index: Index) -> list[Line]:
    try:
        text = table.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise DataError(f"{table} is not in UTF-8: save it as CSV in UTF-8") from None
    except OSError as error:
        raise DataError(f"{table} cannot be read ({error.strerror}): name a CSV file of labels") from None
    first = text.partition("\n")[0]
    delimiter = max(DELIMITERS, key=first.count)
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        rows = [(reader.line_num, row) for row in reader if row]
    except csv.Error as error:
        raise DataError(f"{table} is no table ({error}): save it as CSV in UTF-8") from None
    if not rows:
        raise DataError(f"{table} is empty: give each image a line with its file and its class")
    file, label, part, has_header = _columns(table, rows, index)
    lines = []
    for number, row in rows[has_header:]:
        if len(row) <= max(file, label, part or 0) or not row[file].strip() or not row[label].strip():
            raise DataError(f"{table}, line {number}, lacks a file or a class: {delimiter.join(row)!r}")
        lines.append(Line(number, row[file].strip(), row[label].strip(), _part(table, number, row, part)))
    return lines


def _columns(table: Path, rows: list[tuple[int, list[str]]], index: Index) -> tuple[int, int, int | None, bool]:
    """Which columns hold the files, the classes and the parts, and whether the first line names them."""
    header = [name.strip() for name in rows[0][1]]
    named = ["".join(letter for letter in name.lower() if letter.isalpha()) for name in header]
    is_data = [bool(index.find(name)) for name in header]
    if any(is_data):  # a table without a heading
        if len(header) != 2:
            raise DataError(f"{table} has {len(header)} columns without names: begin it with a line such as file,label")
        return is_data.index(True), 1 - is_data.index(True), None, False
    file, label, part = (
        next((named.index(name) for name in known if name in named), None)
        for known in (FILE_COLUMNS, LABEL_COLUMNS, PART_COLUMNS)
    )
    if len(header) == 2 and (file is None) != (label is None):
        file, label = (1 - label, label) if file is None else (file, 1 - file)
    elif len(header) == 2 and file is None:
        seconds = [row for _, row in rows[1:20] if len(row) == 2]
        file = int(any(index.find(row[1].strip()) for row in seconds))
        label = 1 - file
    if file is None or label is None or file == label:
        raise DataError(
            f"{table} has the columns {', '.join(header)[:200]}: call the column of files file and the column of "
            f"classes label"
        )
    return file, label, part, True


def _part(table: Path, number: int, row: list[str], column: int | None) -> str | None:
    if column is None:
        return None
    part = part_of(row[column])
    if part is None:
        raise DataError(f"{table}, line {number}: {row[column]!r} is no part; parts are {', '.join(PARTS)}")
    return part


def _place(
    line: Line,
    table: Path,
    folder: Path,
    index: Index,
    labelled: dict[Path, tuple[str, str | None, str]],
    listing: Listing,
) -> None:
    """Enter one line's image, or what is wrong with it."""
    where = f"{table.name}, line {line.number}"
    found = index.find(line.file)
    if len(found) != 1:
        named = {error.path.name for error in listing.bad}
        if found:
            listing.bad.append(
                BadFileError(folder / line.file, f"({where}) may be any of {len(found)} files of that name")
            )
        elif Path(line.file).name not in named:
            listing.bad.append(BadFileError(folder / line.file, f"is named in {where}, and is not there"))
        return
    before = labelled.get(found[0])
    if before is None:
        labelled[found[0]] = (line.label, line.part, where)
    elif before[:2] != (line.label, line.part):
        listing.bad.append(BadFileError(found[0], f"is {before[0]} in {before[2]}, and {line.label} in {where}"))


def _parts(folder: Path, labelled: dict[Path, tuple[str, str | None, str]]) -> dict[str, Classes]:
    """The files by part and class: by the table's column, else by the folder that a file lies in, else "all"."""
    parts = {file: part or part_of(file.relative_to(folder).parts[0]) for file, (_, part, _) in labelled.items()}
    is_split = None not in parts.values() and "train" in parts.values() and len(set(parts.values())) > 1
    labels = {label for label, _, _ in labelled.values()}
    by_number = all(label.isascii() and label.isdigit() for label in labels)
    names = sorted(labels, key=int) if by_number else sorted(labels)
    kinds = [part for part in PARTS if part in parts.values()] if is_split else ["all"]
    found: dict[str, Classes] = {kind: {name: [] for name in names} for kind in kinds}
    for file in sorted(labelled):
        found[parts[file] if is_split else "all"][labelled[file][0]].append(file)
    return found
