"""``course check``: the pairs are in step, nothing is vacuous, and the stored outputs are those of the run."""

from __future__ import annotations

import subprocess
import sys

from rich.console import Console

from course_suite.chapters import Chapter
from course_suite.errors import UserError
from course_suite.execute import worker_environment
from course_suite.files import digest_files
from course_suite.pair import differences, is_own_copy
from course_suite.progress import Progress
from course_suite.project import Project
from course_suite.reader.places import Book
from course_suite.replay import NAME, write_kernelspec
from course_suite.report import failure_text
from course_suite.run import RunOptions, run_chapters
from course_suite.stamps import clear, is_fresh, mark


def pair_problems(project: Project, chapters: list[Chapter]) -> list[str]:
    """Everything that is wrong with the committed notebooks, found without running them."""
    book = Book(project)
    problems = [problem for chapter in chapters for problem in _told(book, chapter)]
    known = {chapter.stem for chapter in project.chapters}
    for path in sorted((project.root / "notebooks").glob("*.ipynb")):
        if path.stem not in known and not is_own_copy(path):
            problems.append(f"notebooks/{path.name} belongs to no chapter of _toc.yml; delete it or list it")
    for path in sorted((project.root / "notebooks").glob("*.md")):
        if path.stem not in known:
            problems.append(f"notebooks/{path.name} is not listed in _toc.yml")
    return problems


def _told(book: Book, chapter: Chapter) -> list[str]:
    """The differences of one chapter; what stands in the way of making its notebook is one of them."""
    try:
        return differences(book, chapter)
    except UserError as error:
        return [str(error)]


def check_outputs(project: Project, chapters: list[Chapter], jobs: int, timeout: int, console: Console) -> bool:
    """Compare the outputs of the chapters' run with the stored ones, by nbval. Returns whether all hold.

    A chapter that has not run as it is now is run first; one that held before, unchanged since, is not compared again.
    """
    results = run_chapters(project, chapters, RunOptions(jobs=jobs, timeout=timeout), Progress(console))
    for result in results:
        if result.error:
            console.print(failure_text(result), markup=False, highlight=False, soft_wrap=True)
    if not all(result.ok for result in results):
        return False
    executed = project.executed("quick")
    keys = {c: digest_files([c.pair, executed / c.pair.name], project.root) for c in chapters}
    stale = [c for c in chapters if not is_fresh(project, f"nbval-{c.stem}", keys[c])]
    if not stale:
        return True
    for chapter in stale:
        clear(project, f"nbval-{chapter.stem}")
    ok = _nbval(project, stale, jobs)
    if ok:
        for chapter in stale:
            mark(project, f"nbval-{chapter.stem}", keys[chapter])
    return ok


def _nbval(project: Project, chapters: list[Chapter], jobs: int) -> bool:
    """Run nbval on some notebooks, with the kernel that answers from the executed copies."""
    jupyter = project.build / "replay"
    write_kernelspec(jupyter, project.executed("quick"))
    workers = ["-n", str(min(jobs, len(chapters))), "--dist", "loadfile"] if jobs > 1 and len(chapters) > 1 else []
    command = [
        sys.executable, "-m", "pytest", "--nbval-lax", "--nbval-kernel-name", NAME, "--nbval-cell-timeout", "60",
        "-p", "no:cacheprovider", "-q", "--no-header", "-W", "default", "-o", "addopts=", *workers,
        *[str(chapter.pair.relative_to(project.root)) for chapter in chapters],
    ]  # fmt: skip
    env = {**worker_environment(), "JUPYTER_PATH": str(jupyter)}
    return subprocess.run(command, cwd=project.root, env=env, stdin=subprocess.DEVNULL).returncode == 0
