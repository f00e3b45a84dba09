"""``python -m course_suite.ledger FILE``: review a file of entries and print it; ``--fill`` writes the result into it.

The status is 1 where an entry is not as a reviewed entry must be.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from course_suite.ledger.entry import Entry, EntryError, load
from course_suite.ledger.fill import filled
from course_suite.ledger.ledger import ENTRIES, Ledger
from course_suite.ledger.review import Review, problems, review


def main(arguments: list[str] | None = None) -> int:
    """Review the entries of one file. Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m course_suite.ledger", description=__doc__.splitlines()[0])
    parser.add_argument("file", help="a file of entries, or its name without .yaml")
    parser.add_argument("--fill", action="store_true", help="write found, verdict and gives into the file")
    parser.add_argument("--only", metavar="TEXT", default="", help="entries whose id contains this")
    parser.add_argument("--quiet", action="store_true", help="print problems alone")
    given = parser.parse_args(arguments)
    path = Path(given.file) if given.file.endswith(".yaml") else ENTRIES / f"{given.file}.yaml"
    try:
        entries = load(path)
    except EntryError as error:
        print(error, file=sys.stderr)
        return 1
    reviews, lines = _reviews([entry for entry in entries if given.only in entry.id], with_others(entries, path))
    if given.fill:
        path.write_text(filled(path.read_text(encoding="utf-8"), reviews), encoding="utf-8")
        reviews, lines = _reviews([entry for entry in load(path) if given.only in entry.id], with_others(entries, path))
    for found in [] if given.quiet else reviews:
        how = ", ".join(dict.fromkeys(part.how for part in found.parts if part.how))
        print(f"{found.entry.id}: {found.entry.stated} | {found.found} | {found.verdict}" + (f" ({how})" * bool(how)))
    print("\n".join([*lines, f"{len(reviews)} entries reviewed, {len(lines)} problems"]))
    return 1 if lines else 0


def with_others(entries: list[Entry], path: Path) -> Ledger:
    """The entries of a file and those of the other files, to which they may refer; a file that is broken is named."""
    others = []
    for other in sorted(ENTRIES.glob("*.yaml")):
        if other.resolve() != path.resolve():
            try:
                others += load(other)
            except EntryError as error:
                print(f"left out: {error}", file=sys.stderr)
    own = {entry.id for entry in entries}
    return Ledger([*entries, *(entry for entry in others if entry.id not in own)])


def _reviews(entries: list[Entry], ledger: Ledger) -> tuple[list[Review], list[str]]:
    reviews, lines = [], []
    for entry in entries:
        try:
            found = review(entry, ledger)
        except EntryError as error:
            lines.append(str(error))
        else:
            reviews.append(found)
            lines += problems(found)
    return reviews, lines


if __name__ == "__main__":
    raise SystemExit(main())
