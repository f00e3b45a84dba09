"""Tables of the recorded runs, beside what the papers report: `@TABLE results.NAME@`."""

from __future__ import annotations

import base64
import io
import math
import statistics
from html import escape
from pathlib import Path
from typing import Any

from markdown_tables import table
from matplotlib.figure import Figure

from course_lib.figures.experiments import error_intervals, seed_curves
from course_suite.records import error_interval, errors, is_trained, load_plan, load_records, trained_below


def error_of(record: dict[str, Any]) -> str:
    """Mean test error in per cent, with its interval, on one line."""
    found = error_interval(record)
    if found is None:
        return f"{errors(record)[0]:.2f}"
    return f"{found.mean:.2f} ({max(found.low, 0):.2f} to {found.high:.2f})".replace(" ", "\u00a0")


def training_error_of(record: dict[str, Any], entry: dict[str, Any]) -> str:
    """Mean training error in per cent, and a word where it is too high for a comparison."""
    mean = f"{statistics.fmean(errors(record, 'train')):.2f}"
    return mean if is_trained(record, entry) else f"{mean}, **not trained**"


def measured(plan: list[dict[str, Any]], records: dict[str, dict[str, Any]]) -> str:
    """Every planned run that has a record."""
    rows = []
    for entry in plan:
        record = records.get(entry["name"])
        if record:
            speed = max(run["images_per_second"] for run in record["runs"])
            rows.append([
                f"{{ref}}`{entry['name'].replace('_', ' ')} <{entry['chapter']}>`", error_of(record),
                training_error_of(record, entry), str(len(record["runs"])), record["data"]["title"],
                str(record["hyperparameters"]["epochs"]),
                f"{record['model']['params']:,}", f"{speed:,.0f}",
            ])  # fmt: skip
    head = ["run", "test error, %", "training error, %", "n", "data", "epochs", "parameters", "images/s"]
    return table(head, rows, 3)


def compared(plan: list[dict[str, Any]], records: dict[str, dict[str, Any]]) -> str:
    """Runs whose network a paper has trained too, and below them what is not the same."""
    rows, reasons = [], {}
    for entry in plan:
        if "published" in entry:
            record = records.get(entry["name"])
            ours, n, gap = "not yet run", "", ""
            if record and not is_trained(record, entry):
                ours = f"not trained (training error above {trained_below(entry):g} %)"
            elif record:
                ours, n = error_of(record), str(len(record["runs"]))
                gap = f"{statistics.fmean(errors(record)) - float(entry['published']):+.2f}"
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


def cost(_: list[dict[str, Any]], records: dict[str, dict[str, Any]]) -> str:
    """Core-hours of training by data set, and in all."""
    hours: dict[str, float] = {}
    for record in records.values():
        title, threads = record["data"]["title"], record["environment"]["threads"]
        spent = threads * math.fsum(run["wall_seconds"] for run in record["runs"]) / 3600
        hours[title] = hours.get(title, 0.0) + spent
    rows = [[title, f"{spent:.2f}"] for title, spent in sorted(hours.items())]
    return table(["data", "core-hours"], [*rows, ["all", f"{math.fsum(hours.values()):.2f}"]])


def compared_picture(plan: list[dict[str, Any]], records: dict[str, dict[str, Any]]) -> str:
    """Our errors with their intervals beside the printed ones, for what was trained."""
    found, printed = {}, {}
    for entry in plan:
        record = records.get(entry["name"])
        if record and "published" in entry and is_trained(record, entry) and error_interval(record):
            name = entry["name"].replace("_", " ")
            found[name], printed[name] = error_interval(record), float(entry["published"])
    told = "; ".join(f"{name}: printed {printed[name]:g}, ours {found[name]}" for name in found)
    alt = f"A row for each run: a dot at our mean, a line over its interval, a diamond at the printed error. {told}."
    return picture(error_intervals(found, printed, xlabel="test error (%)"), alt)


def curves_picture(_: list[dict[str, Any]], records: dict[str, dict[str, Any]], names: str) -> str:
    """Training errors of every seed over the epochs, of the records that these words name."""
    chosen = [records[name] for name in names.split() if name in records]
    if not chosen:
        return "These runs have no record yet."
    curves = {
        record["name"].partition("_")[0]: [
            [100 * (1 - accuracy) for accuracy in run["history"]["train_accuracy"]] for run in record["runs"]
        ]
        for record in chosen
    }
    ends = "; ".join(f"{name} ends at {', '.join(f'{run[-1]:.1f}' for run in runs)}" for name, runs in curves.items())
    figure = seed_curves(curves, xlabel="epoch", ylabel="training error (%)")
    return picture(figure, f"Curves of the training error in per cent over the epochs, one for each seed: {ends}.")


def picture(figure: Figure, alt: str) -> str:
    """A figure inside the page, as an image with a text for those who do not see it."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None})
    source = base64.b64encode(buffer.getvalue()).decode()
    return f'```{{raw}} html\n<img alt="{escape(alt)}" src="data:image/svg+xml;base64,{source}">\n```'


TABLES = {
    "measured": measured, "compared": compared, "missing": missing, "commands": commands, "machines": machines,
    "cost": cost, "compared_picture": compared_picture, "curves_picture": curves_picture,
}  # fmt: skip


def figures(_: Path) -> tuple[list[dict[str, Any]], dict[str, dict[str, Any]]]:
    """What the tables are made from: the plan, and the records by name."""
    return load_plan(), {record["name"]: record for record in load_records()}
