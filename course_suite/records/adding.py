"""``course records add``: a finished record takes its place among the others, and in the plan and the ledger."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import yaml

from course_suite.errors import UserError
from course_suite.files import write_atomically
from course_suite.ledger import ENTRIES, Entry, EntryError
from course_suite.ledger.fill import fill_file
from course_suite.records.plan import PLAN, load_plan
from course_suite.records.store import RECORDS, RecordError, check_record, read_record, write_record

OF_FILES = {"--name", "--work", "--out", "--resume"}  # where a run keeps its files: no part of the plan


def checked_record(path: Path, sets: list[str]) -> dict[str, Any]:
    """The record of a file, fit to be shown.

    Raises:
        UserError: it is none, contradicts itself, does not fit what the code builds, or cannot be traced to a commit.
    """
    try:
        record = read_record(path)
    except RecordError as error:
        raise UserError(str(error)) from error
    problems = check_record(record, sets)
    if problems:
        raise UserError("; ".join(problems))
    origin = record["provenance"]
    if not origin["commit"] or not origin["clean"]:
        raise UserError(f"{path.name} was made from files that are in no commit: commit them, then train it again")
    return record


def planned_command(record: dict[str, Any]) -> str:
    """The part of a record's command that says what was trained, without the program and without its files."""
    words = shlex.split(record["provenance"]["command"])[1:]
    end = next((i for i, word in enumerate(words) if word.partition("=")[0] in OF_FILES), len(words))
    return shlex.join(words[:end])


def plan_entry(record: dict[str, Any], what: str, chapter: str, plan: list[dict[str, Any]]) -> dict[str, Any] | None:
    """What the plan lacks for this record; None where it holds the run.

    Raises:
        UserError: the plan gives another command for it, or lacks it and ``what`` and ``chapter`` are not given.
    """
    name, command = record["name"], planned_command(record)
    planned = next((entry for entry in plan if entry["name"] == name), None)
    if planned is None:
        if not (what and chapter):
            raise UserError(f"the plan has no run called {name}: say what it shows with --what, and the --chapter")
        return {"name": name, "what": what, "chapter": chapter, "command": command}
    if shlex.split(planned["command"]) != shlex.split(command)[: len(shlex.split(planned["command"]))]:
        raise UserError(f"{name} was made by {command!r}, and the plan says {planned['command']!r}")
    return None


def add_record(
    path: Path, sets: list[str], what: str = "", chapter: str = "", *,
    records: Path = RECORDS, plan: Path = PLAN, entries: Path = ENTRIES,
) -> list[Path]:  # fmt: skip
    """Check a record, move it into place, plan it, and fill in the entries of the ledger that show it.

    Returns the files that were written; nothing is written where the record is refused.

    Raises:
        UserError: see :func:`checked_record` and :func:`plan_entry`; or a file of the ledger is broken.
    """
    record = checked_record(path, sets)
    missing = plan_entry(record, what, chapter, load_plan(plan))
    written = [write_record(record, records)]
    if path.resolve() != written[0].resolve():
        path.unlink()
    if missing:
        text = plan.read_text(encoding="utf-8").rstrip("\n") + "\n"
        write_atomically(plan, text + yaml.safe_dump([missing], sort_keys=False, width=1000, allow_unicode=True))
        written.append(plan)
    return written + _filled(record["name"], entries)


def _filled(name: str, folder: Path) -> list[Path]:
    """Fill in the entries that show a record. Returns the files that changed."""
    changed = []
    for path in sorted(folder.glob("*.yaml")):
        before = path.read_bytes()
        if name.encode() in before:
            try:
                fill_file(path, lambda entry: _shows(entry, name))
            except EntryError as error:
                raise UserError(str(error)) from error
            if path.read_bytes() != before:
                changed.append(path)
    return changed


def _shows(entry: Entry, name: str) -> bool:
    parts = entry.compute if isinstance(entry.compute, list) else [entry.compute]
    return any(part and part.get("function") == "measured" and part.get("record") == name for part in parts)
