"""Two parts of the page on the speed of training: large networks, and where it was measured."""

from __future__ import annotations

from typing import Any

from markdown_tables import spread, table


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
