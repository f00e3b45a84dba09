"""``course test``: every check of the project, each step left out while nothing that it depends on has changed."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

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


def tree_key(project: Project) -> str:
    """A hash of every file of the project, the Python, and the variables that decide which tests run."""
    files = []
    for folder, names, found in os.walk(project.root):
        names[:] = [name for name in names if name not in SKIPPED_FOLDERS]
        files += [Path(folder) / name for name in found if not name.endswith((".pyc", ".tmp"))]
    variables = {name: os.environ.get(name) for name in ("COURSE_DATA", "CI")}
    return digest([digest_files(files, project.root), platform.python_version(), variables])


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
        ["check-jsonschema", "--quiet", "--builtin-schema", "vendor.github-workflows", *workflows],
        ["zizmor", "--offline", "--quiet", "--no-progress", *workflows],
    )
    return passed and not problems


def pairs(project: Project, console: Console) -> bool:
    """The committed notebooks and the generated files are in step."""
    problems = pair_problems(project, project.chapters) + generated_problems(project)
    for problem in problems:
        console.print(problem, markup=False, highlight=False, soft_wrap=True)
    return not problems


def unit(project: Project, _: Console) -> bool:
    """The unit tests, on two processes."""
    return commands_pass(project, ["pytest", "-q", "-n", "2", "--dist", "loadfile", "-m", "not browser and not site"])


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


STEPS: dict[str, Callable[[Project, Console], bool]] = {
    "lint": lint, "pairs": pairs, "unit": unit, "book": book, "outputs": outputs, "site": site,
}  # fmt: skip


def run_steps(project: Project, names: list[str], force: bool, console: Console) -> bool:
    """Do the steps, all of them even after a failure, and end with a table. Returns whether all passed."""
    key, rows = tree_key(project), []
    for name in names:
        start = time.perf_counter()
        if not force and is_fresh(project, f"test-{name}", key):
            rows.append((name, "unchanged since it passed", 0.0))
            continue
        console.rule(name)
        clear(project, f"test-{name}")
        passed = STEPS[name](project, console)
        if passed:
            mark(project, f"test-{name}", key)
        rows.append((name, "passed" if passed else "FAILED", time.perf_counter() - start))
    table = Table("step", "result", title="Checks")
    table.add_column("seconds", justify="right")
    for name, result, seconds in rows:
        table.add_row(name, result, f"{seconds:.1f}")
    console.print(table)
    return all(result != "FAILED" for _, result, _ in rows)
