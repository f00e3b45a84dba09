"""The evening profile: a chapter run longer, once, by hand; its values are kept and shown beside the laptop's.

``course run 12 --profile evening`` runs chapter 12 with the values that its front matter names under ``evening``, and
writes ``notebooks/evenings/NN_name.json``: the glued values, the parameters, the code's hash, and where they come from.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat

from course_suite.chapters import Chapter
from course_suite.errors import UserError
from course_suite.files import write_if_changed
from course_suite.reader.recorded import KEY, code_digest, glued

MADE = "made by course run --profile evening; not to be edited"


@dataclass(frozen=True)
class Evening:
    """One recorded evening: the glued values by name, and what they were run with and by."""

    values: dict[str, str]
    parameters: dict[str, Any]
    seconds: float
    provenance: dict[str, Any]
    environment: dict[str, Any]
    code_sha256: str


def evening_file(chapter: Chapter) -> Path:
    """Where a chapter's evening stands."""
    return chapter.source.parent / "evenings" / f"{chapter.stem}.json"


def record_evening(chapter: Chapter, executed: Path) -> Path:
    """Keep what the executed copy of an evening glued. Returns the file that was written."""
    from course_suite.records import environment, provenance

    notebook = nbformat.read(executed, as_version=4)
    run = notebook.metadata["course"]
    values = {name: text for name, text in glued(notebook.cells).items() if not name.startswith(KEY)}
    content = {
        "": MADE,
        "parameters": run["parameters"],
        "seconds": run["seconds"],
        "provenance": provenance(),
        "environment": environment("cuda" if run["parameters"].get("device") == "cuda" else "cpu"),
        "code_sha256": code_digest(chapter.notebook.cells),
        "values": values,
    }
    path = evening_file(chapter)
    path.parent.mkdir(exist_ok=True)
    write_if_changed(path, json.dumps(content, indent=1, ensure_ascii=False, sort_keys=True) + "\n")
    return path


def read_evening(path: Path) -> Evening:
    """A recorded evening.

    Raises:
        UserError: there is none, or it cannot be read.
    """
    number = path.stem.partition("_")[0]
    if not path.is_file():
        raise UserError(f"chapter {number} has no recorded evening; run: course run {number} --profile evening")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        content.pop("", None)
        return Evening(**content)
    except (ValueError, TypeError) as error:
        raise UserError(
            f"{path.name} cannot be read ({error}); run: course run {number} --profile evening --force"
        ) from None


def evening_value(path: Path, name: str) -> str:
    """One value of a recorded evening.

    Raises:
        UserError: there is no recorded evening, or it holds no such value.
    """
    values = read_evening(path).values
    if name not in values:
        raise UserError(f"the recorded evening {path.name} has no value {name!r}")
    return values[name]
