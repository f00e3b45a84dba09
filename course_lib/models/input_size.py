"""Which input sizes a network takes, and an error in words for the others."""

from __future__ import annotations

import bisect
import functools
import inspect
import traceback
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from course_lib.arithmetic import conv_output_size, pool_output_size

LARGEST_TRIED = 1024  # pixels per side, where the search for a size that works gives up


def checks_input_size(forward: Callable[[Any, Tensor], Any]) -> Callable[[Any, Tensor], Any]:
    """Decorate a network's ``forward(self, x)``: an input of a size that does not fit gives a ValueError.

    The message names the layer in which the input died and the smallest size that works. Nothing is computed
    unless a layer fails. Errors with another cause stay as they are.
    """

    @functools.wraps(forward)
    def checked(self: nn.Module, x: Tensor) -> Any:
        try:
            return forward(self, x)
        except RuntimeError as error:
            if x.dim() != 4 or _dry_run(self, x.shape[1], *x.shape[2:]) is not None:
                raise
            smallest = smallest_input_size(self, x.shape[1])
            if smallest is None and _dry_run(self, x.shape[1], *_pair(getattr(self, "input_size", 1))) is None:
                raise
            raise ValueError(_misfit(self, tuple(x.shape[2:]), _where(self, error), smallest)) from error

    return checked


def smallest_input_size(network: nn.Module, in_channels: int = 3) -> int | None:
    """The side of the smallest square input that ``network`` accepts in its present mode, in pixels.

    Found by dry runs on the meta device. None if no side works, up to the ``input_size`` that the network was built
    for, or 1,024 if it has no such attribute.
    """

    def works(size: int) -> bool:
        return _dry_run(network, in_channels, size, size) is not None

    sizes = range(1, max(_pair(getattr(network, "input_size", LARGEST_TRIED))) + 1)
    if works(sizes[-1]):  # then all sizes before it work, from some size on
        return sizes[bisect.bisect_left(sizes, True, key=works)]
    return next(filter(works, sizes), None)  # a window of sizes, or none


def feature_shape(features: nn.Sequential, in_channels: int, input_size: int | tuple[int, int]) -> tuple[int, int, int]:
    """The shape ``(C, H, W)`` that a chain of layers makes of one image, by arithmetic; nothing is run.

    Raises:
        ValueError: the image is too small; the message names the layer and the smallest size that works.
    """
    channels, sizes = in_channels, _pair(input_size)
    for name, layer in features.named_modules():
        if isinstance(layer, nn.Conv2d):
            channels = layer.out_channels
        if isinstance(layer, nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d):
            sizes = _sizes_after(layer, sizes)
        if min(sizes) < 1:
            smallest = smallest_input_size(features, in_channels)
            raise ValueError(_misfit(features, _pair(input_size), f"{name!r} ({type(layer).__name__})", smallest))
    return channels, *sizes


def _sizes_after(layer: nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d, sizes: tuple[int, int]) -> tuple[int, int]:
    """Height and width behind a convolution or pooling; below 1 where torch refuses."""
    geometry = (layer.kernel_size, layer.stride, layer.padding, getattr(layer, "dilation", 1))
    try:
        if isinstance(layer, nn.Conv2d):
            return conv_output_size(sizes, *geometry)
        return pool_output_size(sizes, *geometry, ceil_mode=layer.ceil_mode)
    except ValueError:  # the kernel does not fit
        return 0, 0


def _pair(value: int | tuple[int, int]) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else tuple(value)


class _Unchecked(nn.Module):
    """Calls a network's forward without the check, which would start a dry run within a dry run."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Any:
        return inspect.unwrap(type(self.network).forward)(self.network, x)


def _dry_run(network: nn.Module, in_channels: int, height: int, width: int) -> Any:
    """The output for two images on the meta device, or None if a layer refuses; the network stays as it was."""
    probe = _Unchecked(network)
    tensors = {**dict(probe.named_parameters()), **dict(probe.named_buffers())}
    shapes = {name: torch.empty_like(tensor, device="meta") for name, tensor in tensors.items()}
    dtype = next((tensor.dtype for tensor in network.parameters()), torch.float32)
    images = torch.empty(2, in_channels, height, width, dtype=dtype, device="meta")
    try:
        with torch.no_grad():
            return torch.func.functional_call(probe, shapes, (images,))
    except (RuntimeError, ValueError):
        return None


def _misfit(network: nn.Module, sizes: tuple[int, int], where: str, smallest: int | None) -> str:
    """What to say of an input that does not fit."""
    too_small = smallest is not None and min(sizes) < smallest
    parts = [f"input {sizes[0]}x{sizes[1]} {'is too small' if too_small else 'does not fit'}: it dies in {where}"]
    if smallest is not None:
        parts.append(f"smallest size that works: {smallest}x{smallest}")
    if hasattr(network, "input_size"):
        parts.append(f"built for input_size={network.input_size}")
    return "; ".join(parts)


def _where(network: nn.Module, error: Exception) -> str:
    """The name and type of the innermost layer that was running when ``error`` was raised."""
    names = {id(layer): f"{name!r} ({type(layer).__name__})" for name, layer in network.named_modules()}
    running = [id(frame.f_locals.get("self")) for frame, _ in traceback.walk_tb(error.__traceback__)]
    return next(names[key] for key in reversed(running) if key in names)
