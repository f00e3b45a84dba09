"""Tables of the page on the speed of training, from the figures that the benchmarks wrote.

In a page, a line `@TRAINING name@` stands for a table: epochs, use, shares, processes, throughput, machine.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from markdown_tables import spread, table, verdict
from sphinx.application import Sphinx
from training_machines import machine, throughput

PLAIN, OWN = "plain loop", "course_lib"
TARGET_SHARE = 0.02


def epochs(found: dict[str, Any], _: dict[str, Any]) -> str:
    """Seconds of one epoch, the ratio, and the accuracy behind it."""
    rows = []
    for name, entry in found["networks"].items():
        low, high = entry["ratio_range"]
        rows.append([
            name, spread(entry["seconds"][PLAIN]), spread(entry["seconds"][OWN]),
            f"{entry['ratio']:.1f} ({low:.1f} to {high:.1f})",
            f"{entry['target']:.1f}: {verdict(entry['ratio'] >= entry['target'])}",
            *[spread([100 * value for value in entry["test_accuracy"][kind]]) for kind in (PLAIN, OWN)],
        ])  # fmt: skip
    return table(
        ["network", "plain loop, s", "ours, s", "ratio", "target", "accuracy of the plain loop, %", "ours, %"], rows
    )


def use(found: dict[str, Any], _: dict[str, Any]) -> str:
    """Achieved rates over the measured peaks."""
    rows = [
        [name, *[f"{entry['share_of_fp32_peak'][kind]:.0%}" for kind in (PLAIN, "course_lib, float32", OWN)],
         f"{entry['share_of_bf16_peak']:.0%}"]
        for name, entry in found["networks"].items()
    ]  # fmt: skip
    header = ["of the float32 peak", "plain loop", "ours, float32", "ours, bfloat16", "ours, of the bfloat16 peak"]
    return table(header, rows)


def shares(found: dict[str, Any], _: dict[str, Any]) -> str:
    """What taking images and writing checkpoints cost."""
    rows = [
        [
            name,
            *[f"{entry[key]:.2%}, {verdict(entry[key] < TARGET_SHARE)}" for key in ("data_share", "checkpoint_share")],
        ]
        for name, entry in found["networks"].items()
    ]
    return table(["network", "images, of a step", "checkpoint, of an epoch"], rows)


def processes(found: dict[str, Any], _: dict[str, Any]) -> str:
    """One process against two."""
    rows = [
        [name, spread(entry["processes"]["one"]), spread(entry["processes"]["two"]),
         f"{entry['processes']['efficiency']:.0%}"]
        for name, entry in found["networks"].items()
    ]  # fmt: skip
    return table(["network", "one process, s", "two processes, s", "efficiency"], rows)


TABLES = {
    "epochs": epochs, "use": use, "shares": shares, "processes": processes, "throughput": throughput,
    "machine": machine,
}  # fmt: skip


def insert_tables(app: Sphinx, _docname: str, source: list[str]) -> None:
    """Write the tables into a page that asks for them."""
    if "@TRAINING" in source[0]:
        folder = Path(app.srcdir) / "benchmarks"
        found = [
            json.loads((folder / f"{name}.json").read_text("utf-8")) for name in ("training_speed", "throughput_cpu")
        ]
        source[0] = re.sub(r"@TRAINING (\w+)@", lambda match: TABLES[match.group(1)](*found), source[0])


def setup(app: Sphinx) -> dict:
    app.connect("source-read", insert_tables)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
