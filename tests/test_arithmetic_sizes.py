"""Output sizes against torch's own, on its plain CPU kernels: equal where torch runs, refused where it refuses."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from itertools import product

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib import arithmetic
from course_lib.arithmetic import (
    conv_output_size,
    conv_transpose_output_size,
    input_sizes,
    pool_output_size,
    same_padding,
)

ORACLE = settings(max_examples=500, deadline=None, derandomize=True, database=None)


def mostly(low: int, high: int) -> st.SearchStrategy:
    """Ints or pairs in the valid range, and now and then one just below it."""
    side = st.sampled_from([low - 2, low - 1, *(15 * list(range(low, high + 1)))])
    return side | st.tuples(side, side) | st.lists(side, min_size=2, max_size=2)


WINDOW = {"kernel_size": mostly(1, 5), "stride": mostly(1, 4), "padding": mostly(0, 2), "dilation": mostly(1, 3)}


def sides(value: int | tuple[int, int] | list[int]) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else tuple(value)


def ones(size: int | tuple[int, int], channels: tuple[int, int] = (1, 1)) -> torch.Tensor:
    """Double precision: torch has it run by its plain kernels, whose checks are complete, and never by oneDNN's."""
    return torch.ones(*channels, *sides(size), dtype=torch.float64)


def without_kernel(window: dict) -> dict:
    return {name: value for name, value in window.items() if name != "kernel_size"}


def size_or_none(call: Callable[[], torch.Tensor]) -> tuple[int, int] | None:
    """The size that torch gives, or None where it refuses."""
    try:
        return tuple(call().shape[-2:])
    except (RuntimeError, TypeError):
        return None


def compare(function: Callable, arguments: dict, expected: tuple[int, int] | None, outcomes: Counter) -> None:
    """Assert that ``function`` gives torch's size in the right form, or a ValueError where torch gives none."""
    outcomes["refused" if expected is None else "accepted"] += 1
    if expected is None:
        with pytest.raises(ValueError, match=r"must be|kernel does not fit|padding leaves no output"):
            function(**arguments)
    elif any(isinstance(value, tuple | list) for value in arguments.values()):
        assert function(**arguments) == expected
    else:
        size = function(**arguments)
        assert (size, size) == expected
        assert type(size) is int


def assert_both_ways_were_met(outcomes: Counter) -> None:
    assert min(outcomes["accepted"], outcomes["refused"]) >= 100, outcomes


def test_conv_output_size_is_torchs() -> None:
    outcomes = Counter()

    @ORACLE
    @given(size=mostly(1, 12), window=st.fixed_dictionaries(WINDOW), groups=st.integers(1, 3))
    def agrees(size, window, groups) -> None:
        def convolve() -> torch.Tensor:
            weight = ones(window["kernel_size"], (groups, 1))
            return F.conv2d(ones(size, (1, groups)), weight, groups=groups, **without_kernel(window))

        compare(conv_output_size, {"input_size": size, **window}, size_or_none(convolve), outcomes)

    agrees()
    assert_both_ways_were_met(outcomes)


@pytest.mark.parametrize("default_stride", [False, True])
def test_pool_output_size_is_that_of_torchs_max_pooling(default_stride) -> None:
    outcomes = Counter()

    @ORACLE
    @given(size=mostly(1, 12), window=st.fixed_dictionaries(WINDOW), ceil_mode=st.booleans())
    def agrees(size, window, ceil_mode) -> None:
        arguments = window | {"ceil_mode": ceil_mode} | ({"stride": None} if default_stride else {})
        expected = size_or_none(lambda: F.max_pool2d(ones(size), **arguments))
        compare(pool_output_size, {"input_size": size, **arguments}, expected, outcomes)

    agrees()
    assert_both_ways_were_met(outcomes)


def test_pool_output_size_is_that_of_torchs_average_pooling() -> None:
    outcomes = Counter()
    window = {name: values for name, values in WINDOW.items() if name != "dilation"}

    @ORACLE
    @given(size=mostly(1, 12), window=st.fixed_dictionaries(window), ceil_mode=st.booleans())
    def agrees(size, window, ceil_mode) -> None:
        expected = size_or_none(lambda: F.avg_pool2d(ones(size), ceil_mode=ceil_mode, **window))
        compare(pool_output_size, {"input_size": size, **window, "ceil_mode": ceil_mode}, expected, outcomes)

    agrees()
    assert_both_ways_were_met(outcomes)


def test_conv_transpose_output_size_is_torchs() -> None:
    outcomes = Counter()

    @ORACLE
    @given(size=mostly(1, 6), window=st.fixed_dictionaries(WINDOW), extra=mostly(0, 2), groups=st.integers(1, 3))
    def agrees(size, window, extra, groups) -> None:
        def convolve() -> torch.Tensor:
            weight, options = ones(window["kernel_size"], (groups, 1)), without_kernel(window)
            return F.conv_transpose2d(ones(size, (1, groups)), weight, groups=groups, output_padding=extra, **options)

        arguments = {"input_size": size, "output_padding": extra, **window}
        compare(conv_transpose_output_size, arguments, size_or_none(convolve), outcomes)

    agrees()
    assert_both_ways_were_met(outcomes)


def torch_conv_size(size: int, kernel: int, stride: int, padding: int, dilation: int) -> int | None:
    column, weight = ones((size, 1)), ones((kernel, 1))
    made = size_or_none(lambda: F.conv2d(column, weight, None, stride, (padding, 0), dilation))
    return made and made[0]


def test_input_sizes_are_all_those_of_which_torch_makes_the_output_size() -> None:
    for window in product(range(1, 5), range(1, 5), range(4), range(1, 3)):
        made = [torch_conv_size(size, *window) for size in range(24)]
        for output in range(1, 5):
            assert list(input_sizes(output, *window)) == [size for size in range(24) if made[size] == output]


def test_input_sizes_takes_pairs_and_gives_two_ranges() -> None:
    assert input_sizes(3, 3, 2, 1) == range(5, 7)
    assert input_sizes((3, 1), 3, (2, 1), [1, 0]) == (range(5, 7), range(3, 4))
    assert input_sizes(1, 3, 4, 2) == range(1, 3)
    assert input_sizes(1, 1, 1, 5) == range(0)


@ORACLE
@given(size=st.integers(1, 9), kernel=mostly(1, 6), dilation=mostly(1, 4))
def test_same_padding_keeps_the_size_in_torch_or_is_refused(size, kernel, dilation) -> None:
    both = [*zip(sides(kernel), sides(dilation), strict=True)]
    if any(k < 1 or d < 1 or d * (k - 1) % 2 for k, d in both):
        with pytest.raises(ValueError, match="must be"):
            same_padding(kernel, dilation)
    else:
        padding = same_padding(kernel, dilation)
        assert isinstance(padding, int) == (isinstance(kernel, int) and isinstance(dilation, int))
        made = size_or_none(lambda: F.conv2d(ones(size), ones(kernel), None, 1, padding, dilation))
        assert made == (size, size)


@pytest.mark.parametrize(
    "value", [True, 2.0, "2", None, np.True_, np.float64(2), (2.0, 2), (2, 2, 2), np.array([2, 2])]
)
def test_what_is_no_integer_is_refused_as_by_torch(value) -> None:
    assert size_or_none(lambda: F.conv2d(ones(9), ones(3), stride=value)) is None
    calls = {
        "input_size": [lambda: conv_output_size(value, 3), lambda: pool_output_size(value, 3)],
        "output_size": [lambda: input_sizes(value, 3)],
        "kernel_size": [lambda: same_padding(value), lambda: pool_output_size(9, value)],
        "stride": [lambda: conv_output_size(9, 3, value), lambda: input_sizes(9, 3, value)],
        "padding": [lambda: conv_output_size(9, 3, 1, value), lambda: pool_output_size(9, 3, None, value)],
        "output_padding": [lambda: conv_transpose_output_size(9, 3, 1, 0, value)],
        "dilation": [lambda: conv_output_size(9, 3, 1, 0, value), lambda: same_padding(3, value)],
    }
    for name, refused in calls.items():
        for call in refused:
            with pytest.raises(ValueError, match=rf"^{name} must be an integer >= \d or a pair of them, got {name}="):
                call()


@pytest.mark.parametrize("value", [1, None, "yes", np.True_, (True, False)])
def test_ceil_mode_is_a_bool_as_in_torch(value) -> None:
    assert size_or_none(lambda: F.max_pool2d(ones(9), 2, ceil_mode=value)) is None
    with pytest.raises(ValueError, match=re.escape(f"ceil_mode must be True or False, got ceil_mode={value!r}")):
        pool_output_size(9, 2, ceil_mode=value)


def test_numpy_integers_and_shapes_are_integers_and_give_ints() -> None:
    size = conv_output_size(np.int64(9), np.int32(3), stride=np.int64(2))
    pair = conv_output_size(torch.ones(9, 7).shape, [np.int64(3), 1])
    assert (size, pair) == (4, (7, 7))
    assert {type(size), *map(type, pair)} == {int}


# input, kernel, stride, padding, dilation, output: figures 2.1 to 2.7 and 5.1 of arXiv:1603.07285 (half and full
# padding are 2.3 and 2.4), LeNet-5's and AlexNet's first layers, and MNIST under a 1x1 kernel.
CONVOLUTIONS = [
    (4, 3, 1, 0, 1, 2), (5, 4, 1, 2, 1, 6), (5, 3, 1, 1, 1, 5), (5, 3, 1, 2, 1, 7), (5, 3, 2, 0, 1, 2),
    (5, 3, 2, 1, 1, 3), (6, 3, 2, 1, 1, 3), (7, 3, 1, 0, 2, 3), (32, 5, 1, 0, 1, 28), (227, 11, 4, 0, 1, 55),
    (224, 11, 4, 2, 1, 55), (28, 1, 3, 0, 1, 10), (28, 1, 5, 0, 1, 6), (28, 1, 1, 2, 1, 32),
]  # fmt: skip


@pytest.mark.parametrize(("size", "kernel", "stride", "padding", "dilation", "output"), CONVOLUTIONS)
def test_published_convolutions(size, kernel, stride, padding, dilation, output) -> None:
    assert conv_output_size(size, kernel, stride, padding, dilation) == output
    assert size in input_sizes(output, kernel, stride, padding, dilation)


# input, kernel, stride, padding, output padding, output: figures 4.1 to 4.7 of arXiv:1603.07285.
TRANSPOSED = [(2, 3, 1, 0, 0, 4), (6, 4, 1, 2, 0, 5), (5, 3, 1, 1, 0, 5), (7, 3, 1, 2, 0, 5), (2, 3, 2, 0, 0, 5),
              (3, 3, 2, 1, 0, 5), (3, 3, 2, 1, 1, 6)]  # fmt: skip


@pytest.mark.parametrize(("size", "kernel", "stride", "padding", "extra", "output"), TRANSPOSED)
def test_published_transposed_convolutions(size, kernel, stride, padding, extra, output) -> None:
    assert conv_transpose_output_size(size, kernel, stride, padding, extra) == output


def test_googlenets_pools_round_up() -> None:
    assert [pool_output_size(size, 3, 2, ceil_mode=True) for size in (112, 56, 28, 14)] == [56, 28, 14, 7]
    assert pool_output_size(112, 3, 2) == 55
    assert pool_output_size(14, 5, 3) == 4


DOES_NOT_FIT = "kernel does not fit: effective size 7 > padded input"
MESSAGES = {
    f"{DOES_NOT_FIT} 5 (kernel_size=3, dilation=3, padding=0)": lambda: conv_output_size(5, 3, dilation=3),
    f"width: {DOES_NOT_FIT} 5 (kernel_size=3, dilation=3, padding=0)": lambda: conv_output_size((9, 5), 3, dilation=3),
    f"{DOES_NOT_FIT} + stride - 1 = 5 (kernel_size=7, dilation=1, padding=0, stride=2, ceil_mode=True)": lambda: (
        pool_output_size(4, 7, 2, ceil_mode=True)
    ),
    "padding must be at most half of kernel_size, got padding=2 (kernel_size=3)": lambda: pool_output_size(
        9, 3, 1, 2, dilation=2
    ),
    "output_padding must be smaller than stride or dilation, got output_padding=2 (stride=2, dilation=1)": lambda: (
        conv_transpose_output_size(4, 3, 2, output_padding=2)
    ),
    "padding leaves no output: 2 * padding must be smaller than the full size 2, got padding=1 (input_size=1, "
    "kernel_size=2, stride=1, output_padding=0, dilation=1)": lambda: conv_transpose_output_size(1, 2, padding=1),
    "effective kernel size must be odd for the same padding on both sides, got 10 (kernel_size=4, dilation=3)": (
        lambda: same_padding(4, 3)
    ),
    "stride must be an integer >= 1 or a pair of them, got stride=0": lambda: conv_output_size(5, 3, 0),
    "padding must be an integer >= 0 or a pair of them, got padding=(0, -1)": lambda: input_sizes(5, 3, 1, (0, -1)),
}


@pytest.mark.parametrize("message", MESSAGES)
def test_messages_carry_argument_value_and_rule(message) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        MESSAGES[message]()


def test_importing_it_imports_no_torch_and_no_numpy() -> None:
    code = "import sys, course_lib.arithmetic; print(*sorted({'torch', 'numpy', 'matplotlib'} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == []


def test_all_lists_what_can_be_imported() -> None:
    public = {name for name, value in vars(arithmetic).items() if callable(value) and not name.startswith("_")}
    assert set(arithmetic.__all__) == public
