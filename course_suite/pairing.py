"""``course pair``: bring the committed notebooks in step with their sources, and record what nbval compares."""

from __future__ import annotations

import platform

import nbformat
from rich.console import Console

from course_suite.chapters import Chapter
from course_suite.check import pair_problems
from course_suite.costs import read_costs, record_cost
from course_suite.errors import UserError
from course_suite.execute import Result
from course_suite.pair import write_pair
from course_suite.progress import Progress
from course_suite.project import Project
from course_suite.published import generated_problems, write_generated
from course_suite.reader.places import Book
from course_suite.reader.recorded import recorded_from, write_recorded
from course_suite.report import print_report
from course_suite.run import RunOptions, run_chapters


def pair_chapters(project: Project, chapters: list[Chapter]) -> tuple[list[str], list[str]]:
    """Regenerate notebooks and generated files. Returns what was done, and what could not be done, a line each."""
    book, done, problems = Book(project), [], []
    for chapter in chapters:
        try:
            done += write_pair(book, chapter)
        except UserError as error:
            problems.append(str(error))
    return done + [f"wrote {name}" for name in write_generated(project)], problems


def step_problems(project: Project, chapters: list[Chapter]) -> list[str]:
    """What ``course pair --check`` finds."""
    return pair_problems(project, chapters) + generated_problems(project)


def record_chapters(project: Project, chapters: list[Chapter], console: Console) -> tuple[list[Result], list[str]]:
    """Run chapters, store the values of their text, the outputs of their check cells and their cost; then pair them.

    They come from a run of exactly this code (the run's key covers it); no source cell flows back. A chapter
    that fails keeps what was stored. Returns how the runs ended, and which notebooks could not be made.
    """
    results = run_chapters(project, chapters, RunOptions(device="cpu", jobs=1), Progress(console))
    print_report(console, results)
    for chapter, result in zip(chapters, results, strict=True):
        if result.status == "ran" or (result.ok and chapter.stem not in read_costs(project)):
            cost = {"seconds": round(result.seconds, 1), "peak_mib": round(result.peak_mib or 0), "machine": machine()}
            record_cost(project, chapter.stem, "cpu", cost)
        if result.ok:
            executed = nbformat.read(result.output, as_version=4)
            write_recorded(chapter, recorded_from(executed))
    done, problems = pair_chapters(project, [c for c, result in zip(chapters, results, strict=True) if result.ok])
    for line in done:
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    return results, problems


def machine() -> str:
    """The processor's family and the system, such as ``x86_64, Linux``."""
    return f"{platform.machine()}, {platform.system()}"
