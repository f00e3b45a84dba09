"""Convolution in the Fourier domain: transform, multiply frequency by frequency, transform back."""

from __future__ import annotations

import torch
from torch import Tensor

from course_lib.convolution.geometry import geometry, pad


def conv2d_fft(x: Tensor, weight: Tensor, stride: int = 1, padding: int = 0) -> Tensor:
    """(N, C_in, H, W) -> (N, C_out, H_out, W_out) by fast Fourier transforms of the images and of the kernels.

    All places at stride 1 are computed; a larger stride throws most of them away.

    Source: Mathieu, Henaff and LeCun 2014, Fast Training of Convolutional Networks through FFTs, arXiv:1312.5851,
    section 2.
    Differs from the paper: sizes are rounded up to products of 2, 3 and 5, not to powers of 2.

    Raises:
        ValueError: shapes, number types, stride or padding do not fit.
    """
    sizes = geometry(x, weight, stride, padding)
    padded = pad(x, padding)
    size = tuple(map(smooth_size, padded.shape[2:]))
    spectra, filters = torch.fft.rfft2(padded, s=size), torch.fft.rfft2(weight, s=size)
    sums = torch.einsum("nchw,ochw->nohw", spectra, filters.conj())
    every_place = torch.fft.irfft2(sums, s=size)
    rows, columns = stride * (sizes.output_height - 1) + 1, stride * (sizes.output_width - 1) + 1
    return every_place[:, :, :rows:stride, :columns:stride]


def smooth_size(size: int) -> int:
    """The smallest integer of at least ``size`` without prime factors above 5, for which transforms are fast."""
    while True:
        rest = size
        for prime in (2, 3, 5):
            while rest % prime == 0:
                rest //= prime
        if rest == 1:
            return size
        size += 1
