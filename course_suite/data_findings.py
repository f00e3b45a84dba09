"""What is in a folder of images: looked at file by file, every picture decoded, nothing kept but what is found."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

from course_lib.data.decoded import in_threads, read_headers
from course_lib.data.errors import BadFileError
from course_lib.data.folder import list_folder
from course_lib.data.listing import Listing
from course_lib.data.pictures import REMARKS, Done, Header, decode


@dataclass(frozen=True)
class Findings:
    """What ``course data`` shows.

    Args:
        listing: the files by part and class.
        headers: what each readable file says of its picture.
        bad: every file that cannot be used, in alphabetical order.
        remarks: how many pictures each thing was done to when they were decoded.
        copies: groups of pictures with the same pixels.
    """

    listing: Listing
    headers: dict[Path, Header]
    bad: list[BadFileError]
    remarks: dict[str, int]
    copies: list[list[Path]]

    def places(self) -> dict[Path, tuple[str, str]]:
        """The part and the class of each file."""
        return {
            file: (part, name)
            for part, classes in self.listing.parts.items()
            for name, files in classes.items()
            for file in files
        }

    def across_parts(self) -> list[list[Path]]:
        """The copies that lie in more than one part: what is tested was trained on."""
        places = self.places()
        return [group for group in self.copies if len({places[file][0] for file in group}) > 1]

    def across_classes(self) -> list[list[Path]]:
        """The copies that lie in more than one class: one of the labels is wrong."""
        places = self.places()
        return [group for group in self.copies if len({places[file][1] for file in group}) > 1]

    def sizes(self) -> Counter[tuple[int, int]]:
        """How many pictures there are of each (height, width)."""
        return Counter(header.size for header in self.headers.values())


def look_at(path: Path, labels: Path | None = None) -> Findings:
    """Find out what is in a folder, or named in a table; see ``course_lib.data.folder.list_folder``.

    Raises:
        DataError: it is no folder of images of several classes.
    """
    listing = list_folder(path, labels)
    files = [file for classes in listing.parts.values() for found in classes.values() for file in found]
    headers, bad = read_headers(files)
    by_pixels: dict[bytes, list[Path]] = defaultdict(list)
    done_counts: Counter[Done] = Counter()
    for file, found in zip(headers, in_threads(list(headers), _digest, "decoding"), strict=True):
        if isinstance(found, BadFileError):
            bad.append(found)
            continue
        digest, done = found
        by_pixels[digest].append(file)
        done_counts.update(bit for bit in REMARKS if done & bit)
    return Findings(
        listing,
        {file: header for file, header in headers.items() if file not in {error.path for error in bad}},
        sorted(listing.bad + bad, key=lambda error: error.path),
        {REMARKS[bit]: done_counts[bit] for bit in REMARKS if done_counts[bit]},
        [group for group in by_pixels.values() if len(group) > 1],
    )


def _digest(file: Path) -> tuple[bytes, Done]:
    pixels, done = decode(file)
    return hashlib.blake2b(repr(pixels.shape).encode() + pixels.tobytes(), digest_size=16).digest(), done
