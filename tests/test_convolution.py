"""Six ways to compute a convolution, each against torch's own in double precision."""

from __future__ import annotations

import re
from itertools import product

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from course_lib.convolution import (
    conv2d_fft,
    conv2d_im2col,
    conv2d_inner_products,
    conv2d_loops,
    conv2d_shifted,
    conv2d_winograd,
    im2col,
)
from course_lib.convolution.fourier import smooth_size
from course_lib.convolution.winograd import FILTER, INPUT, OUTPUT, two_dimensional

GENERAL = [conv2d_loops, conv2d_inner_products, conv2d_im2col, conv2d_shifted, conv2d_fft]
WAYS = [*GENERAL, conv2d_winograd]


def name_of(way) -> str:
    return way.__name__


def random_layer(batch_size, in_channels, out_channels, image, kernel, dtype=torch.float64):
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(batch_size, in_channels, *image, generator=generator, dtype=torch.float64)
    weight = torch.randn(out_channels, in_channels, *kernel, generator=generator, dtype=torch.float64)
    return x.to(dtype), weight.to(dtype)


def relative_error(y, reference) -> float:
    assert y.shape == reference.shape
    return ((y.double() - reference).abs().max() / reference.abs().max()).item()


@pytest.mark.parametrize("way", GENERAL, ids=name_of)
@pytest.mark.parametrize("kernel", [(1, 1), (2, 3), (3, 3), (5, 4)])
def test_general_ways_equal_torch_at_every_stride_and_padding(way, kernel) -> None:
    for channels, stride, padding in product([(1, 1), (3, 2)], [1, 2, 3], [0, 1, 4]):
        x, weight = random_layer(2, *channels, (7, 6), kernel)
        expected = F.conv2d(x, weight, stride=stride, padding=padding)
        assert relative_error(way(x, weight, stride, padding), expected) < 1e-12, (channels, stride, padding)


@pytest.mark.parametrize("image", [(3, 3), (4, 4), (5, 8), (8, 5), (9, 9)])
def test_winograd_equals_torch_at_every_size_and_padding(image) -> None:
    for channels, padding in product([(1, 1), (3, 2)], [0, 1, 2]):
        x, weight = random_layer(2, *channels, image, (3, 3))
        expected = F.conv2d(x, weight, padding=padding)
        assert relative_error(conv2d_winograd(x, weight, padding=padding), expected) < 1e-12, (channels, padding)


@pytest.mark.parametrize("way", WAYS, ids=name_of)
def test_float32_stays_within_the_stated_tolerance(way) -> None:
    x, weight = random_layer(1, 16, 4, (12, 12), (3, 3))
    y = way(x.float(), weight.float(), padding=1)
    assert y.dtype == torch.float32
    assert relative_error(y, F.conv2d(x.float().double(), weight.float().double(), padding=1)) < 1e-5


@pytest.mark.parametrize("way", WAYS, ids=name_of)
def test_the_arguments_are_left_as_they_were(way) -> None:
    x, weight = random_layer(1, 2, 2, (5, 5), (3, 3))
    before = x.clone(), weight.clone()
    way(x, weight, padding=1)
    assert torch.equal(x, before[0])
    assert torch.equal(weight, before[1])


@pytest.mark.parametrize("way", [conv2d_im2col, conv2d_shifted, conv2d_fft, conv2d_winograd], ids=name_of)
def test_gradients_equal_those_of_torch(way) -> None:
    x, weight = (tensor.requires_grad_() for tensor in random_layer(2, 3, 2, (6, 7), (3, 3)))
    gradients = torch.autograd.grad(way(x, weight, padding=1).sin().sum(), (x, weight))
    expected = torch.autograd.grad(F.conv2d(x, weight, padding=1).sin().sum(), (x, weight))
    for ours, theirs in zip(gradients, expected, strict=True):
        assert relative_error(ours, theirs) < 1e-10


def test_channels_last_input_gives_the_same() -> None:
    x, weight = random_layer(2, 3, 2, (6, 7), (3, 3))
    for way in WAYS:
        y = way(x.contiguous(memory_format=torch.channels_last), weight, padding=1)
        assert relative_error(y, F.conv2d(x, weight, padding=1)) < 1e-12


@pytest.mark.parametrize(("kernel", "stride"), [((3, 3), 1), ((2, 4), 1), ((3, 2), 2), ((1, 1), 3)])
def test_im2col_equals_unfold(kernel, stride) -> None:
    x, _ = random_layer(2, 3, 1, (7, 8), kernel)
    assert torch.equal(im2col(x, *kernel, stride), F.unfold(x, kernel, stride=stride))


def test_minimal_filtering_in_one_dimension_equals_correlation() -> None:
    numbers = np.random.default_rng(0).integers(-9, 9, (100, 7))
    for row in numbers:
        signal, taps = row[:4], row[4:]
        y = np.array(OUTPUT) @ ((np.array(FILTER) @ taps) * (np.array(INPUT) @ signal))
        assert y.tolist() == np.correlate(signal, taps, "valid").tolist()


def test_the_two_dimensional_transform_multiplies_from_both_sides() -> None:
    generator = torch.Generator().manual_seed(0)
    matrix, square = torch.randn(4, 3, generator=generator), torch.randn(3, 3, generator=generator)
    torch.testing.assert_close(two_dimensional(matrix) @ square.flatten(), (matrix @ square @ matrix.T).flatten())


@pytest.mark.parametrize(("size", "expected"), [(1, 1), (7, 8), (11, 12), (17, 18), (58, 60), (61, 64), (101, 108)])
def test_smooth_sizes(size, expected) -> None:
    assert smooth_size(size) == expected


ONES = torch.ones
REFUSED = {
    "x must have the axes (N, C_in, H, W), got shape (1, 5, 5)": (ONES(1, 5, 5), ONES(1, 1, 3, 3)),
    "weight must have the axes (C_out, C_in, K_h, K_w), got shape (3, 3)": (ONES(1, 1, 5, 5), ONES(3, 3)),
    "x and weight must have the same C_in, got 2 and 1": (ONES(1, 2, 5, 5), ONES(1, 1, 3, 3)),
    "x and weight must hold floats of one type, got torch.float32 and torch.float64": (
        ONES(1, 1, 5, 5),
        ONES(1, 1, 3, 3, dtype=torch.float64),
    ),
    "stride must be one integer for both axes, got stride=(1, 2)": (ONES(1, 1, 5, 5), ONES(1, 1, 3, 3), (1, 2)),
    "stride must be an integer >= 1 or a pair of them, got stride=0": (ONES(1, 1, 5, 5), ONES(1, 1, 3, 3), 0),
    "padding must be an integer >= 0 or a pair of them, got padding=-1": (ONES(1, 1, 5, 5), ONES(1, 1, 3, 3), 1, -1),
}


@pytest.mark.parametrize("message", REFUSED)
def test_every_way_refuses_what_does_not_fit(message) -> None:
    for way in WAYS:
        with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
            way(*REFUSED[message])


@pytest.mark.parametrize("way", WAYS, ids=name_of)
def test_a_kernel_larger_than_the_padded_input_is_refused(way) -> None:
    with pytest.raises(ValueError, match="kernel does not fit: effective size 3 > padded input 2"):
        way(ONES(1, 1, 2, 2), ONES(1, 1, 3, 3))


@pytest.mark.parametrize(("kernel", "stride"), [((3, 3), 2), ((5, 5), 1), ((3, 1), 1)])
def test_winograd_refuses_other_kernels_and_strides(kernel, stride) -> None:
    message = f"kernel must be 3x3 and stride 1 for F(2x2, 3x3), got kernel {kernel} and stride={stride}"
    with pytest.raises(ValueError, match=re.escape(message)):
        conv2d_winograd(ONES(1, 1, 7, 7), ONES(1, 1, *kernel), stride)
