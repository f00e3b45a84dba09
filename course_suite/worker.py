"""One chapter in one process: ``python -m course_suite.worker JOB.json``, in the folder where it may write.

The job names parameters and the time limit of a cell; the notebook is read from ``input.ipynb``. Papermill writes
``output.ipynb`` as it goes. One JSON line per event goes to standard output, for whoever started this process. The exit
status is 0 only when every cell ran.
"""

from __future__ import annotations

import json
import platform
import sys
import time
from pathlib import Path

import nbformat
import papermill
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from papermill.engines import NBClientEngine, papermill_engines
from papermill.exceptions import PapermillExecutionError


def emit(**event: object) -> None:
    """Send one event to the process that started this one."""
    print(json.dumps(event), flush=True)


class ReportingEngine(NBClientEngine):
    """Papermill's own engine, and an event at the start of each code cell."""

    @classmethod
    def execute_managed_notebook(cls, nb_man, kernel_name, **kwargs):
        """Run the notebook; each code cell announces itself first."""
        start, total = nb_man.cell_start, sum(cell.cell_type == "code" for cell in nb_man.nb.cells)
        numbers = {}

        def announce(cell, cell_index=None, **options):
            if cell.cell_type == "code":
                number = numbers.setdefault(cell_index, len(numbers) + 1)
                emit(event="cell", number=number, total=total, source=first_line(cell.source))
            start(cell, cell_index, **options)

        nb_man.cell_start = announce
        return super().execute_managed_notebook(nb_man, kernel_name, **kwargs)


def first_line(source: str) -> str:
    """The first line of a cell that is neither empty nor a comment."""
    lines = [line.strip() for line in source.splitlines()]
    return next((line for line in lines if line and not line.startswith("#")), "")[:80]


def peak_mib() -> float | None:
    """Largest resident memory of the kernel that has ended, MiB; None where the system does not tell."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return peak / 2**20 if platform.system() == "Darwin" else peak / 2**10


def run(job: dict) -> None:
    """Execute ``input.ipynb`` into ``output.ipynb``, both in the current folder."""
    papermill_engines.register("course", ReportingEngine)
    papermill.execute_notebook(
        nbformat.read("input.ipynb", as_version=4),
        "output.ipynb",
        parameters=job["parameters"],
        engine_name="course",
        kernel_name="python3",
        progress_bar=False,
        execution_timeout=job["timeout"],
        start_timeout=120,
    )


def main(path: str) -> int:
    """Run the job that ``path`` describes and report how it ended."""
    job = json.loads(Path(path).read_text(encoding="utf-8"))
    start = time.perf_counter()
    try:
        run(job)
    except PapermillExecutionError as error:
        emit(event="failed", error=f"{error.ename}: {error.evalue}".strip()[:2000])
    except DeadKernelError:
        emit(event="failed", error="the kernel died (killed, or out of memory)")
    except CellTimeoutError:
        emit(event="failed", error=f"the cell ran longer than {job['timeout']} s (--timeout)")
    else:
        emit(event="done", seconds=time.perf_counter() - start, peak_mib=peak_mib())
        return 0
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
