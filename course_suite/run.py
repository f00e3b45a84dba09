"""Run chapters: several at once, each in its own process, none stopped by another's failure."""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path

from course_suite.cache import reuse
from course_suite.chapters import Chapter
from course_suite.errors import UserError
from course_suite.execute import Job, Result, execute
from course_suite.keys import chapter_key, runtime_key
from course_suite.parameters import overrides
from course_suite.progress import Progress
from course_suite.project import Project
from course_suite.run_copy import run_copy


@dataclass(frozen=True)
class RunOptions:
    """How chapters are run; the defaults are those of the command."""

    profile: str = "quick"
    device: str = "auto"
    jobs: int = 2
    parameters: list[tuple[str, str]] = field(default_factory=list)
    out: Path | None = None
    force: bool = False
    timeout: int = 600


def resolve_device(device: str) -> str:
    """``auto`` becomes ``cuda`` where there is a GPU, else ``cpu``.

    Raises:
        UserError: ``cuda`` is asked for, and there is none.
    """
    if device == "cpu":
        return "cpu"
    available = gpu_available()
    if device == "cuda" and not available:
        raise UserError("--device cuda: torch sees no CUDA GPU here; use --device cpu, or see `course doctor`")
    return "cuda" if available else "cpu"


def gpu_available() -> bool:
    """Whether torch can use a CUDA GPU; torch is imported only where the system has NVIDIA's driver."""
    try:
        ctypes.CDLL("nvcuda.dll" if os.name == "nt" else "libcuda.so.1")
    except OSError:
        return False
    import torch

    return torch.cuda.is_available()


def plan(project: Project, chapters: list[Chapter], options: RunOptions) -> list[Job]:
    """One job a chapter, with every parameter checked before anything runs.

    Raises:
        UserError: a parameter is wrong, or the copies would take the place of the course's own notebooks.
    """
    device, runtime = resolve_device(options.device), runtime_key(project)
    # A device that `auto` would take anyway is no parameter: the run is the same, and so must its key be.
    named_device = "auto" if device == resolve_device("auto") else device
    own = bool(options.parameters)
    folder = options.out or (project.runs if own else project.executed(options.profile))
    if folder.resolve() == (project.root / "notebooks").resolve():
        raise UserError(f"--out {folder} would overwrite the course's own notebooks; name another folder")
    jobs = []
    for chapter in chapters:
        parameters = overrides(chapter, options.profile, named_device, options.parameters)
        notebook = run_copy(project, chapter)
        key = chapter_key(project, notebook, parameters, device, runtime)
        output = folder / (run_name(chapter.stem, options.profile, options.parameters) if own else chapter.pair.name)
        jobs.append(Job(chapter, notebook, parameters, key, output, options.timeout))
    return jobs


def run_name(stem: str, profile: str, parameters: list[tuple[str, str]]) -> str:
    """The file of a run with parameters of one's own, such as ``09_lenet5-epochs-20.ipynb``."""
    words = [stem, *([] if profile == "quick" else [profile]), *(word for pair in parameters for word in pair)]
    return re.sub(r"[^\w.+-]+", "_", "-".join(words))[:120] + ".ipynb"


def run_chapters(project: Project, chapters: list[Chapter], options: RunOptions, progress: Progress) -> list[Result]:
    """Run what is not up to date. Results come in the order of the chapters.

    Ctrl-C ends the kernels: what was finished is kept, the rest is reported as ``stopped``.
    """
    jobs = plan(project, chapters, options)
    results: dict[str, Result] = {}
    waiting = []
    for job in jobs:
        known = None if options.force else reuse(job)
        if known:
            results[job.chapter.stem] = known
            progress.ended(known)
        else:
            waiting.append(job)
    results |= _run_all(waiting, options.jobs, progress)
    return [results[job.chapter.stem] for job in jobs]


def _run_all(jobs: list[Job], workers: int, progress: Progress) -> dict[str, Result]:
    stop = threading.Event()
    results = {}

    def run_one(job: Job) -> Result:
        if stop.is_set():
            return Result(job.chapter.stem, job.chapter.title, "stopped")
        progress.started(job.chapter.stem)
        return execute(job, stop, lambda cell, total: progress.cell(job.chapter.stem, cell, total))

    with progress, interrupts(stop), ThreadPoolExecutor(max_workers=workers) as pool:
        pending = {pool.submit(run_one, job) for job in jobs}
        while pending:
            done, pending = wait(pending, timeout=0.2, return_when=FIRST_COMPLETED)
            for future in done:
                result = future.result()
                results[result.stem] = result
                progress.ended(result)
            progress.refresh()
    return results


@contextlib.contextmanager
def interrupts(stop: threading.Event) -> Iterator[None]:
    """While this lasts, Ctrl-C and a termination request set ``stop`` instead of raising."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    names = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(name, lambda *_: stop.set()) for name in names]
    try:
        yield
    finally:
        for name, handler in zip(names, before, strict=True):
            signal.signal(name, handler)
