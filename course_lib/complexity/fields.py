"""Receptive fields that travel with the tensors of an analysis: each tensor remembers what its pixels see.

A field is defined along the axes of maps: (N, C, L), (N, C, H, W), (N, C, D, H, W), and words (N, L). They may be
turned round and split up on the way, as in a normalisation with channels last. Where a pixel sees an axis as a whole,
as behind a squeeze-and-excitation, attention along it or a flattening, the field is not defined. Batch normalisation
counts as pixel by pixel, as it is in inference; normalisations over a whole map do not. Borders are taken like zeros.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any, NamedTuple

from torch import Tensor

from course_lib.arithmetic import ReceptiveField
from course_lib.complexity.reach import POSITION, Reach, join


class Field(NamedTuple):
    """What is seen of some axes of the input.

    Attributes:
        origins: the axes of the input.
        axes: where each of them lies in the tensor.
        reaches: what is seen of each.
        rank: how many axes a map of the input has; with fewer, there is no field.
    """

    origins: tuple[int, ...]
    axes: tuple[int, ...]
    reaches: tuple[Reach, ...]
    rank: int


@dataclass(frozen=True)
class UnevenField(ReceptiveField):
    """A field that one number, or a pair, does not tell: neighbours see different amounts, or there are three axes.

    Attributes:
        size: the most that a pixel sees; along each axis where they differ.
        jump: input pixels from one output pixel to the next, on average: an int where it is whole, else a ``Fraction``.
        offset: the centre of what output pixel 0 sees.
        reaches: what each pixel sees, along each axis.
    """

    reaches: tuple[Reach, ...] = ()

    def __post_init__(self) -> None:
        """Nothing to check: fields of this kind are made here alone."""

    def of(self, *pixel: int) -> tuple[tuple[int, int], ...]:
        """The first and the last input pixel that ``pixel`` sees, along each axis."""
        return tuple(reach.of(place) for reach, place in zip(self.reaches, pixel, strict=True))

    @property
    def first(self) -> Any:
        """Coordinate of the first input pixel that output pixel 0 sees."""
        return _one(tuple(reach.firsts[0] for reach in self.reaches))

    @property
    def last(self) -> Any:
        """Coordinate of the last input pixel that output pixel 0 sees."""
        return _one(tuple(reach.lasts[0] for reach in self.reaches))


# A rule gets the arguments, the output, and (tensor, field) for each tensor among the arguments that depends on the
# model's input; their fields are all defined.
Data = Sequence[tuple[Tensor, Field]]
FieldRule = Callable[[tuple, dict[str, Any], Tensor, Data], Field | None]
AXES = {5: (2, 3, 4), 4: (2, 3), 3: (1, 2)}


def input_field(tensor: Tensor) -> Field | None:
    """The field of the model's input. Of (N, a, b) either axis may be the one along which windows slide."""
    axes = AXES.get(tensor.dim(), ())
    if tensor.dim() == 2 and not tensor.is_floating_point():
        axes = (1,)
    return Field(axes, axes, (POSITION,) * len(axes), max(1, tensor.dim() - 2)) if axes else None


@lru_cache(maxsize=4096)
def shown(field: Field | None) -> ReceptiveField | None:
    """A field as users see it."""
    if field is None:
        return None
    reaches = field.reaches if len(field.axes) == field.rank else (field.reaches[-1],)
    if len(field.axes) != field.rank and len(set(field.reaches)) > 1:
        return None
    size = _one(tuple(max(b - a + 1 for a, b in zip(r.firsts, r.lasts, strict=True)) for r in reaches))
    jump = _one(tuple(_whole(Fraction(r.step, r.period)) for r in reaches))
    offset = _one(tuple(_whole(Fraction(r.firsts[0] + r.lasts[0], 2)) for r in reaches))
    plain = all(reach.period == 1 for reach in reaches)
    if plain and all(not isinstance(part, tuple) or len(part) == 2 for part in (size, jump, offset)):
        return ReceptiveField(size, jump, offset)
    return UnevenField(size, jump, offset, reaches)


def along(field: Field, axes: Sequence[int], change: Callable[[int, Reach], Reach | None]) -> Field | None:
    """The field when ``change`` has been at the axes ``axes`` of the map, by their positions among them."""
    if not set(axes) <= set(field.axes):
        return None
    reaches = []
    for axis, reach in zip(field.axes, field.reaches, strict=True):
        fresh = change(axes.index(axis), reach) if axis in axes else reach
        if fresh is None:
            return None
        reaches.append(fresh)
    return field._replace(reaches=tuple(reaches))


def keeping(field: Field, keep: Callable[[int], int | None]) -> Field | None:
    """The field with its axes at new places; ``keep`` gives None for those that are mixed."""
    places = [keep(axis) for axis in field.axes]
    if None not in places:
        return field._replace(axes=tuple(places))
    kept = [i for i, place in enumerate(places) if place is not None]
    return _only(field._replace(axes=tuple(places)), kept) if len(kept) >= field.rank else None


def _only(field: Field, kept: list[int]) -> Field:
    origins, axes, reaches = (tuple(part[i] for i in kept) for part in field[:3])
    return Field(origins, axes, reaches, field.rank)


def pointwise(args: tuple, kwargs: dict[str, Any], output: Tensor, data: Data) -> Field | None:  # noqa: ARG001
    """A pixel of the output depends on the same pixel of each input; smaller tensors are spread as torch does."""
    tensor, field = data[0]
    sizes, own = output.shape, tensor.shape
    if len(data) == 1 and len(sizes) == len(own):
        if all(sizes[axis] == own[axis] for axis in field.axes):
            return field
        return keeping(field, lambda axis: axis if sizes[axis] == own[axis] else None)
    fields = []
    for tensor, field in data:
        more = output.dim() - tensor.dim()
        moved = keeping(field, lambda axis, more=more, tensor=tensor: _spread(axis, more, tensor, output))
        if moved is None:
            return None
        fields.append(moved)
    return joined_fields(tuple(dict.fromkeys(fields)))


def _spread(axis: int, more: int, tensor: Tensor, output: Tensor) -> int | None:
    place = axis + more
    return place if 0 <= place < output.dim() and output.shape[place] == tensor.shape[axis] else None


@lru_cache(maxsize=4096)
def joined_fields(fields: tuple[Field, ...]) -> Field | None:
    """The field where branches meet: along the axes that all of them have."""
    if len(fields) == 1:
        return fields[0]
    first, *others = fields
    kept = [
        i
        for i, pair in enumerate(zip(first.origins, first.axes, strict=True))
        if all(pair in zip(other.origins, other.axes, strict=True) for other in others)
    ]
    first = _only(first, kept)
    reaches = [join(tuple(field.reaches[field.origins.index(origin)] for field in fields)) for origin in first.origins]
    if len(kept) < first.rank or None in reaches:
        return None
    return first._replace(reaches=tuple(reaches))


def _one(values: tuple) -> Any:
    return values[0] if all(value == values[0] for value in values) else values


def _whole(value: Fraction) -> int | Fraction:
    return value.numerator if value.denominator == 1 else value
