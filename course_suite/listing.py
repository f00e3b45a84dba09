"""``course list``: the chapters in order, what each cost when last run, and the data that it uses."""

from __future__ import annotations

import json

from rich.console import Console
from rich.table import Table

from course_suite.chapters import Chapter
from course_suite.costs import read_costs
from course_suite.project import Project


def cost(project: Project, chapter: Chapter) -> str:
    """Seconds and memory of the last run here, else of the recorded run, else a dash."""
    path = project.executed("quick") / chapter.pair.name
    if path.is_file():
        facts = json.loads(path.read_text(encoding="utf-8"))["metadata"].get("course", {})
        return f"{facts['seconds']:.0f} s, {facts['peak_mib'] or 0:.0f} MiB (here)"
    recorded = read_costs(project).get(chapter.stem, {}).get("cpu")
    return f"{recorded['seconds']:.0f} s, {recorded['peak_mib']:.0f} MiB (recorded)" if recorded else "not yet run"


def print_chapters(project: Project, console: Console) -> None:
    """Print the table."""
    table = Table("no.", "chapter", "title", "last run", "data")
    for chapter in project.chapters:
        data = ", ".join(chapter.options.get("data", [])) or "none"
        table.add_row(str(chapter.number), chapter.stem, chapter.title, cost(project, chapter), data)
    console.print(table)
