"""Receptive fields against gradients: the input pixels that one output pixel of all-ones convolutions depends on."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import FrozenInstanceError
from fractions import Fraction

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib.arithmetic import Layer, ReceptiveField, join_receptive_fields, receptive_field, receptive_fields

ORACLE = settings(max_examples=150, deadline=None, derandomize=True, database=None)
IMAGE = 400  # pixels along an axis: so many that no field near the middle reaches the border


def int_or_pair(low: int, high: int) -> st.SearchStrategy:
    side = st.integers(low, high)
    return side | st.tuples(side, side) | st.lists(side, min_size=2, max_size=2)


def layer_with(stride: st.SearchStrategy) -> st.SearchStrategy:
    return st.builds(Layer, int_or_pair(1, 4), stride, int_or_pair(0, 3), int_or_pair(1, 3))


LAYERS = st.lists(layer_with(int_or_pair(1, 3)), min_size=1, max_size=3)


@st.composite
def branches(draw: st.DrawFn) -> list[list[Layer]]:
    """Two or three branches of two layers whose strides agree in all, in any order."""
    strides = draw(st.lists(int_or_pair(1, 2), min_size=2, max_size=2))
    orders = draw(st.lists(st.permutations(strides), min_size=2, max_size=3))
    return [[draw(layer_with(st.just(stride))) for stride in order] for order in orders]


def pair(value) -> tuple:
    return tuple(value) if isinstance(value, tuple | list) else (value, value)


def along(layers: list[Layer], axis: int) -> list[Layer]:
    return [Layer(*(pair(value)[axis] for value in layer)) for layer in layers]


def run(layers: list[Layer], line: torch.Tensor) -> torch.Tensor:
    """``layers``, all ints, as convolutions of ones along one axis: a square of ones is a product of two such."""
    for kernel_size, stride, padding, dilation in layers:
        line = F.conv1d(line, torch.ones(1, 1, kernel_size, dtype=line.dtype), None, stride, padding, dilation)
    return line


def run_joined(parts: list[list[Layer]], line: torch.Tensor) -> torch.Tensor:
    outputs = [run(part, line) for part in parts]
    length = min(output.shape[-1] for output in outputs)
    return sum(output[..., :length] for output in outputs)


def assert_seen(field: ReceptiveField, axis: int, network: Callable[[torch.Tensor], torch.Tensor]) -> None:
    """Assert that the middle output pixel depends on the input from end to end of ``field``, and not beyond."""
    line = torch.ones(1, 1, IMAGE, dtype=torch.float64, requires_grad=True)
    output = network(line)
    middle = output.shape[-1] // 2
    output[0, 0, middle].backward()
    seen = line.grad[0, 0].nonzero()
    size, jump, offset = (pair(value)[axis] for value in (field.size, field.jump, field.offset))
    centre, reach = offset + middle * jump, Fraction(size - 1, 2)
    assert (seen.min().item(), seen.max().item()) == (centre - reach, centre + reach)
    assert 0 < centre - reach <= centre + reach < IMAGE - 1, "the image is too small to tell"


@ORACLE
@given(layers=LAYERS)
def test_a_chain_sees_the_pixels_that_have_a_gradient(layers) -> None:
    field = receptive_field(layers)
    for axis in (0, 1):
        assert_seen(field, axis, lambda line, axis=axis: run(along(layers, axis), line))


@ORACLE
@given(trunk=layer_with(int_or_pair(1, 2)), parts=branches(), head=layer_with(int_or_pair(1, 2)))
def test_joined_branches_see_the_pixels_that_have_a_gradient(trunk, parts, head) -> None:
    before = receptive_field([trunk])
    joined = join_receptive_fields(receptive_field(part, before) for part in parts)
    field = receptive_field([head], joined)
    for axis in (0, 1):
        first, *middle, last = (along(layers, axis) for layers in [[trunk], *parts, [head]])
        assert_seen(field, axis, lambda line, a=first, b=middle, c=last: run(c, run_joined(b, run(a, line))))


def test_a_plane_with_pooling_sees_the_pixels_that_have_a_gradient() -> None:
    image = torch.rand(1, 1, 40, 50, requires_grad=True)
    weight = torch.ones(1, 1, 3, 5)
    pooled = F.avg_pool2d(F.conv2d(image, weight, None, (1, 2), (1, 3), (2, 1)), (2, 3), 2, (1, 0))
    field = receptive_field([Layer((3, 5), (1, 2), (1, 3), (2, 1)), Layer((2, 3), 2, (1, 0))])
    pooled[0, 0, 7, 4].backward()
    seen = image.grad[0, 0].nonzero()
    assert field == ReceptiveField((6, 9), (2, 4), (Fraction(1, 2), 1))
    assert seen.min(0).values.tolist() == [field.first[0] + 7 * 2, field.first[1] + 4 * 4]
    assert seen.max(0).values.tolist() == [field.last[0] + 7 * 2, field.last[1] + 4 * 4]


@ORACLE
@given(layers=LAYERS, cut=st.integers(0, 3))
def test_a_chain_can_be_cut_anywhere(layers, cut) -> None:
    fields = receptive_fields(layers)
    assert fields == [receptive_field(layers[: index + 1]) for index in range(len(layers))]
    assert receptive_field(layers[cut:], receptive_field(layers[:cut])) == fields[-1]
    assert receptive_fields(layers[:cut]) + receptive_fields(layers[cut:], receptive_field(layers[:cut])) == fields


@ORACLE
@given(layers=LAYERS)
def test_each_axis_is_computed_alone_and_exactly(layers) -> None:
    field = receptive_field(layers)
    paired = any(isinstance(value, tuple | list) for layer in layers for value in layer)
    for axis in (0, 1):
        alone = receptive_field(along(layers, axis))
        assert (alone.size, alone.jump, alone.offset) == tuple(
            value[axis] if paired else value for value in (field.size, field.jump, field.offset)
        )
        assert [type(alone.size), type(alone.jump)] == [int, int]
        assert type(alone.offset) is (int if alone.offset == int(alone.offset) else Fraction)
        assert (alone.first, alone.last) == (pair(field.first)[axis], pair(field.last)[axis])
        assert alone.last - alone.first + 1 == alone.size


def test_no_layers_see_one_pixel_or_the_start() -> None:
    start = ReceptiveField(7, 2, 3)
    assert receptive_field([]) == ReceptiveField(1, 1, 0)
    assert receptive_field([], start) is start
    assert receptive_fields([]) == []


VGG_16 = [layer for depth in (2, 2, 3, 3, 3) for layer in [*(depth * [Layer(3, padding=1)]), Layer(2, 2)]]
ALEXNET = [
    Layer(11, 4), Layer(3, 2), Layer(5, padding=2), Layer(3, 2), *(3 * [Layer(3, padding=1)]), Layer(3, 2)
]  # fmt: skip

# Stacks of 3x3 as in arXiv:1409.1556, section 2.3. The networks as in the table of the library of Araujo et al. 2019
# (google-research/receptive_field, README): alexnet_v2 with an effective padding of 64, vgg_16 with 90.
PUBLISHED = [
    (2 * [Layer(3)], ReceptiveField(5, 1, 2)),
    (3 * [Layer(3)], ReceptiveField(7, 1, 3)),
    (ALEXNET, ReceptiveField(195, 32, Fraction(195 - 1, 2) - 64)),
    (VGG_16, ReceptiveField(212, 32, Fraction(212 - 1, 2) - 90)),
]


@pytest.mark.parametrize(("layers", "expected"), PUBLISHED)
def test_published_chains(layers, expected) -> None:
    assert receptive_field(layers) == expected


def test_resnet_50_has_the_published_field() -> None:
    # The same table, resnet_v1_50: 483, 32, 239. This variant halves in the last block of a stage. Each block joins its
    # shortcut, a subsampling 1x1 window, with its bottleneck of 1x1, 3x3 and 1x1.
    field = receptive_field([Layer(7, 2, 3), Layer(3, 2)])
    for blocks, last_stride in [(3, 2), (4, 2), (6, 2), (3, 1)]:
        for stride in [*((blocks - 1) * [1]), last_stride]:
            bottleneck = receptive_field([Layer(1), Layer(3, stride, 1), Layer(1)], field)
            field = join_receptive_fields([bottleneck, receptive_field([Layer(1, stride)], field)])
    assert field == ReceptiveField(483, 32, (483 - 1) // 2 - 239)


def test_a_join_reaches_from_the_first_pixel_to_the_last() -> None:
    left, right = ReceptiveField(3, 2, -1), ReceptiveField(2, 2, Fraction(7, 2))
    joined = join_receptive_fields([left, right])
    assert joined == join_receptive_fields([right, left]) == ReceptiveField(7, 2, 1)
    assert (joined.first, joined.last) == (-2, 4)
    assert join_receptive_fields([left]) == left
    assert join_receptive_fields([left, ReceptiveField((1, 9), 2, 0)]) == ReceptiveField((3, 9), 2, (-1, 0))


def test_googlenets_branches_see_as_much_as_the_largest() -> None:
    parts = [[Layer(1)], [Layer(1), Layer(3, padding=1)], [Layer(1), Layer(5, padding=2)],
             [Layer(3, padding=1), Layer(1)]]  # fmt: skip
    assert join_receptive_fields(receptive_field(part) for part in parts) == ReceptiveField(5, 1, 0)


def test_a_field_is_a_frozen_value_of_exact_numbers() -> None:
    field = ReceptiveField(2, 1, Fraction(2, 4))
    assert field == ReceptiveField(2, 1, Fraction(1, 2))
    assert len({field, ReceptiveField(2, 1, Fraction(1, 2))}) == 1
    assert field.offset == 0.5
    assert type(ReceptiveField(3, 1, Fraction(2, 1)).offset) is int
    assert ReceptiveField([3, 5], 1, 0) == ReceptiveField((3, 5), (1, 1), (0, 0))
    with pytest.raises(FrozenInstanceError):
        field.size = 3


MESSAGES = {
    "size must be an integer >= 1 or a pair of them, got size=0": lambda: ReceptiveField(0, 1, 0),
    "size must be an integer >= 1 or a pair of them, got size=3.0": lambda: ReceptiveField(3.0, 1, 0),
    "jump must be an integer >= 1 or a pair of them, got jump=True": lambda: ReceptiveField(3, True, 0),
    "offset must be an integer, a Fraction or a pair of them, got offset=0.5": lambda: ReceptiveField(2, 1, 0.5),
    "offset must be an integer, a Fraction or a pair of them, got offset=True": lambda: ReceptiveField(3, 1, True),
    "offset must put the field's ends on whole pixels, got offset=0 (size=2)": lambda: ReceptiveField(2, 1, 0),
    "width: offset must put the field's ends on whole pixels, got offset=0 (size=2)": (
        lambda: ReceptiveField((3, 2), 1, 0)
    ),
    "offset must put the field's ends on whole pixels, got offset=1/3 (size=3)": (
        lambda: ReceptiveField(3, 1, Fraction(1, 3))
    ),
    "layers must hold Layer(kernel_size, stride, padding, dilation) only, got (3, 1)": (
        lambda: receptive_field([Layer(3), (3, 1)])
    ),
    "kernel_size must be an integer >= 1 or a pair of them, got kernel_size=0": lambda: receptive_field([Layer(0)]),
    "stride must be an integer >= 1 or a pair of them, got stride=2.0": lambda: receptive_field([Layer(3, 2.0)]),
    "padding must be an integer >= 0 or a pair of them, got padding=-1": lambda: receptive_fields([Layer(3, 1, -1)]),
    "dilation must be an integer >= 1 or a pair of them, got dilation=(1, True)": (
        lambda: receptive_field([Layer(3, dilation=(1, True))])
    ),
    "start must be ReceptiveField(size, jump, offset), got 1": lambda: receptive_field([], 1),
    "branches must hold at least one ReceptiveField, got none": lambda: join_receptive_fields([]),
    "branches must be ReceptiveField(size, jump, offset), got 3": lambda: join_receptive_fields([3]),
    "branches must have the same jump, got jumps 1, 2": (
        lambda: join_receptive_fields([ReceptiveField(3, 1, 0), ReceptiveField(3, 2, 0)])
    ),
    "height: branches must have the same jump, got jumps 2, 1": (
        lambda: join_receptive_fields([ReceptiveField(3, (2, 1), 0), ReceptiveField(3, 1, 0)])
    ),
}


@pytest.mark.parametrize("message", MESSAGES)
def test_messages_carry_argument_value_and_rule(message) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        MESSAGES[message]()
