"""A kernel that answers each cell with what the chapter's run gave: ``python -m course_suite.replay -f CONNECTION``.

nbval asks it instead of a real kernel (``--nbval-kernel-name``), so that a chapter is executed once, by papermill, and
nbval compares the outputs of that execution with the stored ones. The kernel is told no notebook's name: it finds the
run by the code of its cells, in their order.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import nbformat
from ipykernel.kernelapp import IPKernelApp
from ipykernel.kernelbase import Kernel
from nbformat import NotebookNode

from course_suite.reader.code import is_install, untitled

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
        "argv": [sys.executable, "-m", "course_suite.replay", "-f", "{connection_file}"],
        "display_name": "What the run gave",
        "language": "python",
        "env": {FOLDER: str(executed)},
    }
    place = folder / "kernels" / NAME
    place.mkdir(parents=True, exist_ok=True)
    (place / "kernel.json").write_text(json.dumps(spec, indent=1), encoding="utf-8")


class ReplayKernel(Kernel):
    """Sends stored outputs; executes nothing."""

    implementation = NAME
    implementation_version = "1"
    banner = "Answers with what the run gave."
    language_info = {"name": "python", "mimetype": "text/x-python", "file_extension": ".py"}  # noqa: RUF012

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        folder = Path(os.environ[FOLDER])
        paths = [path for path in sorted(folder.glob("*.ipynb")) if not path.name.endswith(".failed.ipynb")]
        self.runs = Runs([nbformat.v4.reads(path.read_text(encoding="utf-8")) for path in paths])

    def do_execute(self, code: str, silent: bool, *_: Any, **__: Any) -> dict[str, Any]:
        """Answer one cell."""
        if silent or not code.strip() or is_install(code):
            return {"status": "ok", "execution_count": self.execution_count}
        try:
            outputs = self.runs.answer(code)
        except NotRunError as error:
            failure = {"ename": type(error).__name__, "evalue": str(error), "traceback": [str(error)]}
            self.send_response(self.iopub_socket, "error", failure)
            return {"status": "error", "execution_count": self.execution_count, **failure}
        for output in outputs:
            content = {key: value for key, value in output.items() if key != "output_type"}
            if output.output_type == "execute_result":
                content["execution_count"] = self.execution_count
            self.send_response(self.iopub_socket, output.output_type, content)
        return {"status": "ok", "execution_count": self.execution_count, "payload": [], "user_expressions": {}}


if __name__ == "__main__":
    IPKernelApp.launch_instance(kernel_class=ReplayKernel)
