"""The printed relations of Dumoulin and Visin's guide, each tried on a grid of sizes against our arithmetic."""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import product

from course_lib import arithmetic
from course_suite.ledger.quantities import quantity

OPERATIONS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}
Sizes = dict[str, int]  # i, k, s, p, d, a: input, kernel, stride, padding, dilation, and the rest a of a division

LAYERS: dict[str, Callable[[Sizes], int]] = {
    "convolution": lambda v: arithmetic.conv_output_size(v["i"], v["k"], v["s"], v["p"], v["d"]),
    "pooling": lambda v: arithmetic.pool_output_size(v["i"], v["k"], v["s"]),
    "transposed": lambda v: arithmetic.conv_transpose_output_size(v["i"], v["k"], v["s"], v["p"], v["a"], v["d"]),
}
PADDINGS: dict[str, Callable[[int], range]] = {
    "none": lambda _: range(1),
    "any": lambda k: range(k),
    "half": lambda k: range(k // 2, k // 2 + 1),
    "full": lambda k: range(k - 1, k),
}


@quantity
def relation_holds(
    formula: str,
    layer: str = "convolution",
    padding: str = "any",
    strides: int = 1,
    dilations: int = 1,
    odd_kernels: bool = False,
    with_rest: bool = False,
) -> bool:
    """Whether a printed formula, such as "o = floor((i - k)/s) + 1", gives the layer's output on every size tried.

    Args:
        formula: as printed; i' and o' are the input and the output of a transposed convolution.
        layer: convolution, pooling or transposed.
        padding: none, any, half or full.
        strides: the largest stride tried.
        dilations: the largest dilation tried.
        odd_kernels: only these.
        with_rest: transposed convolutions too, with every rest ``a`` below their stride.
    """
    right = _parsed(formula)
    return all(_value(right, case) == LAYERS[layer](case) for case in _cases(
        layer, padding, strides, dilations, 2 if odd_kernels else 1, with_rest
    ))  # fmt: skip


def _cases(layer: str, padding: str, strides: int, dilations: int, odd: int, with_rest: bool) -> Iterator[Sizes]:
    """Every choice of sizes for which the layer exists."""
    for i, k, s, d in product(range(1, 15), range(1, 7, odd), range(1, strides + 1), range(1, dilations + 1)):
        for p, a in product(PADDINGS[padding](k), range(s if with_rest else 1)):
            effective = d * (k - 1) + 1
            fits = (i - 1) * s + a + effective > 2 * p if layer == "transposed" else i + 2 * p >= effective
            if fits:
                yield {"i": i, "k": k, "s": s, "p": p, "d": d, "a": a}


def _parsed(formula: str) -> ast.expr:
    """The right side of a formula, with the multiplications that are printed without a sign."""
    right = formula.replace("'", "").split("=", 1)[1]
    right = re.sub(r"(?<![a-z])([a-z]|\d|\))\s*\(", r"\1*(", right)
    right = re.sub(r"(\d)([a-z])", r"\1*\2", right)
    return ast.parse(right.strip(), mode="eval").body


def _value(node: ast.expr, sizes: Sizes) -> Fraction:
    match node:
        case ast.Constant(value=int(number)):
            return Fraction(number)
        case ast.Name(id=name) if name in sizes:
            return Fraction(sizes[name])
        case ast.BinOp(left=left, op=operation, right=right) if type(operation) in OPERATIONS:
            return OPERATIONS[type(operation)](_value(left, sizes), _value(right, sizes))
        case ast.Call(func=ast.Name(id="floor"), args=[inner]):
            return Fraction(math.floor(_value(inner, sizes)))
    raise ValueError(f"a formula holds sizes, whole numbers, + - * / and floor, not {ast.unparse(node)}")


@quantity
def same_output_for_a_stride_of_inputs() -> bool:
    """Whether i to i + s - 1, and no other input, give one output wherever i + 2p - k is a multiple of s."""
    return all(
        arithmetic.input_sizes(LAYERS["convolution"](v), v["k"], v["s"], v["p"]) == range(v["i"], v["i"] + v["s"])
        for v in _cases("convolution", "any", 5, 1, 1, False)
        if (v["i"] + 2 * v["p"] - v["k"]) % v["s"] == 0
    )
