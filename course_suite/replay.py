"""Answer each cell of a notebook with what the chapter's run gave.

nbval asks a kernel that does this (``replay_kernel.py``) instead of a real one (``--nbval-kernel-name``), so that a
chapter is executed once, by papermill, and nbval compares the outputs of that execution with the stored ones. The
kernel is told no notebook's name: it finds the run by the code of its cells, in their order.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from nbformat import NotebookNode

from course_suite.reader.code import untitled

NAME = "course-replay"
FOLDER = "COURSE_REPLAY_FOLDER"  # the environment variable that names the folder of the executed copies


class NotRunError(ValueError):
    """No run, or more than one, has the cells that were asked for."""


class Runs:
    """Executed chapters, and how far each agrees with the code that was asked for so far."""

    def __init__(self, notebooks: list[NotebookNode]) -> None:
        self.left = [(_code_cells(notebook), 0) for notebook in notebooks]

    def answer(self, source: str) -> list[NotebookNode]:
        """The outputs of the next cell with that code.

        Raises:
            NotRunError: no run has it there, or several do and differ in what it gave.
        """
        found = []
        for cells, position in self.left:
            # A cell in between is a solution's, or papermill's with the parameters of the run.
            places = [i for i in range(position, len(cells)) if cells[i].source == untitled(source)]
            if places:
                found.append((cells, places[0] + 1))
        if not found:
            raise NotRunError("this cell is in no executed copy; run: course run")
        self.left = found
        answers = [cells[position - 1].outputs for cells, position in found]
        if any(other != answers[0] for other in answers):
            raise NotRunError(f"{len(answers)} executed copies begin with the same code, and differ in what it gave")
        return answers[0]


def _code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def write_kernelspec(folder: Path, executed: Path) -> None:
    """Lay out a Jupyter data folder with this kernel, which answers from the copies in ``executed``."""
    spec = {
        "argv": [sys.executable, "-m", "course_suite.replay_kernel", "-f", "{connection_file}"],
        "display_name": "What the run gave",
        "language": "python",
        "env": {FOLDER: str(executed)},
    }
    place = folder / "kernels" / NAME
    place.mkdir(parents=True, exist_ok=True)
    (place / "kernel.json").write_text(json.dumps(spec, indent=1), encoding="utf-8")
