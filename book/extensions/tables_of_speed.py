"""Tables of the page on the speed of counting, from what the benchmarks wrote: `@TABLE speed.NAME@`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from markdown_tables import table


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


def figures(source: Path) -> list[dict[str, Any]]:
    """What the tables are made from."""
    return [
        json.loads((source / f"benchmarks/{name}.json").read_text("utf-8")) for name in ("analysis_speed", "exactness")
    ]
