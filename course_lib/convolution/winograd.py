"""Winograd's minimal filtering: 16 multiplications for four outputs of a 3x3 kernel, where the definition takes 36."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from course_lib.convolution.geometry import geometry, pad
from course_lib.convolution.products import im2col

# F(2, 3): four inputs and three weights to two outputs, y = OUTPUT [(FILTER g) * (INPUT d)].
INPUT = ((1.0, 0.0, -1.0, 0.0), (0.0, 1.0, 1.0, 0.0), (0.0, -1.0, 1.0, 0.0), (0.0, 1.0, 0.0, -1.0))
FILTER = ((1.0, 0.0, 0.0), (0.5, 0.5, 0.5), (0.5, -0.5, 0.5), (0.0, 0.0, 1.0))
OUTPUT = ((1.0, 1.0, 1.0, 0.0), (0.0, 1.0, -1.0, -1.0))


def conv2d_winograd(x: Tensor, weight: Tensor, stride: int = 1, padding: int = 0) -> Tensor:
    """(N, C_in, H, W) -> (N, C_out, H_out, W_out) by F(2x2, 3x3); kernels of 3x3 at stride 1 only.

    Tiles of 4x4 pixels, two apart, and the kernels are transformed; for each of the 16 places in a tile, one matrix
    product sums over the channels; the result is transformed to 2x2 outputs.

    Source: Lavin and Gray 2016, Fast Algorithms for Convolutional Neural Networks, arXiv:1509.09308, section 4.1 and
    algorithm 1.
    Differs from the paper: the transforms are matrix products, not additions written out.

    Raises:
        ValueError: shapes, number types or padding do not fit, the kernel is not 3x3, or the stride is not 1.
    """
    sizes = geometry(x, weight, stride, padding)
    if tuple(weight.shape[2:]) != (3, 3) or stride != 1:
        size = tuple(weight.shape[2:])
        raise ValueError(f"kernel must be 3x3 and stride 1 for F(2x2, 3x3), got kernel {size} and stride={stride}")
    padded = F.pad(pad(x, padding), (0, sizes.output_width % 2, 0, sizes.output_height % 2))
    to_tile, to_filter, to_output = (two_dimensional(x.new_tensor(rows)) for rows in (INPUT, FILTER, OUTPUT))
    tiles = im2col(padded, 4, 4, stride=2).unflatten(1, (sizes.in_channels, 16))  # (N, C_in, 16, tiles)
    tiles = to_tile @ tiles.permute(2, 1, 0, 3).flatten(1)  # (16, C_in * N * tiles)
    filters = to_filter @ weight.flatten(2).permute(2, 0, 1).flatten(1)  # (16, C_out * C_in)
    products = filters.view(16, sizes.out_channels, -1) @ tiles.view(16, sizes.in_channels, -1)
    outputs = (to_output @ products.flatten(1)).view(2, 2, sizes.out_channels, sizes.batch_size, -1)
    return _interleave(outputs, sizes.output_height, sizes.output_width)


def two_dimensional(matrix: Tensor) -> Tensor:
    """M (r, s) -> (r * r, s * s): the matrix that maps a flattened square X to the flattened M X M^T."""
    return torch.kron(matrix, matrix)


def _interleave(outputs: Tensor, height: int, width: int) -> Tensor:
    """(2, 2, C_out, N, tiles) -> (N, C_out, height, width): outputs of a tile side by side, then cropped."""
    rows, columns = -(-height // 2), -(-width // 2)
    grid = outputs.unflatten(4, (rows, columns)).permute(3, 2, 4, 0, 5, 1)  # (N, C_out, rows, 2, columns, 2)
    return grid.reshape(*grid.shape[:2], 2 * rows, 2 * columns)[:, :, :height, :width]
