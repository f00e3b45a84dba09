"""Tables of the page on speed, from the figures that the benchmarks wrote.

In a page, a line `@BENCHMARK name@` stands for the table of that name: targets, seconds, memory, exactness, machine.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from markdown_tables import table
from sphinx.application import Sphinx


def targets(speed: dict[str, Any], _: dict[str, Any]) -> str:
    """What was aimed at and what was reached."""
    rows = []
    for entry in speed["targets"]:
        limit = f"at least {entry['at_least']}" if "at_least" in entry else f"at most {entry['at_most']:.0%}"
        value = f"{entry['value']:.1f}" if "at_least" in entry else f"{entry['value']:.2%}"
        rows.append([entry["what"], limit, value, "met" if entry["met"] else "missed"])
    return table(["what", "target", "measured", "verdict"], rows)


def seconds(speed: dict[str, Any], _: dict[str, Any]) -> str:
    """Median seconds of build and count, and the range, for each tool and network."""
    networks = speed["speed"]

    def cell(entry: Any) -> str:
        if not isinstance(entry, dict):
            return entry
        low, high = min(entry["seconds"]), max(entry["seconds"])
        return f"{entry['median_seconds']:.3f} ({low:.3f} to {high:.3f})"

    rows = [[tool, *[cell(networks[name][tool]) for name in networks]] for tool in speed["tools"]]
    return table(["seconds", *networks], rows)


def memory(speed: dict[str, Any], _: dict[str, Any]) -> str:
    """Memory that building and counting vgg19 adds."""
    found = speed["vgg19_added_memory"].items()
    rows = [[tool, f"{e['median_bytes'] / 2**20:,.1f}" if isinstance(e, dict) else e] for tool, e in found]
    return table(["tool", "added memory, MiB"], rows)


def exactness(_: dict[str, Any], exact: dict[str, Any]) -> str:
    """Each tool's count over the true count; 1 is right."""

    def cell(entry: Any) -> str:
        return f"{entry['ratio']:.3g}" if isinstance(entry, dict) and entry["ratio"] is not None else "none"

    rows = [
        [name, *[cell(case["tools"].get(tool)) for tool in exact["tools"]]] for name, case in exact["cases"].items()
    ]
    return table(["case", *exact["tools"]], rows)


def machine(speed: dict[str, Any], _: dict[str, Any]) -> str:
    """Where the figures were measured."""
    where, packages = speed["environment"], speed["environment"]["packages"]
    return (
        f"{where['processor']}, {where['cores']} cores of which one was used, {where['os']}, Python {where['python']}, "
        f"torch {packages['torch']}, torchvision {packages['torchvision']}"
    )


TABLES = {"targets": targets, "seconds": seconds, "memory": memory, "exactness": exactness, "machine": machine}


def insert_tables(app: Sphinx, _docname: str, source: list[str]) -> None:
    """Write the tables into a page that asks for them."""
    if "@BENCHMARK" in source[0]:
        folder = Path(app.srcdir) / "benchmarks"
        found = [json.loads((folder / f"{name}.json").read_text("utf-8")) for name in ("analysis_speed", "exactness")]
        source[0] = re.sub(r"@BENCHMARK (\w+)@", lambda match: TABLES[match.group(1)](*found), source[0])


def setup(app: Sphinx) -> dict:
    app.connect("source-read", insert_tables)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
