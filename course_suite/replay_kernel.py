"""The kernel that answers from executed copies: ``python -m course_suite.replay_kernel -f CONNECTION``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import nbformat
from ipykernel.kernelapp import IPKernelApp
from ipykernel.kernelbase import Kernel

from course_suite.reader.code import is_install
from course_suite.replay import FOLDER, NAME, NotRunError, Runs


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
