"""What a run came to: a table for people, JSON and JUnit for programs."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from xml.etree import ElementTree

from rich.console import Console
from rich.table import Table

from course_suite.execute import Result
from course_suite.files import write_atomically

BUDGET_SECONDS = 90  # a chapter's quick profile on one core
BUDGET_MIB = 2048
FAR_OVER = 3  # times the budget: more than a slow or busy machine explains


def print_report(console: Console, results: list[Result], budgets: bool = True) -> None:
    """The table of chapters, and for each failure the chapter, the cell and the error.

    Args:
        budgets: compare each chapter with its budget; the full profile has none.
    """
    table = Table(title="Chapters")
    table.add_column("chapter", overflow="fold")
    table.add_column("result")
    table.add_column("seconds", justify="right")
    table.add_column("peak memory, MiB", justify="right")
    if budgets:
        table.add_column(f"of {BUDGET_SECONDS} s", justify="right")
    for result in results:
        row = [result.stem, result.status, _number(result.seconds, 1), _number(result.peak_mib, 0)]
        share = None if result.seconds is None else 100 * result.seconds / BUDGET_SECONDS
        table.add_row(*row, *([_number(share, 0) + "%" if share is not None else ""] if budgets else []))
    console.print(table)
    for result in results:
        if result.error:
            console.print(failure_text(result), markup=False, highlight=False, soft_wrap=True)


def print_places(console: Console, results: list[Result]) -> None:
    """Where the executed notebooks are: each by name where they are few, else their folder."""
    places = [Path(result.output) for result in results if result.ok and result.output]
    shown = places if len(places) < 4 else sorted({path.parent for path in places})
    for path in shown:
        console.print(f"executed: {path}", markup=False, highlight=False, soft_wrap=True)


def over_budget(results: list[Result]) -> list[str]:
    """The chapters whose quick profile is far over its budget of time, or over that of memory, one line each."""
    problems = []
    for result in results:
        if (result.seconds or 0) > FAR_OVER * BUDGET_SECONDS:
            problems.append(f"{result.stem} took {result.seconds:.0f} s, far over its budget of {BUDGET_SECONDS} s")
        if (result.peak_mib or 0) > BUDGET_MIB:
            problems.append(f"{result.stem} took {result.peak_mib:.0f} MiB, over its budget of {BUDGET_MIB} MiB")
    return problems


def failure_text(result: Result) -> str:
    """Chapter, cell and error of a failed run, and where its partial notebook is."""
    cell = f", code cell {result.cell} ({result.cell_source})" if result.cell else ""
    kept = f"\n  partial notebook: {result.output}" if result.output else ""
    return f"FAILED {result.stem}{cell}: {result.error}{kept}"


def write_json(path: Path, results: list[Result], profile: str) -> None:
    """The report as JSON: one object a chapter, seconds and MiB in the names."""
    report = {"profile": profile, "ok": all(result.ok for result in results), "chapters": [asdict(r) for r in results]}
    write_atomically(path, json.dumps(report, indent=2) + "\n")


def write_junit(path: Path, results: list[Result]) -> None:
    """The report in JUnit's form, one test case a chapter."""
    failed = sum(not result.ok for result in results)
    counts = {"tests": str(len(results)), "failures": str(failed)}
    suite = ElementTree.Element("testsuite", name="course run", **counts)
    for result in results:
        seconds = f"{result.seconds or 0:.3f}"
        case = ElementTree.SubElement(suite, "testcase", classname="chapters", name=result.stem, time=seconds)
        if not result.ok:
            message = result.error or result.status
            ElementTree.SubElement(case, "failure", message=message).text = failure_text(result)
        elif result.status == "unchanged":
            ElementTree.SubElement(case, "system-out").text = "unchanged since its last run"
    write_atomically(path, ElementTree.tostring(suite, encoding="utf-8", xml_declaration=True))


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"
