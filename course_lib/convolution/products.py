"""A convolution as matrix products: one large one over a matrix of windows, or one for each tap of the kernel."""

from __future__ import annotations

from torch import Tensor

from course_lib.convolution.geometry import geometry, pad, windows


def im2col(x: Tensor, kernel_height: int, kernel_width: int, stride: int = 1) -> Tensor:
    """(N, C, H, W) -> (N, C * K_h * K_w, H_out * W_out): a column for each place of the kernel. The input is copied.

    Source: Chellapilla, Puri and Simard 2006, High Performance Convolutional Neural Networks for Document Processing.
    Differs from the paper: a window is a column here, where the paper makes it a row.
    """
    places = windows(x, kernel_height, kernel_width, stride)
    return places.permute(0, 1, 4, 5, 2, 3).flatten(4).flatten(1, 3)


def conv2d_im2col(x: Tensor, weight: Tensor, stride: int = 1, padding: int = 0) -> Tensor:
    """(N, C_in, H, W) -> (N, C_out, H_out, W_out): windows become the columns of a matrix, and one product does it all.

    Source: Chellapilla, Puri and Simard 2006, High Performance Convolutional Neural Networks for Document Processing.
    Differs from the paper: forward only; columns and rows of the product are exchanged.

    Raises:
        ValueError: shapes, number types, stride or padding do not fit.
    """
    sizes = geometry(x, weight, stride, padding)
    columns = im2col(pad(x, padding), sizes.kernel_height, sizes.kernel_width, stride)
    return (weight.flatten(1) @ columns).unflatten(2, (sizes.output_height, sizes.output_width))


def conv2d_shifted(x: Tensor, weight: Tensor, stride: int = 1, padding: int = 0) -> Tensor:
    """(N, C_in, H, W) -> (N, C_out, H_out, W_out): for each tap of the kernel, a product with the shifted image, added.

    Source: Vasudevan, Anderson and Gregg 2017, Parallel Multi Channel Convolution using General Matrix Multiplication,
    arXiv:1704.04428.
    Differs from the paper: the image is shifted before the product, where the paper shifts its result.

    Raises:
        ValueError: shapes, number types, stride or padding do not fit.
    """
    sizes = geometry(x, weight, stride, padding)
    padded = pad(x, padding)
    output = x.new_zeros(sizes.batch_size, sizes.out_channels, sizes.num_windows)
    for u in range(sizes.kernel_height):
        for v in range(sizes.kernel_width):
            rows = slice(u, u + stride * (sizes.output_height - 1) + 1, stride)
            columns = slice(v, v + stride * (sizes.output_width - 1) + 1, stride)
            output += weight[:, :, u, v] @ padded[:, :, rows, columns].flatten(2)
    return output.unflatten(2, (sizes.output_height, sizes.output_width))
