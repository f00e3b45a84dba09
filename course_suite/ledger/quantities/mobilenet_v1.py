"""Figures of the MobileNet paper: the rows of table 1, the saving of separable convolutions."""

from __future__ import annotations

from fractions import Fraction
from itertools import groupby
from typing import TYPE_CHECKING

from course_lib import arithmetic
from course_suite.ledger.quantities import quantity
from course_suite.ledger.quantities.networks import analysis, network
from course_suite.ledger.quantities.shapes import shape_text

if TYPE_CHECKING:
    from course_lib.complexity.rows import Row

Cells = list[str | None]  # type and stride, filter, input


@quantity
def mobilenet_v1_row(number: int, model: str = "mobilenet_v1") -> Cells:
    """A row of table 1, from 1, as the network has it: "Conv dw / s1", "3x3x32 dw", "112x112x32"."""
    return _table(model)[number - 1]


def _table(model: str) -> list[Cells]:
    convs = [row for row in analysis(model).rows if row.type == "Conv2d"]
    first, pairs = convs[0], [list(map(_conv_cells, pair)) for pair in zip(convs[1::2], convs[2::2], strict=True)]
    table = [_conv_cells(first, model), *_numbered(pairs)]
    pool, linear = (shape_text(_row(model, name).input_shapes[0][1:], "list") for name in ("pool", "fc"))
    classes = _row(model, "fc").output_shape[1]
    table.append(["Avg Pool / s1", f"Pool {pool[1]}x{pool[2]}", f"{pool[1]}x{pool[2]}x{pool[0]}"])
    table.append(["FC / s1", f"{linear[0]}x{classes}", f"1x1x{linear[0]}"])
    table.append([None, None, f"1x1x{classes}"])
    return table


def _numbered(pairs: list[list[Cells]]) -> list[Cells]:
    """One pair of rows for each run of equal pairs, with their number before it where there are several."""
    table = []
    for pair, run in groupby(pairs):
        count = len(list(run))
        table += [[f"{count}x {row[0]}" if count > 1 else row[0], *row[1:]] for row in pair]
    return table


def _row(model: str, name: str) -> Row:
    return next(row for row in analysis(model).rows if row.name == name)


def _conv_cells(row: Row, model: str = "mobilenet_v1") -> Cells:
    conv = network(model).get_submodule(row.name)
    out_channels, depth, height, width = conv.weight.shape
    size = shape_text(row.input_shapes[0][1:], "hwc")
    if conv.groups > 1:
        return [f"Conv dw / s{conv.stride[0]}", f"{height}x{width}x{out_channels} dw", size]
    return [f"Conv / s{conv.stride[0]}", f"{height}x{width}x{depth}x{out_channels}", size]


@quantity
def mobilenet_v1_cost_ratio_holds() -> bool:
    """Whether a separable convolution costs 1/N + 1/D_K^2 of a full one, for each width, kernel and size tried."""
    return all(
        Fraction(arithmetic.separable_conv_macs(m, n, k, side), arithmetic.conv_macs(m, n, k, side))
        == Fraction(1, n) + Fraction(1, k**2)
        for m in (1, 3, 32, 512)
        for n in (1, 64, 1000)
        for k in (1, 3, 5)
        for side in (1, 7, 14)
    )


@quantity
def mobilenet_v1_saving() -> str:
    """How many times less a 3x3 separable convolution of table 1 costs than a full one: "8 to 9", least to most."""
    from course_lib.models.mobilenet_v1 import TABLE_1

    savings = [
        arithmetic.conv_macs(row.in_channels, row.out_channels, 3, 1)
        / arithmetic.separable_conv_macs(row.in_channels, row.out_channels, 3, 1)
        for row in TABLE_1
    ]
    return f"{min(savings):.0f} to {max(savings):.0f}"
