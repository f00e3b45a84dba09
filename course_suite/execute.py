"""Run one chapter's worker: watch it, end it, and keep what it made."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
import psutil
from nbformat import NotebookNode

from course_suite.chapters import Chapter
from course_suite.files import write_atomically
from course_suite.merge import with_prose

GRACE_SECONDS = 20  # what a cell that ignores its interrupt gets beyond its limit before everything is killed


@dataclass(frozen=True)
class Job:
    """One run of one chapter: what to run, and where the result goes."""

    chapter: Chapter
    notebook: NotebookNode
    parameters: dict[str, Any]
    key: str
    output: Path
    timeout: int

    @property
    def failed_output(self) -> Path:
        """Where the partial notebook of a failed run is kept."""
        return self.output.with_suffix(".failed.ipynb")


@dataclass
class Result:
    """How a chapter's run ended. ``status`` is ``ran``, ``unchanged``, ``failed`` or ``stopped``."""

    stem: str
    title: str
    status: str
    seconds: float | None = None
    peak_mib: float | None = None
    cell: int | None = None
    cell_source: str | None = None
    error: str | None = None
    output: str | None = None
    parameters: dict[str, Any] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether an executed copy of the chapter as it is now exists."""
        return self.status in ("ran", "unchanged")


def worker_environment() -> dict[str, str]:
    """The environment of a chapter: one thread, no user's start-up files, compiled bytecode, a fixed hash seed."""
    env = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1")
    return env | threads | {
        "PYTHONHASHSEED": "0",
        "JUPYTER_PREFER_ENV_PATH": "1",
        "JUPYTER_PLATFORM_DIRS": "1",
        "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        "TQDM_DISABLE": "1",
    }  # fmt: skip


def end_process(process: subprocess.Popen) -> None:
    """End a worker and every process below it, its kernel included: politely, then not."""
    with contextlib.suppress(psutil.NoSuchProcess):
        parent = psutil.Process(process.pid)
        family = [*parent.children(recursive=True), parent]
        for member in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                member.terminate()
        for member in psutil.wait_procs(family, timeout=3)[1]:
            with contextlib.suppress(psutil.NoSuchProcess):
                member.kill()
    process.wait()


def execute(job: Job, stop: threading.Event, progress: Callable[[int, int], None]) -> Result:
    """Run ``job`` until it ends, its cell's time is over, or ``stop`` is set.

    A whole result takes the place of ``job.output``; a partial one of a failed run is kept as ``*.failed.ipynb``.
    """
    result = Result(job.chapter.stem, job.chapter.title, "failed", parameters=job.parameters)
    folder = job.output.parent / f".{job.output.stem}.work"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    nbformat.write(job.notebook, folder / "input.ipynb")
    (folder / "job.json").write_text(json.dumps({"parameters": job.parameters, "timeout": job.timeout}))
    start = time.perf_counter()
    try:
        with (folder / "errors.txt").open("w") as errors:
            command = [sys.executable, "-m", "course_suite.worker", "job.json"]
            process = subprocess.Popen(
                command, cwd=folder, env=worker_environment(), stdout=subprocess.PIPE, stderr=errors, text=True,
                start_new_session=True,
            )  # fmt: skip
            try:
                _watch(process, job, result, stop, progress)
            finally:
                end_process(process)
        _keep(job, result, folder, process.returncode)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if result.seconds is None:
        result.seconds = time.perf_counter() - start
    return result


def _watch(process: subprocess.Popen, job: Job, result: Result, stop: threading.Event, progress) -> None:
    """Follow the worker's events until it ends or must be ended."""
    lines: queue.Queue[str | None] = queue.Queue()

    def read() -> None:
        for line in process.stdout:
            lines.put(line)
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    last_sign_of_life = time.monotonic()
    while True:
        if stop.is_set():
            result.status = "stopped"
            return
        if time.monotonic() - last_sign_of_life > job.timeout + GRACE_SECONDS:
            result.error = f"the cell ran longer than {job.timeout} s (--timeout) and ignored its interrupt"
            return
        try:
            line = lines.get(timeout=0.2)
        except queue.Empty:
            continue
        if line is None:
            process.wait()
            return
        last_sign_of_life = time.monotonic()
        _take(line, result, progress)


def _take(line: str, result: Result, progress: Callable[[int, int], None]) -> None:
    """Note one event of the worker; whatever else it prints is not for us."""
    try:
        event = json.loads(line)
    except ValueError:
        return
    if event.get("event") == "cell":
        result.cell, result.cell_source = event["number"], event["source"]
        progress(event["number"], event["total"])
    elif event.get("event") == "failed":
        result.error = event["error"]
    elif event.get("event") == "done":
        result.status, result.seconds, result.peak_mib = "ran", event["seconds"], event["peak_mib"]


def _keep(job: Job, result: Result, folder: Path, returncode: int) -> None:
    """Put the notebook where it belongs: whole, or failed and partial."""
    partial = folder / "output.ipynb"
    if result.status == "ran" and returncode == 0:
        notebook = nbformat.read(partial, as_version=4)
        unfinished = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.execution_count is None]
        if not [cell for cell in unfinished if cell.source.strip()]:
            write_atomically(job.output, finished_text(job, result, notebook))
            job.failed_output.unlink(missing_ok=True)
            result.output, result.cell, result.cell_source = str(job.output), None, None
            return
        result.error = "a cell was not executed"
    if result.status == "stopped":
        return
    result.status = "failed"
    result.error = result.error or _last_line(folder / "errors.txt") or f"the worker ended with status {returncode}"
    if partial.is_file():
        write_atomically(job.failed_output, partial.read_bytes())
        result.output = str(job.failed_output)


def finished_text(job: Job, result: Result, notebook: NotebookNode) -> str:
    """The executed copy as text: what the run was goes to its metadata, papermill's time stamps go away."""
    notebook = with_prose(notebook, job.notebook)
    notebook.metadata.pop("papermill", None)
    notebook.metadata.course.update(
        {"key": job.key, "parameters": job.parameters, "seconds": result.seconds, "peak_mib": result.peak_mib}
    )
    return nbformat.writes(notebook, version=4) + "\n"


def _last_line(path: Path) -> str:
    lines = [line for line in path.read_text(errors="replace").splitlines() if line.strip()]
    return lines[-1][:300] if lines else ""
