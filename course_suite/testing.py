"""``course test``: every check of the project, each step left out while nothing that it reads has changed."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from course_suite.build import render
from course_suite.check import check_outputs, pair_problems
from course_suite.files import digest, digest_files
from course_suite.lock import lock_problems
from course_suite.progress import Progress
from course_suite.project import Project
from course_suite.published import generated_problems
from course_suite.report import over_budget, print_report
from course_suite.run import RunOptions, run_chapters
from course_suite.stamps import clear, is_fresh, mark

SKIPPED_FOLDERS = {".git", ".venv", "_build", "__pycache__", ".pytest_cache", ".ruff_cache", ".hypothesis", "data"}
CELL_TIMEOUT = 600


class Step(NamedTuple):
    """One step: what it does, and the files and folders of the project that it reads (none named: all)."""

    run: Callable[[Project, Console], bool]
    reads: tuple[str, ...] = ()


def files_in(root: Path, reads: tuple[str, ...]) -> Iterator[Path]:
    """The project's own files that stand under these names; all of them where none is given."""
    for start in [root / name for name in reads] or [root]:
        if start.is_file():
            yield start
        for folder, names, found in os.walk(start):
            names[:] = [name for name in names if name not in SKIPPED_FOLDERS]
            yield from (Path(folder) / name for name in found if not name.endswith((".pyc", ".tmp")))


def step_key(project: Project, step: Step) -> str:
    """A hash of what the step reads, the Python, and the variables that decide which tests run."""
    variables = {name: os.environ.get(name) for name in ("COURSE_DATA", "CI")}
    files = digest_files(set(files_in(project.root, step.reads)), project.root)
    return digest([files, platform.python_version(), variables])


def commands_pass(project: Project, *commands: list[str]) -> bool:
    """Run each command of this environment; all of them, even after one has failed."""
    scripts = Path(sys.executable).parent
    codes = [subprocess.run([scripts / name, *rest], cwd=project.root).returncode for name, *rest in commands]
    return not any(codes)


def lint(project: Project, console: Console) -> bool:
    """Style, spelling, workflows, and the lock against the project file."""
    problems = lock_problems(project)
    for problem in problems:
        console.print(problem, markup=False, highlight=False, soft_wrap=True)
    workflows = sorted(str(path.relative_to(project.root)) for path in project.root.glob(".github/workflows/*.yml"))
    passed = commands_pass(
        project,
        ["ruff", "check", "--quiet", "."],
        ["ruff", "format", "--check", "--quiet", "."],
        ["codespell"],
        ["deptry", "course_lib", "course_suite", "book/extensions"],
        ["check-jsonschema", "--quiet", "--builtin-schema", "vendor.github-workflows", *workflows],
        ["zizmor", "--offline", "--quiet", "--no-progress", *workflows],
    )
    return passed and not problems


def pairs(project: Project, console: Console) -> bool:
    """The committed notebooks and the generated files are in step, and the tests of all that is no code."""
    problems = pair_problems(project, project.chapters) + generated_problems(project)
    for problem in problems:
        console.print(problem, markup=False, highlight=False, soft_wrap=True)
    return commands_pass(project, ["pytest", "-q", "-m", "texts and not site and not weekly"]) and not problems


def unit(project: Project, _: Console) -> bool:
    """The tests of the code, on two processes."""
    chosen = "not browser and not site and not texts"
    return commands_pass(project, ["pytest", "-q", "-n", "2", "--dist", "loadfile", "-m", chosen])


def outputs(project: Project, console: Console) -> bool:
    """The stored outputs are those of the chapters' run."""
    return check_outputs(project, project.chapters, jobs=2, timeout=CELL_TIMEOUT, console=console)


def book(project: Project, console: Console) -> bool:
    """Every chapter runs within its budget, and the book renders without a warning."""
    results = run_chapters(project, project.chapters, RunOptions(), Progress(console))
    print_report(console, results)
    problems = over_budget(results)
    for problem in problems:
        console.print(problem, markup=False, highlight=False, soft_wrap=True)
    return not problems and all(result.ok for result in results) and render(project, console)


def site(project: Project, _: Console) -> bool:
    """The built site: links, contents, and every page in a browser."""
    return commands_pass(project, ["pytest", "-q", "-m", "browser or site"])


CODE = ("course_lib", "course_suite", "pyproject.toml", "requirements.lock")
PAGES = (*CODE, "notebooks", "book", "benchmarks/results", "_config.yml", "_toc.yml")
STEPS = {
    "lint": Step(lint),
    "pairs": Step(pairs),
    "unit": Step(unit, (*CODE, "tests", "benchmarks", "book/extensions", "book/live", "book/_static")),
    "book": Step(book, PAGES),
    "outputs": Step(outputs, PAGES),
    "site": Step(site, (*PAGES, "tests")),
}


def run_steps(project: Project, names: list[str], force: bool, console: Console) -> bool:
    """Do the steps, all of them even after a failure, and end with a table. Returns whether all passed."""
    rows = []
    for name in names:
        start, key = time.perf_counter(), step_key(project, STEPS[name])
        if not force and is_fresh(project, f"test-{name}", key):
            rows.append((name, "unchanged since it passed", 0.0))
            continue
        console.rule(name)
        clear(project, f"test-{name}")
        passed = STEPS[name].run(project, console)
        if passed:
            mark(project, f"test-{name}", key)
        rows.append((name, "passed" if passed else "FAILED", time.perf_counter() - start))
    table = Table("step", "result", title="Checks")
    table.add_column("seconds", justify="right")
    for name, result, seconds in rows:
        table.add_row(name, result, f"{seconds:.1f}")
    console.print(table)
    return all(result != "FAILED" for _, result, _ in rows)
