"""Tables of the page on the speed of training, from what the benchmarks wrote: `@TABLE training.NAME@`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from markdown_tables import spread, table, verdict

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


def throughput(_: dict[str, Any], found: dict[str, Any]) -> str:
    """Images a second beside torchvision's modules."""
    rows = []
    for name, entry in found["networks"].items():
        low, high = entry["ratio_range"]
        samples = entry["images_per_second"]
        rows.append([
            name, spread(samples["torchvision"]), spread(samples["course_lib"]),
            f"{entry['ratio']:.2f} ({low:.2f} to {high:.2f})",
        ])  # fmt: skip
    return table(["network", "torchvision, images/s", "ours, images/s", "ratio"], rows)


def machine(found: dict[str, Any], _: dict[str, Any]) -> str:
    """Where the figures were measured."""
    where, peaks = found["environment"], found["peak_macs_per_second"]
    return (
        f"{where['processor']}, {where['cores']} cores, all of them in use, {where['os']}, Python {where['python']}, "
        f"torch {where['packages']['torch']}; matrix products reach {peaks['fp32'] / 1e9:,.0f} thousand million "
        f"multiply-adds a second in float32 and {peaks['bf16'] / 1e9:,.0f} in bfloat16"
    )


TABLES = {
    "epochs": epochs, "use": use, "shares": shares, "processes": processes, "throughput": throughput,
    "machine": machine,
}  # fmt: skip


def figures(source: Path) -> list[dict[str, Any]]:
    """What the tables are made from."""
    names = ("training_speed", "throughput_cpu")
    return [json.loads((source / f"benchmarks/{name}.json").read_text("utf-8")) for name in names]
