"""An analysis as tables for people: a row a call, the totals, and two networks side by side."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from course_lib.complexity import Complexity
from course_suite.analysis_data import Pair, field_text, published_totals, sizes_text, torchinfo_totals, totals
from course_suite.subjects import Subject

LABELS = {
    "params": "parameters",
    "unused_params": "of which this pass does not use",
    "macs": "multiply-adds",
    "param_bytes": "memory of parameters",
    "buffer_bytes": "memory of buffers",
    "peak_activation_bytes": "memory of activations, largest at once",
    "training_activation_bytes": "memory that training keeps",
    "inference_bytes": "memory of an inference",
    "training_bytes_with_momentum": "memory of a training step (SGD, momentum)",
}


def print_analysis(console: Console, subject: Subject, complexity: Complexity) -> None:
    """The rows of a network and its totals, beside torchinfo's and those that torchvision publishes."""
    inputs = ", ".join(sizes_text(shape[1:]) for shape in complexity.input_shapes)
    console.print(_rows(complexity, f"{subject.name}, input {inputs}"))
    console.print(_totals(subject, complexity))
    for entry in complexity.not_counted:
        console.print(f"not counted: {entry}", markup=False, highlight=False, soft_wrap=True)
    console.print("One multiply-add counts 1; biases are not counted, except by torchinfo.", highlight=False)


def _rows(complexity: Complexity, title: str) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column("layer", overflow="fold", ratio=2)
    table.add_column("type", overflow="fold", ratio=1)
    table.add_column("output", no_wrap=True)
    for heading in ("parameters", "multiply-adds", "new memory", "field"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in complexity.rows:
        macs = "not counted" if row.macs is None else f"{row.macs:,}"
        shape, new = sizes_text(row.output_shape[1:]), _memory(row.activation_bytes)
        table.add_row(row.name, row.type, shape, f"{row.params:,}", macs, new, field_text(row, "size"))
    return table


def _totals(subject: Subject, complexity: Complexity) -> Table:
    table = Table("total", title_justify="left")
    for heading in ("counted", "torchinfo", "torchvision publishes"):
        table.add_column(heading, justify="right", no_wrap=True)
    theirs, published = torchinfo_totals(subject), published_totals(subject)
    for name, value in totals(complexity).items():
        cells = ["", ""]
        if name == "params":
            cells = [f"{theirs['params']:,}" if theirs else "no answer", f"{published.params:,}" if published else ""]
        if name == "macs":
            cells = [
                f"{theirs['mult_adds']:,}" if theirs else "no answer",
                f"{published.giga_macs:.3f} G" if published else "",
            ]
        table.add_row(LABELS[name], _text(name, value), *cells)
    return table


def print_comparison(console: Console, pairs: list[Pair]) -> None:
    """The totals of two networks side by side, and how many times the first the second is."""
    (first, one), (second, other) = pairs
    table = Table("total")
    for heading in (first.name, second.name, "ratio"):
        table.add_column(heading, justify="right", overflow="fold")
    shapes = [", ".join(sizes_text(shape[1:]) for shape in found.input_shapes) for found in (one, other)]
    table.add_row("input", *shapes, "")
    for (name, left), right in zip(totals(one).items(), totals(other).values(), strict=True):
        ratio = f"{right / left:.3g}" if left else ""
        table.add_row(LABELS[name], _text(name, left), _text(name, right), ratio)
    table.add_row("calls", str(len(one.rows)), str(len(other.rows)), f"{len(other.rows) / len(one.rows):.3g}")
    console.print(table)
    for subject, found in pairs:
        for entry in found.not_counted:
            console.print(f"not counted in {subject.name}: {entry}", markup=False, highlight=False, soft_wrap=True)


def _text(name: str, value: int) -> str:
    return _memory(value) if "bytes" in name else f"{value:,}"


def _memory(value: int) -> str:
    """Bytes in KiB or MiB, with one decimal."""
    return f"{value / 2**20:,.1f} MiB" if value >= 2**20 else f"{value / 2**10:,.1f} KiB" if value else "0"
