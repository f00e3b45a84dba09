"""What a drawing says of a layer or a function: its kind, its text, and the text that fits into a small box."""

from __future__ import annotations

from math import prod
from typing import NamedTuple

from torch import nn

from course_lib.complexity import Row

NORMS = {
    "batchnorm": ("batch norm", "BN"),
    "layernorm": ("layer norm", "LN"),
    "groupnorm": ("group norm", "GN"),
    "instancenorm": ("instance norm", "IN"),
    "responsenorm": ("response norm", "LRN"),
}
ACTIVATIONS = """
    relu relu6 leakyrelu leaky_relu prelu elu selu celu gelu silu mish sigmoid tanh hardswish hardsigmoid hardtanh
    softmax softplus logsoftmax log_softmax scaledtanh
""".split()
SPELLED = {"relu": "ReLU", "relu6": "ReLU6", "silu": "SiLU", "gelu": "GELU", "leaky_relu": "LeakyReLU"}
JOINS = {"add": "+", "sub": "-", "mul": "×", "cat": "concat", "concat": "concat", "stack": "stack"}
# Nothing that a reader has to see: the drawing goes straight through.
TRANSPARENT = frozenset(
    "Identity Flatten Unflatten Permute flatten view reshape contiguous clone StochasticDepth".split()
)


class Label(NamedTuple):
    """``kind``: conv, pool, linear, join, norm, act, drop, pass or other; the last five may follow another layer."""

    kind: str
    text: str
    short: str


def label_of(row: Row, layer: nn.Module | None) -> Label:
    """The label of a row; ``layer`` is its module, None for a function."""
    kind = row.type
    if kind in TRANSPARENT:
        return Label("pass", kind, kind)
    if kind in JOINS and len(row.input_shapes) > 1:
        return Label("join", JOINS[kind], JOINS[kind])
    if "conv" in kind.lower() and len(row.output_shape) > 2:
        return _conv(row, layer)
    if "pool" in kind.lower():
        return _pool(row, layer)
    if kind == "mean" and len(row.input_shapes[0]) == 4 and prod(row.output_shape[2:]) == 1:
        return Label("pool", "global average pool", "global average")
    if kind in ("Linear", "linear", "NonDynamicallyQuantizableLinear"):
        return Label("linear", f"fully connected, {row.output_shape[-1]:,}", f"fc {row.output_shape[-1]:,}")
    for name, (text, short) in NORMS.items():
        if name in kind.lower().replace("_", ""):
            return Label("norm", text, short)
    if kind.lower() in ACTIVATIONS:
        spelled = SPELLED.get(kind, kind)
        return Label("act", spelled, spelled)
    if "dropout" in kind.lower():
        return Label("drop", "dropout", "dropout")
    return Label("other", kind, kind)


def _conv(row: Row, layer: nn.Module | None) -> Label:
    """ "conv 3×3, 64, /2", or "depthwise 3×3, 32"; the stride is said where it is not 1."""
    in_channels, out_channels = row.input_shapes[0][1], row.output_shape[1]
    kernel = getattr(layer, "kernel_size", None) or (row.input_shapes[1][2:] if len(row.input_shapes) > 1 else ())
    groups = getattr(layer, "groups", 1)
    depthwise = groups == in_channels and groups > 1
    transposed = "transpose" in row.type.lower()
    size = _sizes(kernel)
    details = _step(getattr(layer, "stride", 1), "×" if transposed else "/")
    details += _step(getattr(layer, "dilation", 1), "dilation ")
    if groups > 1 and not depthwise:
        details += f", {groups} groups"
    name = "depthwise" if depthwise else "transposed conv" if transposed else "conv"
    short = "dw " if depthwise else "up " if transposed else ""
    return Label("conv", f"{name} {size}, {out_channels:,}{details}", f"{short}{size}, {out_channels:,}{details}")


def _pool(row: Row, layer: nn.Module | None) -> Label:
    kind = row.type.lower()
    name = "max" if "max" in kind else "average" if "avg" in kind else row.type
    to = row.output_shape[2:]
    if "adaptive" in kind:
        if to and prod(to) == 1:
            return Label("pool", f"global {name} pool", f"global {name}")
        return Label("pool", f"{name} pool to {_sizes(to)}", f"{name} to {_sizes(to)}")
    if layer is None or not hasattr(layer, "kernel_size"):  # a function, whose arguments are not in the row
        return Label("pool", f"{name} pool", f"{name} pool")
    size, stride = _sizes(layer.kernel_size), _step(layer.stride, "/")
    return Label("pool", f"{name} pool {size}{stride}", f"{name} {size}{stride}")


def _sizes(value: object) -> str:
    """3 and (3, 3) as 3×3, (1, 7) as 1×7; the number alone for a sequence."""
    sizes = _tuple(value)
    return "×".join(str(size) for size in (sizes if len(sizes) != 1 or not isinstance(value, int) else sizes * 2))


def _step(value: object, sign: str) -> str:
    """A stride or dilation behind its sign, one number where all are alike; nothing where it is 1."""
    sizes = _tuple(value or 1)
    if prod(sizes) == 1:
        return ""
    return f", {sign}{sizes[0] if len(set(sizes)) == 1 else _sizes(sizes)}"


def _tuple(value: object) -> tuple[int, ...]:
    return tuple(value) if isinstance(value, list | tuple) else (value,)
