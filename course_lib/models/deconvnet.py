"""The deconvnet of ZFNet's paper: from an activation in any layer back to the pixels that caused it.

Zeiler, Fergus, "Visualizing and understanding convolutional networks", ECCV 2014, arXiv:1311.2901, section 2.1. Going
down, each pooling is undone with the switches that it set on the way up, each rectifier rectifies again, and each
convolution is replaced by its own filters, transposed. Works for the ``features`` of ZFNet, AlexNet and VGG
without batch normalisation alike.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_lib.arithmetic import conv_transpose_output_size

# Layers that the way down leaves out: the paper uses no contrast normalisation there, and dropout is for training.
SKIPPED = (nn.LocalResponseNorm, nn.Dropout, nn.Identity)


@dataclass(frozen=True)
class Record:
    """What the way down needs to know of the way up. The keys are names of layers, in order.

    Attributes:
        maps: the output of each layer, (N, C, H, W).
        sizes: the (H, W) of the input of each layer.
        switches: of each max pooling, where in its input each maximum stood: flat index per map, (N, C, H, W).
    """

    maps: dict[str, Tensor]
    sizes: dict[str, tuple[int, int]]
    switches: dict[str, Tensor]


@torch.no_grad()
def record(features: nn.Sequential, images: Tensor) -> Record:
    """Run ``images`` (N, C, H, W) up through ``features``; dropout does nothing. Nested Sequentials are walked into.

    Raises:
        ValueError: a layer is none of convolution, ReLU, max pooling, response normalisation and dropout.
    """
    trace = Record({}, {}, {})
    x = images
    for name, layer in _leaves(features):
        trace.sizes[name] = tuple(x.shape[2:])
        if isinstance(layer, nn.MaxPool2d):
            x, trace.switches[name] = F.max_pool2d(
                x, layer.kernel_size, layer.stride, layer.padding, layer.dilation, layer.ceil_mode, return_indices=True
            )
        elif isinstance(layer, nn.Conv2d | nn.ReLU | nn.LocalResponseNorm):
            x = layer(x)
        elif not isinstance(layer, SKIPPED):
            raise ValueError(f"the deconvnet cannot undo layer {name!r}, a {type(layer).__name__}")
        trace.maps[name] = x
    return trace


@torch.no_grad()
def project(features: nn.Sequential, trace: Record, layer: str, maps: Tensor) -> Tensor:
    """Send ``maps`` of ``layer`` down to the pixels: unpool, rectify, filter with the transposed filters.

    Args:
        features: the layers that made ``trace``.
        trace: from ``record``.
        layer: its name, such as ``"relu3"``: one of ``trace.maps``.
        maps: in the shape of ``trace.maps[layer]``; usually all zero but one value, see ``strongest``.

    Returns:
        A contribution (N, C, H, W) of the shape of the images, with both signs, not an image with values in a range.

    Raises:
        ValueError: ``features`` has no such layer, or ``maps`` has another shape than the layer's output.
    """
    if layer not in trace.maps:
        raise ValueError(f"layer must be one of {', '.join(trace.maps)}, got {layer!r}")
    if maps.shape != trace.maps[layer].shape:
        raise ValueError(f"maps of {layer} must be {tuple(trace.maps[layer].shape)}, got {tuple(maps.shape)}")
    path = list(_leaves(features))
    path = path[: [name for name, _ in path].index(layer) + 1]
    x = maps
    for name, step in reversed(path):
        if isinstance(step, nn.MaxPool2d):
            x = unpool(x, trace.switches[name], trace.sizes[name])
        elif isinstance(step, nn.ReLU):
            x = F.relu(x)
        elif isinstance(step, nn.Conv2d):
            x = filter_back(x, step, trace.sizes[name])
    return x


def deconvolve(features: nn.Sequential, images: Tensor, layer: str, channel: int) -> Tensor:
    """What in each image caused the strongest activation of map ``channel`` in ``layer``: (N, C, H, W), in pixels.

    Raises:
        ValueError: see ``record``, ``project`` and ``strongest``.
    """
    trace = record(features, images)
    if layer not in trace.maps:
        raise ValueError(f"layer must be one of {', '.join(trace.maps)}, got {layer!r}")
    return project(features, trace, layer, strongest(trace.maps[layer], channel))


def strongest(maps: Tensor, channel: int) -> Tensor:
    """A copy of ``maps`` (N, C, H, W) with zeros everywhere but at the largest value of map ``channel`` in each image.

    Raises:
        ValueError: there is no such map.
    """
    if not 0 <= channel < maps.shape[1]:
        raise ValueError(f"channel must be 0 to {maps.shape[1] - 1}, got {channel}")
    flat = maps[:, channel].flatten(1)
    place = flat.argmax(1, keepdim=True)
    kept = torch.zeros_like(maps)
    kept[:, channel] = torch.zeros_like(flat).scatter(1, place, flat.gather(1, place)).view_as(maps[:, channel])
    return kept


def unpool(x: Tensor, switches: Tensor, size: tuple[int, int]) -> Tensor:
    """Put each value back where its maximum stood, zeros elsewhere: (N, C, H, W) -> ``(N, C, *size)``.

    Where overlapping windows share a maximum, the largest of their values stays; the paper leaves this open.
    """
    places = torch.zeros(*x.shape[:2], math.prod(size), dtype=x.dtype, device=x.device)
    places = places.scatter_reduce(2, switches.flatten(2), x.flatten(2), "amax", include_self=False)
    return places.unflatten(2, size)


def filter_back(x: Tensor, conv: nn.Conv2d, size: tuple[int, int]) -> Tensor:
    """The transposed convolution with the filters of ``conv``, no bias: ``(N, C_out, H, W) -> (N, C_in, *size)``."""
    sizes = tuple(x.shape[2:])
    made = conv_transpose_output_size(sizes, conv.kernel_size, conv.stride, conv.padding, dilation=conv.dilation)
    left_over = [side - reached for side, reached in zip(size, made, strict=True)]  # pixels the stride did not reach
    return F.conv_transpose2d(
        x, conv.weight, None, conv.stride, conv.padding, left_over, groups=conv.groups, dilation=conv.dilation
    )


def _leaves(features: nn.Sequential, prefix: str = "") -> Iterator[tuple[str, nn.Module]]:
    """The layers in order, with their dotted names; Sequentials within are walked into."""
    for name, layer in features.named_children():
        if isinstance(layer, nn.Sequential):
            yield from _leaves(layer, f"{prefix}{name}.")
        else:
            yield prefix + name, layer
