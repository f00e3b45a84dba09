"""Cases for the page's arithmetic: the arguments, and what course_lib.arithmetic makes of them or says against them."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from course_lib import arithmetic
from course_lib.arithmetic import Layer, ReceptiveField, receptive_field


class Case(NamedTuple):
    """A call of one function of the page, as JSON."""

    function: str
    arguments: list[Any]
    expected: Any


def outcome(call: Callable[[], Any]) -> Any:
    """What a call returns, as JSON has it, or what it says when it refuses."""
    try:
        value = call()
    except ValueError as error:
        return {"error": str(error)}
    if isinstance(value, ReceptiveField):
        return {name: plain(getattr(value, name)) for name in ("size", "jump", "offset")}
    return plain(value)


def plain(value: Any) -> Any:
    """Numbers and lists of numbers; a half is exact as a float."""
    return [float(side) for side in value] if isinstance(value, tuple) else float(value)


def number(chance: random.Random, *values: int) -> int | list[int]:
    """One of the values, or in one case of five a pair of them."""
    return chance.choice(values) if chance.random() < 0.8 else [chance.choice(values), chance.choice(values)]


def cases(seed: int, each: int) -> Iterator[Case]:
    """``each`` random cases of each function, many of them out of range or without a fit."""
    chance = random.Random(seed)
    for _ in range(each):
        size, kernel = number(chance, 0, 1, 2, 5, 7, 8, 28, 32, 224, 227), number(chance, 0, 1, 2, 3, 5, 7, 11)
        stride, padding = number(chance, 0, 1, 1, 2, 3, 4), number(chance, -1, 0, 0, 1, 2, 3)
        dilation, ceil = number(chance, 0, 1, 1, 1, 2, 5), chance.random() < 0.5
        window = [kernel, stride, padding, dilation]
        yield case("convOutputSize", arithmetic.conv_output_size, size, *window)
        yield case("poolOutputSize", arithmetic.pool_output_size, size, *window, ceil)
        yield case("poolOutputSize", arithmetic.pool_output_size, size, kernel)
        channels = [chance.choice((0, 1, 2, 3, 6, 16, 64, 96, 256)) for _ in range(2)]
        groups, bias = chance.choice((0, 1, 1, 2, 3, 16)), chance.random() < 0.5
        yield Case(
            "convParams",
            [*channels, kernel, {"groups": groups, "bias": bias}],
            outcome(lambda: arithmetic.conv_params(*channels, tupled(kernel), groups=groups, bias=bias)),  # noqa: B023
        )
        yield Case(
            "convMacs",
            [*channels, kernel, size, {"groups": groups}],
            outcome(lambda: arithmetic.conv_macs(*channels, tupled(kernel), tupled(size), groups=groups)),  # noqa: B023
        )
        yield Case(
            "linearParams",
            [*channels, {"bias": bias}],
            outcome(lambda: arithmetic.linear_params(*channels, bias=bias)),  # noqa: B023
        )
        yield case("linearMacs", arithmetic.linear_macs, *channels)
        layers = [[number(chance, 1, 2, 3, 5, 7), number(chance, 1, 2), number(chance, 0, 1, 2)] for _ in range(4)]
        yield Case("through", [*layers, window], outcome(lambda: field(layers, window)))  # noqa: B023


def case(name: str, function: Callable, *arguments: Any) -> Case:
    """A case whose arguments are the same on both sides."""
    return Case(name, list(arguments), outcome(lambda: function(*map(tupled, arguments))))


def tupled(value: Any) -> Any:
    """A pair as Python has it."""
    return tuple(value) if isinstance(value, list) else value


def field(layers: list[list[Any]], last: list[Any]) -> ReceptiveField:
    """The field behind a chain of layers."""
    return receptive_field([Layer(*map(tupled, values)) for values in [*layers, last]])


RUN = """(cases) => cases.map(([name, args]) => {
  const A = course.arithmetic;
  try {
    if (name === "through") return args.reduce((field, layer) => A.through(field, ...layer), A.inputPixel);
    return A[name](...args);
  } catch (error) {
    return { error: error.message };
  }
})"""
