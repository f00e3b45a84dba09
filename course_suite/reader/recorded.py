"""What the recorded run of a chapter gave: the values for its text, and the outputs of the cells that nbval checks.

It stands in ``notebooks/recorded/NN_name.json``, written by ``course pair --record``. With it and the source the
reader's notebook is made without running anything.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import nbformat
from nbformat import NotebookNode

from course_suite.chapters import Chapter, is_check, tags
from course_suite.errors import UserError
from course_suite.files import digest, write_if_changed
from course_suite.merge import join_streams

MIME = "application/papermill.record/text/plain"
KEY = "key-"  # before the names under which solved exercises leave their answers for the page
MADE = "made by course pair --record from a run of the chapter; not to be edited"


@dataclass(frozen=True)
class Recorded:
    """One run.

    Attributes:
        code: a hash of the code cells that ran.
        values: what ``glue`` stored, by name.
        outputs: execution count and outputs of each checked cell, by the cell's id.
    """

    code: str = ""
    values: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, dict[str, Any]] = field(default_factory=dict)


def code_digest(cells: Iterable[NotebookNode]) -> str:
    """A hash of the code of some cells."""
    return digest([cell.source for cell in cells if cell.cell_type == "code"])


def glued(cells: Iterable[NotebookNode]) -> dict[str, str]:
    """The values that executed cells glued, by name."""
    outputs = [output for cell in cells if cell.cell_type == "code" for output in cell.outputs]
    return {
        output.metadata["scrapbook"]["name"]: str(ast.literal_eval(output.data[MIME]))
        for output in outputs
        if MIME in output.get("data", {})
    }


def recorded_from(executed: NotebookNode) -> Recorded:
    """What is kept of a run of a chapter."""
    own = [cell for cell in executed.cells if "injected-parameters" not in tags(cell)]
    checked = {cell.id: cell for cell in executed.cells if is_check(cell)}
    outputs = {
        name: {"execution_count": cell.execution_count, "outputs": [portable(o) for o in join_streams(cell.outputs)]}
        for name, cell in checked.items()
    }
    values = {name: value for name, value in glued(executed.cells).items() if not name.startswith(KEY)}
    return Recorded(code_digest(own), values, outputs)


def portable(output: NotebookNode) -> NotebookNode:
    """An output without the number of its execution: that is stored once, in the cell."""
    copy = nbformat.from_dict(output)
    if "execution_count" in copy:
        copy.execution_count = None
    return copy


def read_recorded(chapter: Chapter) -> Recorded:
    """The recorded run of a chapter; an empty one where nothing was recorded yet.

    Raises:
        UserError: the file cannot be read.
    """
    if not chapter.recorded.is_file():
        return Recorded()
    try:
        stored = json.loads(chapter.recorded.read_text(encoding="utf-8"))
        return Recorded(stored["code_sha256"], stored["values"], stored["outputs"])
    except (ValueError, KeyError, TypeError, OSError):
        raise UserError(
            f"notebooks/recorded/{chapter.recorded.name} cannot be read; run: course pair --record {chapter.number}"
        ) from None


def write_recorded(chapter: Chapter, recorded: Recorded) -> bool:
    """Store a run. Returns whether the file changed."""
    content = {"": MADE, "code_sha256": recorded.code, "values": recorded.values, "outputs": recorded.outputs}
    text = json.dumps(content, indent=1, ensure_ascii=False, sort_keys=True)
    return write_if_changed(chapter.recorded, text + "\n")
