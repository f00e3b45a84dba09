"""Receptive fields: which input pixels one output pixel can see, through a chain of layers and where branches join.

Along one axis the field of output pixel 0 is the interval from ``offset - (size - 1) / 2`` to
``offset + (size - 1) / 2``, in input pixels, with input pixel 0 centred at 0. Both ends are whole pixels, so an even
size puts the offset halfway between two. That of output pixel ``i`` lies ``i * jump`` further on. Padding is at
negative coordinates and beyond the last pixel: near the border a field holds fewer pixels of the image than its size.
Dilation and strides can leave gaps inside a field; its size counts them.

Source: Araujo, Norris and Sim 2019, Computing Receptive Fields of Convolutional Neural Networks, Distill,
doi:10.23915/distill.00021, sections "Single-path networks" and "Arbitrary computation graphs".
Differs from the paper: its effective stride is called jump, and the offset is the field's centre where the paper's
effective padding is how far the field's first pixel lies before the image: ``(size - 1) / 2 - offset``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

from course_lib.arithmetic._checks import IntOrPair, effective_size, int_or_pair, per_axis, rational_or_pair, window

Offset = int | Fraction


class Layer(NamedTuple):
    """The sliding window of a convolution or a pooling layer; each field an int or a pair, padding per side."""

    kernel_size: IntOrPair
    stride: IntOrPair = 1
    padding: IntOrPair = 0
    dilation: IntOrPair = 1


def _check_ends(size: int, offset: Offset) -> None:
    if (2 * offset - size + 1) % 2:
        raise ValueError(f"offset must put the field's ends on whole pixels, got offset={offset} (size={size})")


@dataclass(frozen=True)
class ReceptiveField:
    """What one output pixel sees, in input pixels.

    Each field is one number for both axes, or a pair ``(height, width)``; where one is a pair, all become pairs.

    Attributes:
        size: input pixels from the first to the last that an output pixel sees, both counted.
        jump: input pixels between the centres of neighbouring output pixels.
        offset: coordinate of the centre of output pixel 0; input pixel 0 is at 0. An int where it is whole, else a
            ``Fraction`` of halves: exact, and equal to the float.

    Raises:
        ValueError: the size or the jump is no integer of at least 1 (or a pair), the offset is neither int nor
            ``Fraction``, or the field's ends are not whole pixels.
    """

    size: IntOrPair
    jump: IntOrPair
    offset: Offset | tuple[Offset, Offset]

    def __post_init__(self) -> None:
        size, jump = int_or_pair("size", self.size, 1), int_or_pair("jump", self.jump, 1)
        offset = rational_or_pair("offset", self.offset)
        per_axis(_check_ends, size, offset)
        paired = any(isinstance(value, tuple) for value in (size, jump, offset))
        for name, value in (("size", size), ("jump", jump), ("offset", offset)):
            object.__setattr__(self, name, (value, value) if paired and not isinstance(value, tuple) else value)

    @property
    def first(self) -> IntOrPair:
        """Coordinate of the first input pixel that output pixel 0 sees; negative in the padding."""
        return per_axis(_first, self.size, self.offset)

    @property
    def last(self) -> IntOrPair:
        """Coordinate of the last input pixel that output pixel 0 sees."""
        return per_axis(_last, self.size, self.offset)


INPUT_PIXEL = ReceptiveField(size=1, jump=1, offset=0)


def receptive_field(layers: Iterable[Layer], start: ReceptiveField = INPUT_PIXEL) -> ReceptiveField:
    """The receptive field of an output pixel of ``layers``, in order from the input.

    ``start`` is the field of a pixel that goes into the first layer: that of an input pixel, or of earlier layers.

    Raises:
        ValueError: ``layers`` holds something else than ``Layer``, or a layer's value is no integer or out of range.
    """
    return [start, *receptive_fields(layers, start)][-1]


def receptive_fields(layers: Iterable[Layer], start: ReceptiveField = INPUT_PIXEL) -> list[ReceptiveField]:
    """The receptive field after each of ``layers``, in order from the input; as many as there are layers.

    Raises:
        ValueError: as ``receptive_field``.
    """
    fields, field = [], _checked("start", start)
    for layer in layers:
        if not isinstance(layer, Layer):
            raise ValueError(f"layers must hold Layer(kernel_size, stride, padding, dilation) only, got {layer!r}")
        grown = per_axis(_through, field.size, field.jump, field.offset, *window(*layer))
        field = grown if isinstance(grown, ReceptiveField) else _paired(*grown)
        fields.append(field)
    return fields


def join_receptive_fields(branches: Iterable[ReceptiveField]) -> ReceptiveField:
    """The receptive field where ``branches`` are added or concatenated: the smallest one that holds each of them.

    It reaches from the first pixel that a branch sees to the last; the offsets of the branches may differ.

    Raises:
        ValueError: there are no branches, one is no ``ReceptiveField``, or their jumps differ: then their output
            pixels cannot be paired off.
    """
    fields = [_checked("branches", branch) for branch in branches]
    if not fields:
        raise ValueError("branches must hold at least one ReceptiveField, got none")
    jump = per_axis(_common_jump, *(field.jump for field in fields))
    first = per_axis(lambda *pixels: min(pixels), *(field.first for field in fields))
    last = per_axis(lambda *pixels: max(pixels), *(field.last for field in fields))
    return ReceptiveField(size=per_axis(_length, first, last), jump=jump, offset=per_axis(_centre, first, last))


def _through(
    size: int, jump: int, offset: Offset, kernel_size: int, stride: int, padding: int, dilation: int
) -> ReceptiveField:
    """The field along one axis after one more window: it grows by steps of ``jump`` pixels."""
    steps = effective_size(kernel_size, dilation) - 1
    return ReceptiveField(
        size=size + steps * jump, jump=jump * stride, offset=offset + (Fraction(steps, 2) - padding) * jump
    )


def _paired(height: ReceptiveField, width: ReceptiveField) -> ReceptiveField:
    return ReceptiveField(
        size=(height.size, width.size), jump=(height.jump, width.jump), offset=(height.offset, width.offset)
    )


def _checked(name: str, value: Any) -> ReceptiveField:
    if not isinstance(value, ReceptiveField):
        raise ValueError(f"{name} must be ReceptiveField(size, jump, offset), got {value!r}")
    return value


def _common_jump(*jumps: int) -> int:
    if len(set(jumps)) > 1:
        raise ValueError(f"branches must have the same jump, got jumps {', '.join(map(str, jumps))}")
    return jumps[0]


def _first(size: int, offset: Offset) -> int:
    return int(offset - Fraction(size - 1, 2))


def _last(size: int, offset: Offset) -> int:
    return int(offset + Fraction(size - 1, 2))


def _length(first: int, last: int) -> int:
    return last - first + 1


def _centre(first: int, last: int) -> Fraction:
    return Fraction(first + last, 2)
