"""The definition, as loops over single numbers and as inner products of windows."""

from __future__ import annotations

from itertools import product

import torch
from torch import Tensor

from course_lib.convolution.geometry import geometry, pad, windows


def conv2d_loops(x: Tensor, weight: Tensor, stride: int = 1, padding: int = 0) -> Tensor:
    """(N, C_in, H, W) -> (N, C_out, H_out, W_out) by seven loops over Python's floats, which are of double precision.

    Source: LeCun et al. 1998, Gradient-Based Learning Applied to Document Recognition, section II.A.
    Differs from the paper: no bias, and no squashing function behind it.

    Raises:
        ValueError: shapes, number types, stride or padding do not fit.
    """
    sizes = geometry(x, weight, stride, padding)
    images, filters = pad(x, padding).tolist(), weight.tolist()
    output = torch.empty(sizes.batch_size, sizes.out_channels, sizes.output_height, sizes.output_width, dtype=x.dtype)
    for n, o, i, j in product(*map(range, output.shape)):
        total = 0.0
        for c in range(sizes.in_channels):
            for u in range(sizes.kernel_height):
                for v in range(sizes.kernel_width):
                    total += filters[o][c][u][v] * images[n][c][i * stride + u][j * stride + v]
        output[n, o, i, j] = total
    return output


def conv2d_inner_products(x: Tensor, weight: Tensor, stride: int = 1, padding: int = 0) -> Tensor:
    """(N, C_in, H, W) -> (N, C_out, H_out, W_out): each output number is one inner product of a filter and a window.

    Raises:
        ValueError: shapes, number types, stride or padding do not fit.
    """
    sizes = geometry(x, weight, stride, padding)
    output = x.new_empty(sizes.batch_size, sizes.out_channels, sizes.output_height, sizes.output_width)
    filters = list(weight.flatten(1))
    places = windows(pad(x, padding), sizes.kernel_height, sizes.kernel_width, stride)
    for n, i, j in product(range(sizes.batch_size), range(sizes.output_height), range(sizes.output_width)):
        window = places[n, :, i, j].flatten()
        output[n, :, i, j] = torch.stack([torch.dot(row, window) for row in filters])
    return output
