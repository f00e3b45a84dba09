"""``course data``: what is in a folder of images, before anything is trained on it."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.table import Table

from course_lib.data import DataError
from course_lib.data.words import counted
from course_suite.contact_sheet import write_sheet
from course_suite.data_findings import Findings, look_at
from course_suite.errors import UserError

SHOWN = 10  # groups of copies, and other files
TITLES = {"all": "images", "train": "training", "validation": "validation", "test": "test"}


def data_command(console: Console, path: Path, *, labels: Path | None, sheet: Path | None) -> bool:
    """Print what there is; whether ``course train`` takes it as it is, without a file left out.

    Raises:
        UserError: it is no folder of images of several classes, or the sheet cannot be written.
    """
    try:
        found = look_at(path, labels)
    except DataError as error:
        raise UserError(str(error)) from error

    def say(text: str) -> None:
        console.print(text, markup=False, highlight=False, soft_wrap=True)

    console.print(_classes(found))
    for line in [*_pictures(found), *_copies(found), *_left_out(found)]:
        say(line)
    for error in found.bad:
        say(f"bad: {error}")
    if sheet is not None:
        number = write_sheet(found.listing, set(found.headers), sheet)
        say(f"wrote {sheet}, a row for each of {number} classes")
    if found.bad:
        say(f"{counted(len(found.bad), 'bad file')}: course train needs --skip-bad, or replace or delete such files")
    return not found.bad


def _classes(found: Findings) -> Table:
    """A table of classes, with what can be used of each in each part."""
    table = Table(title=str(found.listing.folder))
    table.add_column("class")
    for part in found.listing.parts:
        table.add_column(TITLES[part], justify="right")
    totals = []
    for name in found.listing.classes:
        numbers = [sum(file in found.headers for file in classes[name]) for classes in found.listing.parts.values()]
        totals.append(numbers)
        table.add_row(name, *(f"{number:,}" for number in numbers))
    table.add_section()
    table.add_row(f"{len(totals)} classes", *(f"{sum(column):,}" for column in zip(*totals, strict=True)))
    return table


def _pictures(found: Findings) -> list[str]:
    """Sizes, channels, formats, and what decoding does to them."""
    sizes = found.sizes()
    if not sizes:
        return []
    (height, width), count = sizes.most_common(1)[0]
    lines = [f"size (height x width): {height}x{width}, all"]
    if len(sizes) > 1:
        by_area = sorted(sizes, key=lambda size: size[0] * size[1])
        extremes = " to ".join(f"{size[0]}x{size[1]}" for size in (by_area[0], by_area[-1]))
        often = f"most often {height}x{width} ({count:,})"
        lines = [f"sizes (height x width): {len(sizes):,}, from {extremes}, {often}; course train needs --resize"]
    for what in ("format", "mode"):
        counts: dict[str, int] = {}
        for header in found.headers.values():
            counts[getattr(header, what)] = counts.get(getattr(header, what), 0) + 1
        lines.append(f"{what}: " + ", ".join(f"{name} {number:,}" for name, number in sorted(counts.items())))
    channels = 1 if all(header.is_grey for header in found.headers.values()) else 3
    lines.append(f"channels: {channels}" + (", all are grey" if channels == 1 else ""))
    return lines + [f"{number:,} {remark}" for remark, number in found.remarks.items()]


def _copies(found: Findings) -> list[str]:
    """Pictures that are there more than once."""
    extra = sum(len(group) - 1 for group in found.copies)
    lines = [f"copies: {extra:,} pictures are there already, pixel by pixel" if extra else "copies: none"]
    for groups, what in ((found.across_parts(), "in two parts"), (found.across_classes(), "in two classes")):
        lines += [f"{what}: " + ", ".join(_short(found, file) for file in group[:4]) for group in groups[:SHOWN]]
        if len(groups) > SHOWN:
            lines.append(f"{what}: {len(groups) - SHOWN:,} more")
    return lines


def _left_out(found: Findings) -> list[str]:
    other = found.listing.other
    lines = [f"note: {note}" for note in found.listing.notes]
    if "all" in found.listing.parts:
        lines.append("note: there is no test split; course train draws a fifth of each class, with copies together")
    if other:
        more = f" and {len(other) - SHOWN:,} more" if len(other) > SHOWN else ""
        lines.append(f"no images: {', '.join(_short(found, file) for file in other[:SHOWN])}{more}")
    return lines


def _short(found: Findings, file: Path) -> str:
    folder = found.listing.folder
    return str(file.relative_to(folder)) if file.is_relative_to(folder) else str(file)
