"""Tables of the page on results: the recorded runs beside what the papers report.

In a page, a line `@RESULTS name@` stands for a table: measured, compared, missing, machines.
"""

from __future__ import annotations

import re
from typing import Any

from markdown_tables import table
from sphinx.application import Sphinx

from course_suite.records import load_plan, load_records, summarise


def error_of(record: dict[str, Any]) -> str:
    """Test error in per cent, with the spread of the runs, on one line."""
    _, mean, spread = summarise(record)
    return f"{100 * (1 - mean):.2f}" + ("" if spread is None else f"\u00a0±\u00a0{100 * spread:.2f}")


def measured(plan: list[dict[str, Any]], records: dict[str, dict[str, Any]]) -> str:
    """Every planned run that has a record."""
    rows = []
    for entry in plan:
        record = records.get(entry["name"])
        if record:
            speed = max(run["images_per_second"] for run in record["runs"])
            rows.append([
                f"{{ref}}`{entry['name'].replace('_', ' ')} <{entry['chapter']}>`", error_of(record),
                str(len(record["runs"])), record["data"]["title"], str(record["hyperparameters"]["epochs"]),
                f"{record['model']['params']:,}", f"{speed:,.0f}",
            ])  # fmt: skip
    return table(["run", "test error, %", "n", "data", "epochs", "parameters", "images/s"], rows, 3)


def compared(plan: list[dict[str, Any]], records: dict[str, dict[str, Any]]) -> str:
    """Runs whose network a paper has trained too, and below them what is not the same."""
    rows, reasons = [], {}
    for entry in plan:
        if "published" in entry:
            record = records.get(entry["name"])
            ours, n, gap = "not yet run", "", ""
            if record:
                ours, n = error_of(record), str(len(record["runs"]))
                gap = f"{100 * (1 - summarise(record).mean) - float(entry['published']):+.2f}"
            cited, name = f"{{cite:t}}`{entry['source']}`, {entry['location']}", entry["name"].replace("_", " ")
            rows.append([name, entry["published"], ours, n, gap, cited])
            reasons.setdefault(entry["difference"], []).append(name)
    notes = "\n".join(f"- {', '.join(names)}: {reason}" for reason, names in reasons.items())
    made = table(["run", "printed, %", "ours, %", "n", "points", "paper"], rows, 0)
    return f"{made}\n\nWhat is not the same:\n\n{notes}"


def missing(plan: list[dict[str, Any]], records: dict[str, dict[str, Any]]) -> str:
    """Planned runs without a record, with the commands that make them."""
    left = [entry for entry in plan if entry["name"] not in records]
    commands = [f"course {entry['command']} --name {entry['name']} --resume" for entry in left]
    return "```bash\n" + "\n".join(commands) + "\n```" if commands else "None: every planned run has its record."


def commands(plan: list[dict[str, Any]], records: dict[str, dict[str, Any]]) -> str:
    """The commands behind the measured runs."""
    lines = [f"course {entry['command']}" for entry in plan if entry["name"] in records]
    return "```bash\n" + "\n".join(lines) + "\n```"


def machines(_: list[dict[str, Any]], records: dict[str, dict[str, Any]]) -> str:
    """Where the runs were made: one line for each machine and set of versions."""
    lines = set()
    for record in records.values():
        where, packages = record["environment"], record["environment"]["packages"]
        device = where["gpu"] or f"{where['processor']}, {where['threads']} of {where['cores']} cores"
        lines.add(f"- {device}; Python {where['python']}, torch {packages['torch']}, {where['os']}")
    return "\n".join(sorted(lines))


TABLES = {
    "measured": measured, "compared": compared, "missing": missing, "commands": commands, "machines": machines,
}  # fmt: skip


def insert_tables(_: Sphinx, _docname: str, source: list[str]) -> None:
    """Write the tables into a page that asks for them."""
    if "@RESULTS" in source[0]:
        plan, records = load_plan(), {record["name"]: record for record in load_records()}
        source[0] = re.sub(r"@RESULTS (\w+)@", lambda match: TABLES[match.group(1)](plan, records), source[0])


def setup(app: Sphinx) -> dict:
    app.connect("source-read", insert_tables)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
