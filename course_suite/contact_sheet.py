"""A contact sheet: some pictures of each class, as they are decoded."""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from course_lib.data.listing import Listing
from course_lib.data.pictures import decode, quiet_metadata
from course_suite.errors import UserError

SIDE, GAP, NAME_HEIGHT = 96, 6, 20  # pixels
COLUMNS, MAX_CLASSES = 8, 50


def write_sheet(listing: Listing, good: set[Path], out: Path) -> int:
    """Write the sheet as an image and return how many classes are on it.

    A row for each class, of up to ``COLUMNS`` of its training pictures at even distances, whole and upright.

    Raises:
        UserError: the file cannot be written, or has a suffix that no image format has.
    """
    classes = listing.parts.get("train", listing.parts.get("all", {}))
    shown = list(classes.items())[:MAX_CLASSES]
    row = NAME_HEIGHT + SIDE + GAP
    sheet = Image.new("RGB", (GAP + COLUMNS * (SIDE + GAP), GAP + len(shown) * row), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=13)
    for number, (name, files) in enumerate(shown):
        usable = [file for file in files if file in good]
        top = GAP + number * row
        draw.text((GAP, top), f"{name} ({len(usable):,})", fill="black", font=font)
        step = max(1, len(usable) // COLUMNS)
        for column, file in enumerate(usable[::step][:COLUMNS]):
            with quiet_metadata():
                pixels, _ = decode(file, size=(SIDE, SIDE), fit="pad")
            sheet.paste(Image.fromarray(pixels), (GAP + column * (SIDE + GAP), top + NAME_HEIGHT))
    try:
        sheet.save(out)
    except (OSError, ValueError) as error:
        raise UserError(f"{out} cannot be written ({error}): give a file such as sheet.png") from None
    return len(shown)
