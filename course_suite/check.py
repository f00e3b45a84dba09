"""``course check``: the pairs are in step, nothing is vacuous, and the stored outputs hold."""

from __future__ import annotations

import subprocess
import sys

from rich.console import Console

from course_suite.chapters import Chapter
from course_suite.execute import worker_environment
from course_suite.files import digest_files
from course_suite.keys import environment_key
from course_suite.pair import differences
from course_suite.project import Project
from course_suite.stamps import clear, is_fresh, mark


def pair_problems(project: Project, chapters: list[Chapter]) -> list[str]:
    """Everything that is wrong with the committed notebooks, found without running them."""
    problems = [problem for chapter in chapters for problem in differences(project, chapter)]
    known = {chapter.stem for chapter in project.chapters}
    for path in sorted((project.root / "notebooks").glob("*.ipynb")):
        if path.stem not in known:
            problems.append(f"notebooks/{path.name} belongs to no chapter of _toc.yml; delete it or list it")
    for path in sorted((project.root / "notebooks").glob("*.md")):
        if path.stem not in known:
            problems.append(f"notebooks/{path.name} is not listed in _toc.yml")
    return problems


def check_outputs(project: Project, chapters: list[Chapter], jobs: int, timeout: int, console: Console) -> bool:
    """Execute the committed notebooks and compare their checked outputs with nbval. Returns whether all hold.

    A notebook that held before, unchanged since, is not executed again.
    """
    environment = environment_key(project)
    keys = {c: environment + digest_files([c.pair], project.root) for c in chapters}
    stale = [c for c in chapters if not is_fresh(project, f"nbval-{c.stem}", keys[c])]
    for chapter in chapters:
        if chapter not in stale:
            console.print(f"unchanged  {chapter.pair.name}: its outputs held before", highlight=False)
    if not stale:
        return True
    for chapter in stale:
        clear(project, f"nbval-{chapter.stem}")
    ok = _nbval(project, stale, jobs, timeout)
    if ok:
        for chapter in stale:
            mark(project, f"nbval-{chapter.stem}", keys[chapter])
    return ok


def _nbval(project: Project, chapters: list[Chapter], jobs: int, timeout: int) -> bool:
    """Run nbval on some notebooks; a dead or hanging kernel is a failure, not a wait."""
    workers = ["-n", str(min(jobs, len(chapters))), "--dist", "loadfile"] if jobs > 1 and len(chapters) > 1 else []
    command = [
        sys.executable, "-m", "pytest", "--nbval-lax", "--nbval-cell-timeout", str(timeout), "--timeout", "0",
        "-p", "no:cacheprovider", "-q", "--no-header", "-W", "default", "-o", "addopts=", *workers,
        *[str(chapter.pair.relative_to(project.root)) for chapter in chapters],
    ]  # fmt: skip
    return subprocess.run(command, cwd=project.root, env=worker_environment(), stdin=subprocess.DEVNULL).returncode == 0
