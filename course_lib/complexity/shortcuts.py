"""What common functions return, without asking torch: on the meta device its answer to a ReLU takes a quarter of a ms.

A shortcut gives a new tensor of the right shape and dtype, or None where the case is not a plain one: then torch is
asked, and refuses what it refuses. All tensors that come here are on the meta device.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from course_lib.arithmetic import conv_output_size

META = torch.device("meta")
Shortcut = Callable[[tuple, dict[str, Any]], Tensor | None]


def same_shape(args: tuple, kwargs: dict[str, Any]) -> Tensor | None:
    """An activation: one floating tensor goes in, one of its shape comes out."""
    values = _first(args, kwargs)
    return _like(values) if values.is_floating_point() and not kwargs.get("inplace") else None


def batch_norm(args: tuple, kwargs: dict[str, Any]) -> Tensor | None:
    """Batch normalisation keeps the shape; one number per channel must go with it."""
    values, *others = args if args else (kwargs["input"],)
    channels = values.shape[1:2]
    for given in (*others, *kwargs.values()):
        if isinstance(given, Tensor) and given is not values and given.shape != channels:
            return None
    return _like(values) if values.is_floating_point() else None


def layer_norm(args: tuple, kwargs: dict[str, Any]) -> Tensor | None:
    """Layer normalisation keeps the shape, whose last axes must be those that it normalises."""
    values = _first(args, kwargs)
    sizes = args[1] if len(args) > 1 else kwargs.get("normalized_shape")
    fits = isinstance(sizes, Sequence) and len(sizes) > 0 and tuple(values.shape[-len(sizes) :]) == tuple(sizes)
    return _like(values) if fits and values.is_floating_point() else None


def binary(args: tuple, kwargs: dict[str, Any]) -> Tensor | None:
    """``left + right`` and its like, where the result has the shape of ``left``."""
    if kwargs or len(args) != 2:
        return None
    left, right = args
    return _like(left) if _fits(left, right) else None


def binary_in_place(args: tuple, kwargs: dict[str, Any]) -> Tensor | None:
    """``left += right`` and its like."""
    return args[0] if not kwargs and len(args) == 2 and _fits(*args) else None


def cat(args: tuple, kwargs: dict[str, Any]) -> Tensor | None:
    """Tensors of one dtype and one shape but along the axis on which they are stacked."""
    tensors = args[0] if args else kwargs.get("tensors")
    axis = args[1] if len(args) > 1 else kwargs.get("dim", 0)
    if len(args) > 2 or kwargs.keys() - {"tensors", "dim"} or not tensors or type(axis) is not int:
        return None
    first, total = tensors[0], 0
    dims = first.dim()
    if not -dims <= axis < dims:
        return None
    axis %= dims
    shape = list(first.shape)
    for tensor in tensors:
        sizes = list(tensor.shape)
        if len(sizes) != dims or tensor.dtype != first.dtype or not tensor.is_contiguous():
            return None
        total += sizes[axis]
        sizes[axis] = shape[axis]
        if sizes != shape:
            return None
    shape[axis] = total
    return torch.empty(shape, dtype=first.dtype, device=META)


def adaptive_avg_pool2d(args: tuple, kwargs: dict[str, Any]) -> Tensor | None:
    """(N, C, H, W) -> (N, C, H', W')."""
    values, size = _first(args, kwargs), args[1] if len(args) > 1 else kwargs.get("output_size")
    sizes = (size, size) if isinstance(size, int) else tuple(size)
    plain = len(sizes) == 2 and all(type(side) is int and side > 0 for side in sizes)
    if not plain or values.dim() != 4 or not values.is_contiguous() or not values.is_floating_point():
        return None
    return torch.empty((*values.shape[:2], *sizes), dtype=values.dtype, device=META) if values.numel() else None


def conv2d(args: tuple, kwargs: dict[str, Any]) -> Tensor | None:
    """(N, C_in, H, W) -> (N, C_out, H', W'), as ``nn.Conv2d`` asks for it."""
    if kwargs or len(args) != 7:
        return None
    values, weight, bias, *geometry = args
    dtype = values.dtype
    if weight.dtype != dtype or not dtype.is_floating_point or not values.is_contiguous():
        return None
    if bias is not None and bias.dtype != dtype:
        return None
    try:
        shape = _conv_shape(values.shape, weight.shape, None if bias is None else bias.shape, *geometry)
    except TypeError:  # sizes in lists, which have no hash
        return None
    return None if shape is None else torch.empty(shape, dtype=dtype, device=META)


def linear(args: tuple, kwargs: dict[str, Any]) -> Tensor | None:
    """(..., in) -> (..., out), as ``nn.Linear`` asks for it."""
    if kwargs or len(args) != 3:
        return None
    values, weight, bias = args
    sizes, features = values.shape, weight.shape
    if weight.dim() != 2 or values.dim() < 1 or sizes[-1] != features[1] or not values.is_contiguous():
        return None
    if bias is not None and (bias.dtype != values.dtype or bias.shape != features[:1]):
        return None
    if weight.dtype != values.dtype or not values.dtype.is_floating_point:
        return None
    return torch.empty((*sizes[:-1], features[0]), dtype=values.dtype, device=META)


def max_pool2d(args: tuple, kwargs: dict[str, Any]) -> Tensor | None:
    """(N, C, H, W) -> (N, C, H', W'), whole windows only."""
    names = ("input", "kernel_size", "stride", "padding", "dilation", "ceil_mode", "return_indices")
    values, kernel, stride, padding, dilation, *rest = [
        *args,
        *[kwargs.get(name, default) for name, default in zip(names, MAX_POOL_DEFAULTS, strict=True)][len(args) :],
    ]
    if any(rest) or not isinstance(values, Tensor) or values.dim() != 4 or not values.is_contiguous():
        return None
    sizes = [(size, size) if type(size) is int else size for size in (kernel, stride or kernel, padding, dilation)]
    if not values.is_floating_point() or not all(type(pair) is tuple and len(pair) == 2 for pair in sizes):
        return None
    (kernel, stride, padding, dilation), channels = sizes, values.shape[1]
    if 0 in values.shape or any(2 * p > k for p, k in zip(padding, kernel, strict=True)):
        return None
    shape = _conv_shape(values.shape, torch.Size((channels, channels, *kernel)), None, stride, padding, dilation, 1)
    return None if shape is None else torch.empty(shape, dtype=values.dtype, device=META)


MAX_POOL_DEFAULTS = (None, None, None, 0, 1, False, False)


@lru_cache(maxsize=4096)
def _conv_shape(
    values: torch.Size,
    weight: torch.Size,
    bias: torch.Size | None,
    strides: Any,
    paddings: Any,
    dilations: Any,
    groups: int,
) -> tuple[int, ...] | None:
    """The shape that a convolution makes, None where the case is not a plain one."""
    if not len(values) == len(weight) == 4 or 0 in values or groups < 1:
        return None
    if values[1] != weight[1] * groups:
        raise RuntimeError(f"the layer is for {weight[1] * groups} channels, the input has {values[1]}")
    if weight[0] % groups or (bias is not None and bias != weight[:1]):
        return None
    if not all(type(sizes) is tuple and len(sizes) == 2 for sizes in (strides, paddings, dilations)):
        return None
    if min(strides) < 1 or min(dilations) < 1 or min(paddings) < 0:
        return None
    try:
        out = conv_output_size(tuple(values[2:]), tuple(weight[2:]), strides, paddings, dilations)
    except ValueError:  # the kernel does not fit
        return None
    return (values[0], weight[0], *out)


def _first(args: tuple, kwargs: dict[str, Any]) -> Tensor:
    return args[0] if args else kwargs["input"]


def _fits(left: Any, right: Any) -> bool:
    """Whether ``left + right`` has the shape and dtype of ``left``, by rules that need no look at torch's."""
    if not isinstance(left, Tensor) or not left.is_floating_point():
        return False
    if not isinstance(right, Tensor):
        return type(right) in (int, float)
    if right.dtype != left.dtype or left.dim() != right.dim() or not right.is_contiguous():
        return False
    return left.shape == right.shape or all(b in (a, 1) for a, b in zip(left.shape, right.shape, strict=True))


def _like(values: Tensor) -> Tensor:
    """A new tensor with the shape, dtype and order in memory of ``values``."""
    if values.is_contiguous():
        return torch.empty(values.shape, dtype=values.dtype, device=META)
    return torch.empty_like(values)


_ACTIVATIONS = "relu relu6 leaky_relu elu selu celu gelu silu mish sigmoid tanh hardswish hardsigmoid hardtanh"

SHORTCUTS: dict[str, Shortcut] = {
    **dict.fromkeys(_ACTIVATIONS.split(), same_shape),
    **dict.fromkeys("add sub mul div".split(), binary),
    **dict.fromkeys("add_ sub_ mul_ div_".split(), binary_in_place),
    "batch_norm": batch_norm,
    "layer_norm": layer_norm,
    "cat": cat,
    "conv2d": conv2d,
    "linear": linear,
    "max_pool2d": max_pool2d,
    "adaptive_avg_pool2d": adaptive_avg_pool2d,
}
