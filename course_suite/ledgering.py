"""``course ledger``: the figures that papers and articles print, what was computed instead, and the verdicts."""

from __future__ import annotations

import csv
import io
import json
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from course_suite.errors import UserError
from course_suite.ledger import ENTRIES, VERDICTS, Entry, EntryError, Ledger, entries, problems, review
from course_suite.ledger.fill import fill_file
from course_suite.ledger.text import counts_text, figure_text, stated_text

COLUMNS = "id model quantity stated unit found verdict source location rule reason chapter".split()
STYLES = {"reproduced": "green", "rounded": "green", "differs": "bold red", "ambiguous": "yellow", "measured": "cyan"}


def ledger_command(
    console: Console,
    *,
    model: str | None = None,
    source: str | None = None,
    verdict: str | None = None,
    output_format: str = "table",
    check: bool = False,
) -> bool:
    """Print the chosen entries, or compute them again with ``check``. Returns whether all is as recorded.

    Raises:
        UserError: a file of entries is broken, the verdict is unknown, or nothing fits what was asked for.
    """
    try:
        ledger = entries()
    except EntryError as error:
        raise UserError(str(error)) from error
    found = select(ledger, model, source, verdict)
    if check:
        return check_entries(console, found, ledger)
    if output_format == "json":
        print(json.dumps([as_dict(entry) for entry in found], indent=1, ensure_ascii=False))
    elif output_format == "csv":
        print(as_csv(found), end="")
    else:
        print_entries(console, found)
    return True


def files_of(sources: list[str]) -> list[Path]:
    """The files of entries of these sources; all of them where none is named.

    Raises:
        UserError: there is no such file.
    """
    known = sorted(path.stem for path in ENTRIES.glob("*.yaml"))
    unknown = [source for source in sources if source not in known]
    if unknown:
        raise UserError(f"no file of entries is called {unknown[0]!r}; there are: {', '.join(known)}")
    return [ENTRIES / f"{source}.yaml" for source in sources or known]


def fill_command(console: Console, sources: list[str], only: str) -> bool:
    """Write what the computations give into the files of entries, and say what is still wrong.

    Returns whether nothing is.

    Raises:
        UserError: a file is broken, or no entry has such an id.
    """
    count, lines = 0, []
    for path in files_of(sources):
        before = path.read_bytes()
        try:
            reviews, wrong = fill_file(path, lambda entry: only in entry.id)
        except EntryError as error:
            raise UserError(str(error)) from error
        for found in reviews if only else []:
            text = f"{found.entry.id}: printed {stated_text(found.entry.stated)}, {figure_text(found.found)}"
            console.print(f"{text}: {found.verdict}", markup=False, highlight=False, soft_wrap=True)
        if path.read_bytes() != before:
            console.print(f"wrote {path.name}", highlight=False)
        count, lines = count + len(reviews), lines + wrong
    if not count and not lines:
        raise UserError(f"no entry has an id that contains {only!r}")
    for line in lines:
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    console.print(f"{count} entries computed, {len(lines)} problems", highlight=False)
    return not lines


def select(ledger: Ledger, model: str | None, source: str | None, verdict: str | None) -> list[Entry]:
    """The entries whose model and source contain what was asked for, in any case, and which have that verdict."""
    if verdict is not None and verdict not in VERDICTS:
        raise UserError(f"--verdict must be one of {', '.join(VERDICTS)}, got {verdict!r}")
    found = [
        entry
        for entry in ledger
        if (model or "").lower() in entry.model.lower()
        and (source or "").lower() in entry.source.lower()
        and verdict in (None, entry.verdict)
    ]
    if not found:
        known = sorted({entry.source for entry in ledger})
        raise UserError(f"no entry fits; the sources are: {', '.join(known)}")
    return found


def check_entries(console: Console, found: list[Entry], ledger: Ledger) -> bool:
    """Compute the entries again, and print what is no longer as recorded."""
    began, lines = time.perf_counter(), []
    for entry in found:
        try:
            lines += problems(review(entry, ledger))
        except EntryError as error:
            lines.append(str(error))
    for line in lines:
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    seconds = time.perf_counter() - began
    said = "as recorded" if not lines else f"{len(lines)} problems"
    console.print(
        f"{len(found)} entries computed again in {seconds:.1f} s, {said}: {counts_text(found)}",
        highlight=False,
        soft_wrap=True,
    )
    return not lines


def print_entries(console: Console, found: list[Entry]) -> None:
    """A row an entry, and the counts by verdict."""
    table = Table()
    table.add_column("model", overflow="fold", ratio=2)
    table.add_column("quantity", overflow="fold", ratio=4)
    table.add_column("printed", overflow="fold", ratio=3)
    table.add_column("computed", overflow="fold", ratio=3)
    table.add_column("verdict", no_wrap=True)
    for entry in found:
        verdict = Text(entry.verdict or "not reviewed", STYLES.get(entry.verdict or "", ""))
        printed = " ".join(filter(None, (stated_text(entry.stated), entry.unit)))
        table.add_row(*map(Text, (entry.model, entry.quantity, printed, figure_text(entry.found))), verdict)
    console.print(table)
    console.print(f"{len(found)} entries: {counts_text(found)}", highlight=False, soft_wrap=True)


def as_dict(entry: Entry) -> dict[str, Any]:
    """An entry with its computation, as JSON can hold it."""
    explained = entry.explained_by
    explanation = explained and {"compute": explained.compute, "gives": explained.gives, "text": explained.text}
    return {
        **{name: getattr(entry, name) for name in COLUMNS},
        "compute": entry.compute,
        "explained_by": explanation,
    }


def as_csv(found: list[Entry]) -> str:
    """The entries as comma-separated values; lists as JSON."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    for entry in found:
        values = [getattr(entry, name) for name in COLUMNS]
        writer.writerow([json.dumps(v) if isinstance(v, list | dict) else v for v in values])
    return stream.getvalue()
