"""Figures of the MobileNetV2 paper: the rows of table 2, the cost of a block, the memory of table 3."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from course_suite.ledger.quantities import quantity
from course_suite.ledger.quantities.compared_tables import SHUFFLENET_WIDTHS
from course_suite.ledger.quantities.networks import analysis, macs, network

if TYPE_CHECKING:
    from course_lib.complexity.rows import Row

BYTES = 2  # "we assume 16-bit floats for activations"


@quantity
def mobilenet_v2_row(number: int, model: str = "mobilenet_v2") -> list[Any]:
    """A row of table 2, from 1, as the network has it: input, operator, t, c, n, s."""
    found, stages = _rows(model), len(_stages(model))
    if 2 <= number <= stages + 1:
        return _bottleneck_cells(model, number - 1)
    if number in (1, stages + 2):
        row = found["features.conv1.conv" if number == 1 else "features.conv_last.conv"]
        conv = network(model).get_submodule(row.name)
        operator = "conv2d" if number == 1 else f"conv2d {conv.kernel_size[0]}x{conv.kernel_size[1]}"
        return [_input(row), operator, "-", conv.out_channels, 1, conv.stride[0]]
    if number == stages + 3:
        side = found["pool"].input_shapes[0][-1]
        return [_input(found["pool"]), f"avgpool {side}x{side}", "-", "-", 1, "-"]
    widths = [network(model, {"num_classes": classes}).fc.out_features for classes in (10, 1000)]
    return [_input(found["fc"]), "conv2d 1x1", "-", "k" if widths == [10, 1000] else widths[1], "-", "-"]


def _stages(model: str) -> list[str]:
    return [name for name, _ in network(model).features.named_children() if name.startswith("stage")]


def _rows(model: str) -> dict[str, Row]:
    return {row.name: row for row in analysis(model).rows}


def _input(row: Row) -> str:
    channels, side = (*row.input_shapes[0][1:], 1)[:2]
    return f"{side}^2x{channels}"


def _bottleneck_cells(model: str, stage: int) -> list[Any]:
    blocks = network(model).get_submodule(f"features.stage{stage}")
    branch = blocks[0].branch
    first = next(row for name, row in _rows(model).items() if name.startswith(f"features.stage{stage}."))
    conv = branch.depthwise.conv
    expansion = conv.in_channels // first.input_shapes[0][1]
    return [_input(first), "bottleneck", expansion, branch.project.conv.out_channels, len(blocks), conv.stride[0]]


@quantity
def mobilenet_v2_block_formula_holds(model: str = "mobilenet_v2") -> bool:
    """Whether h w d' t (d' + k^2 + d'') is the cost of each block that has stride 1 and expands."""
    tried = []
    for stage in _stages(model):
        for name, block in network(model).get_submodule(f"features.{stage}").named_children():
            where, conv = f"features.{stage}.{name}", block.branch.depthwise.conv
            if conv.stride == (1, 1) and hasattr(block.branch, "expand"):
                _, d, h, w = _rows(model)[f"{where}.branch.expand.conv"].input_shapes[0]
                stated = (
                    h * w * conv.in_channels * (d + conv.kernel_size[0] ** 2 + block.branch.project.conv.out_channels)
                )
                tried.append(stated == macs(model, layers=where))
    return bool(tried) and all(tried)


@quantity
def mobilenet_v2_cost_range(model: str = "mobilenet_v2") -> str:
    """The cheapest and the dearest network of the widths 0.35 to 1.4 and the sides 96 to 224, as the text has them."""
    least = macs(model, {"width": 0.35}, [3, 96, 96])
    most = macs(model, {"width": 1.4}, [3, 224, 224])
    return f"{least / 1e6:.0f}M multiply adds to {most // 10**6}M"


@quantity
def mobilenet_v2_widest(network: str, side: int, rows: str = "output", groups: int = 3) -> int:
    """Channels that table 3 lists: the widest tensor between layers with maps of that side.

    Args:
        network: "mobilenet_v1"; "mobilenet_v2", bottlenecks alone; "shufflenet", with twice its widths.
        rows: of MobileNetV2, the bottlenecks whose "output" has that side, or the rows of table 2 whose "input" has.
        groups: of ShuffleNet.
    """
    if network == "shufflenet":
        widths = SHUFFLENET_WIDTHS[groups]
        return 2 * {56: 24, 28: widths[0], 14: widths[1], 7: widths[2], 1: widths[2]}[side]
    if side == 1 or network == "mobilenet_v1":
        return max(row.output_shape[1] for row in analysis(network).rows if (*row.output_shape, 1)[2] == side)
    cells = [_bottleneck_cells(network, number) for number in range(1, len(_stages(network)) + 1)]
    sides = [int(cell[0].split("^")[0]) for cell in cells]
    if rows == "output":
        sides = [before // cell[5] for before, cell in zip(sides, cells, strict=True)]
    return max(cell[3] for cell, own in zip(cells, sides, strict=True) if own == side)


@quantity
def mobilenet_v2_memory(channels: int, side: int, digits: int, suffix: str = "") -> str:
    """A cell of table 3: channels/thousands of bytes, cut off after so many significant digits."""
    memory = channels * side**2 * BYTES // 1000
    step = 10 ** max(0, len(str(memory)) - digits)
    return f"{channels}/{memory // step * step}{suffix}"


@quantity
def mobilenet_v2_most_memory(of: list[str]) -> int:
    """The largest memory in printed cells of table 3, in bytes."""
    return 1000 * max(int(re.fullmatch(r"\d+/(\d+)K?", cell)[1]) for cell in of)
