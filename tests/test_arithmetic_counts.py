"""Parameters and multiply-adds against torch's modules and its FLOP counter, and against published counts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from course_lib.arithmetic import (
    conv_macs,
    conv_params,
    conv_transpose_macs,
    linear_macs,
    linear_params,
    separable_conv_macs,
    separable_conv_params,
)

ORACLE = settings(max_examples=250, deadline=None, derandomize=True, database=None)
CHANNELS = st.sampled_from([-1, 0, *(4 * [1, 2, 3, 4, 6, 8, 12])])
GROUPS = st.sampled_from([-1, 0, *(4 * [1, 1, 2, 2, 3, 4])])
SIDE = st.sampled_from([-1, 0, *(8 * [1, 2, 3, 4])])
KERNEL = SIDE | st.tuples(SIDE, SIDE) | st.lists(SIDE, min_size=2, max_size=2)
IMAGE = st.integers(4, 6) | st.tuples(st.integers(4, 6), st.integers(4, 6))


def measure(build: Callable[[], nn.Module], *shape: int) -> tuple[int, int, torch.Size] | None:
    """Parameters, multiply-adds and output shape in torch; None where it refuses, or warns that a weight is empty."""
    try:
        module = build()
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            output = module(torch.ones(1, *shape))
    except (RuntimeError, TypeError, ValueError, UserWarning):
        return None
    return sum(parameter.numel() for parameter in module.parameters()), counter.get_total_flops() // 2, output.shape


def assert_refused(*calls: Callable[[], int]) -> None:
    for call in calls:
        with pytest.raises(ValueError, match=r"must be an integer >= 1|must be divisible by groups"):
            call()


def assert_both_ways_were_met(outcomes: Counter) -> None:
    assert min(outcomes["counted"], outcomes["refused"]) >= 60, outcomes


def image_shape(image: int | tuple[int, int]) -> tuple[int, int]:
    return (image, image) if isinstance(image, int) else image


@pytest.mark.parametrize("transposed", [False, True])
def test_convolutions_count_as_in_torch(transposed) -> None:
    outcomes, macs = Counter(), conv_transpose_macs if transposed else conv_macs
    layer = nn.ConvTranspose2d if transposed else nn.Conv2d

    @ORACLE
    @given(inputs=CHANNELS, outputs=CHANNELS, kernel=KERNEL, groups=GROUPS, bias=st.booleans(), image=IMAGE)
    def agrees(inputs, outputs, kernel, groups, bias, image) -> None:
        options = {"stride": 2, "padding": 1, "groups": groups, "bias": bias}
        measured = measure(lambda: layer(inputs, outputs, kernel, **options), inputs, *image_shape(image))
        outcomes["counted" if measured else "refused"] += 1
        if measured is None:
            assert_refused(
                lambda: conv_params(inputs, outputs, kernel, groups=groups, bias=bias),
                lambda: macs(inputs, outputs, kernel, image, groups=groups),
            )
        else:
            params, torch_macs, shape = measured
            assert conv_params(inputs, outputs, kernel, groups=groups, bias=bias) == params
            assert macs(inputs, outputs, kernel, image if transposed else shape[-2:], groups=groups) == torch_macs

    agrees()
    assert_both_ways_were_met(outcomes)


@ORACLE
@given(inputs=CHANNELS, outputs=CHANNELS, kernel=st.integers(1, 4), bias=st.booleans(), image=IMAGE)
def test_separable_convolutions_count_as_in_torch(inputs, outputs, kernel, bias, image) -> None:
    def build() -> nn.Module:
        depthwise = nn.Conv2d(inputs, inputs, kernel, groups=inputs, bias=bias)
        return nn.Sequential(depthwise, nn.Conv2d(inputs, outputs, 1, bias=bias))

    measured = measure(build, inputs, *image_shape(image))
    if measured is None:
        assert_refused(
            lambda: separable_conv_params(inputs, outputs, kernel, bias=bias),
            lambda: separable_conv_macs(inputs, outputs, kernel, image),
        )
    else:
        params, macs, shape = measured
        assert separable_conv_params(inputs, outputs, kernel, bias=bias) == params
        assert separable_conv_macs(inputs, outputs, kernel, shape[-2:]) == macs


@ORACLE
@given(inputs=CHANNELS, outputs=CHANNELS, bias=st.booleans())
def test_linear_layers_count_as_in_torch(inputs, outputs, bias) -> None:
    measured = measure(lambda: nn.Linear(inputs, outputs, bias=bias), inputs)
    if measured is None:
        assert_refused(lambda: linear_params(inputs, outputs, bias=bias), lambda: linear_macs(inputs, outputs))
    else:
        assert (linear_params(inputs, outputs, bias=bias), linear_macs(inputs, outputs)) == measured[:2]


# Multiply-adds of worked examples: GoogLeNet's 5x5 branch (arXiv:1409.4842, module 3a) direct, then by a 1x1
# bottleneck of 16 channels; a valid 3x3 convolution of 6x6x3 pixels, then its depthwise and its pointwise half.
MACS = [
    ({"in_channels": 192, "out_channels": 32, "kernel_size": 5, "output_size": 28}, 120_422_400),
    ({"in_channels": 192, "out_channels": 16, "kernel_size": 1, "output_size": 28}, 2_408_448),
    ({"in_channels": 16, "out_channels": 32, "kernel_size": 5, "output_size": 28}, 10_035_200),
    ({"in_channels": 3, "out_channels": 5, "kernel_size": 3, "output_size": 4}, 2160),
    ({"in_channels": 3, "out_channels": 3, "kernel_size": 3, "output_size": 4, "groups": 3}, 432),
    ({"in_channels": 3, "out_channels": 5, "kernel_size": 1, "output_size": 4}, 240),
    ({"in_channels": 2, "out_channels": 3, "kernel_size": (1, 7), "output_size": (4, 5)}, 840),
]


@pytest.mark.parametrize(("layer", "expected"), MACS)
def test_worked_multiply_adds(layer, expected) -> None:
    assert conv_macs(**layer) == expected


def test_the_separable_example_is_the_sum_of_its_halves() -> None:
    assert separable_conv_macs(3, 5, 3, 4) == 432 + 240
    assert separable_conv_params(3, 5, 3, bias=False) == 27 + 15


# LeNet-5's C1, C5 and F6 (LeCun et al. 1998, section II.B), ten 3x3x3 filters, AlexNet's first layer
# (11 * 11 * 3 * 96 + 96), GoogLeNet's 3x3 branch of module 3a direct and reduced.
PARAMS = [
    (lambda: conv_params(1, 6, 5), 156),
    (lambda: conv_params(16, 120, 5), 48_120),
    (lambda: linear_params(120, 84), 10_164),
    (lambda: conv_params(3, 10, 3), 280),
    (lambda: conv_params(3, 96, 11), 34_944),
    (lambda: conv_params(192, 128, 3, bias=False), 221_184),
    (lambda: conv_params(192, 96, 1, bias=False) + conv_params(96, 128, 3, bias=False), 129_024),
]


@pytest.mark.parametrize(("count", "expected"), PARAMS)
def test_published_parameters(count, expected) -> None:
    assert count() == expected


def test_vgg_16_has_its_published_size() -> None:
    widths = [(3, 64, 224), (64, 64, 224), (64, 128, 112), (128, 128, 112), (128, 256, 56), (256, 256, 56),
              (256, 256, 56), (256, 512, 28), (512, 512, 28), (512, 512, 28), *(3 * [(512, 512, 14)])]  # fmt: skip
    dense = [(512 * 7 * 7, 4096), (4096, 4096), (4096, 1000)]
    params = sum(conv_params(before, after, 3) for before, after, _ in widths)
    macs = sum(conv_macs(before, after, 3, size) for before, after, size in widths)
    assert params + sum(linear_params(*layer) for layer in dense) == 138_357_544
    assert macs + sum(linear_macs(*layer) for layer in dense) == 15_470_264_320


def test_mobilenet_has_its_published_multiply_adds_and_parameters() -> None:
    # Howard et al. 2017, arXiv:1704.04861, tables 1 and 4: 569 million multiply-adds, 4.2 million parameters.
    blocks = [(32, 64, 112), (64, 128, 56), (128, 128, 56), (128, 256, 28), (256, 256, 28), (256, 512, 14),
              *(5 * [(512, 512, 14)]), (512, 1024, 7), (1024, 1024, 7)]  # fmt: skip
    macs = conv_macs(3, 32, 3, 112) + linear_macs(1024, 1000)
    params = conv_params(3, 32, 3) + linear_params(1024, 1000)
    macs += sum(separable_conv_macs(before, after, 3, size) for before, after, size in blocks)
    params += sum(separable_conv_params(before, after, 3) for before, after, _ in blocks)
    assert (round(macs / 1e6), round(params / 1e6, 1)) == (569, 4.2)


@pytest.mark.parametrize("value", [True, 2.0, "2", None, np.True_, (2, 2, 2), (2, 2.0), (True, 2)])
def test_what_is_no_integer_is_refused(value) -> None:
    calls = {
        "in_channels": [lambda: conv_params(value, 2, 3), lambda: separable_conv_macs(value, 2, 3, 4)],
        "out_channels": [lambda: conv_macs(2, value, 3, 4), lambda: separable_conv_params(2, value, 3)],
        "kernel_size": [lambda: conv_params(2, 2, value), lambda: conv_transpose_macs(2, 2, value, 4)],
        "output_size": [lambda: conv_macs(2, 2, 3, value), lambda: separable_conv_macs(2, 2, 3, value)],
        "input_size": [lambda: conv_transpose_macs(2, 2, 3, value)],
        "in_features": [lambda: linear_params(value, 2), lambda: linear_macs(value, 2)],
        "out_features": [lambda: linear_params(2, value), lambda: linear_macs(2, value)],
        "groups": [lambda: conv_params(2, 2, 3, groups=value), lambda: conv_macs(2, 2, 3, 4, groups=value)],
    }
    for name, refused in calls.items():
        for call in refused:
            with pytest.raises(ValueError, match=rf"^{name} must be an integer >= 1.*, got {name}="):
                call()


def test_numpy_integers_give_ints() -> None:
    counts = [conv_params(np.int64(3), np.int32(8), np.int8(3)), linear_params(np.int8(100), np.int8(100))]
    assert counts == [224, 10_100]
    assert {type(count) for count in counts} == {int}


MESSAGES = {
    "in_channels must be divisible by groups, got in_channels=4 (groups=3)": lambda: conv_params(4, 6, 3, groups=3),
    "out_channels must be divisible by groups, got out_channels=4 (groups=3)": lambda: conv_macs(6, 4, 3, 8, groups=3),
    "groups must be an integer >= 1, got groups=0": lambda: conv_params(4, 6, 3, groups=0),
    "output_size must be an integer >= 1 or a pair of them, got output_size=(8, 0)": (
        lambda: conv_macs(4, 6, 3, (8, 0))
    ),
    "in_features must be an integer >= 1, got in_features=0": lambda: linear_macs(0, 6),
    "in_channels must be an integer >= 1, got in_channels=0": lambda: separable_conv_params(0, 6, 3),
}


@pytest.mark.parametrize("message", MESSAGES)
def test_messages_carry_argument_value_and_rule(message) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        MESSAGES[message]()
