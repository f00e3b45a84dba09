"""The inputs of an analysis: shapes, tensors, and any structure of them, for any argument of a model's forward."""

from __future__ import annotations

import inspect
import numbers
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from course_lib.complexity.rows import Shape

RULE = "a shape must hold positive integers, such as (3, 224, 224)"
FEW = 1 << 12  # elements of a given tensor whose values are kept on a pass on shapes alone


@dataclass(frozen=True)
class Input:
    """A tensor to go in, by its shape and dtype.

    Attributes:
        shape: without its batch axis, such as (3, 224, 224); () for one number an image.
        dtype: such as torch.long. Default: that of the model's first floating parameter.
        batched: whether a batch axis is put in front; False: the shape is already whole.
    """

    shape: Sequence[int]
    dtype: torch.dtype | None = None
    batched: bool = True


class Leaf(NamedTuple):
    """One tensor of the inputs: its whole shape, its dtype, and the tensor itself where one was given."""

    shape: Shape
    dtype: torch.dtype
    tensor: Tensor | None


class Inputs(NamedTuple):
    """Positional and keyword arguments with a ``Leaf`` for each tensor, and the leaves in order."""

    args: tuple
    kwargs: dict[str, Any]
    leaves: list[Leaf]

    def tensors(self, device: torch.device, *, values: bool) -> tuple[tuple, dict[str, Any], list[Tensor]]:
        """The arguments with tensors: on ``device`` with values, or without."""
        made: list[Tensor] = []
        generator = torch.Generator().manual_seed(0)

        def make(leaf: Leaf) -> Tensor:
            made.append(_with_values(leaf, device, generator) if values else _shape_alone(leaf))
            return made[-1]

        return tuple(_mapped(value, make) for value in self.args), _mapped(self.kwargs, make), made


def read_inputs(
    inputs: tuple, kwargs: Mapping[str, Any], batch_size: int | None, input_dtype: Any, dtype: torch.dtype
) -> Inputs:
    """What ``analyze`` was given; ``dtype``: that of the model.

    Raises:
        ValueError: a size, a shape, the batch size or a dtype is none, or there is no tensor at all.
    """
    if batch_size is not None and (not _is_integer(batch_size) or batch_size < 1):
        raise ValueError(f"batch_size must be a positive integer or None, got {batch_size!r}")
    if len(inputs) == 1 and isinstance(inputs[0], list | tuple) and inputs[0] and all(map(_is_shape, inputs[0])):
        inputs = tuple(inputs[0])  # several inputs in a list
    dtypes, leaves = _dtypes(input_dtype), []

    def leaf(value: Any) -> Leaf:
        given = value.dtype if isinstance(value, Tensor | Input) else None
        if given is None:
            given = dtypes[len(leaves)] if len(dtypes) > len(leaves) else dtypes[0] if len(dtypes) == 1 else dtype
        if isinstance(value, Tensor):
            leaves.append(Leaf(tuple(value.shape), given, value))
        else:
            batched = batch_size is not None and getattr(value, "batched", True)
            shape = _checked(value.shape if isinstance(value, Input) else value)
            leaves.append(Leaf((int(batch_size), *shape) if batched else shape, given, None))
        return leaves[-1]

    args, named = tuple(_read(value, leaf) for value in inputs), _read(kwargs, leaf)
    if not leaves and (inputs or kwargs):
        raise ValueError(f"{RULE}, got {(inputs or tuple(kwargs.values()))[0]!r}")
    if len(dtypes) > 1 and len(dtypes) != len(leaves):
        raise ValueError(f"input_dtype must be one torch.dtype, or one for each of {len(leaves)} inputs, got {dtypes}")
    return Inputs(args, named, leaves)


def check_arguments(model: nn.Module, inputs: Inputs) -> None:
    """Whether the model's forward takes arguments of these names.

    Raises:
        ValueError: an argument is missing or unknown: the message names it, and what the forward takes.
    """
    try:
        signature = inspect.signature(model.forward)
    except (TypeError, ValueError):
        return
    try:
        signature.bind(*inputs.args, **inputs.kwargs)
    except TypeError as error:
        if model._forward_pre_hooks:  # which may add what is missing
            return
        names = ", ".join(str(part) for part in signature.parameters.values())
        hint = "; give each argument a shape or a tensor, in order or by name: analyze(model, (3, 224, 224), t=())"
        raise ValueError(f"{type(model).__name__}.forward({names}): {error}{hint}") from None


def _is_integer(value: Any) -> bool:
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def _is_shape(value: Any) -> bool:
    """A tuple or list of numbers, the empty tuple among them: right or wrong, it is meant as a shape."""
    if not isinstance(value, list | tuple) or isinstance(value, PackedSequence):
        return False
    return all(isinstance(size, numbers.Number) for size in value) and (len(value) > 0 or isinstance(value, tuple))


def _checked(shape: Any) -> Shape:
    if not isinstance(shape, Sequence) or not all(_is_integer(size) and size > 0 for size in shape):
        raise ValueError(f"{RULE}, got {shape!r}")
    return tuple(int(size) for size in shape)


def _dtypes(given: Any) -> list[torch.dtype]:
    dtypes = [] if given is None else [given] if isinstance(given, torch.dtype) else list(given)
    if not all(isinstance(dtype, torch.dtype) for dtype in dtypes):
        raise ValueError(f"input_dtype must be one torch.dtype, or one for each input, got {given!r}")
    return dtypes


def _read(value: Any, leaf: Any) -> Any:
    """A structure with leaves in the places of shapes and tensors."""
    if isinstance(value, Tensor | Input) or _is_shape(value):
        return leaf(value)
    if isinstance(value, PackedSequence):
        return value
    if isinstance(value, Mapping):
        return {key: _read(part, leaf) for key, part in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(_read(part, leaf) for part in value))
    if isinstance(value, list | tuple):
        return type(value)(_read(part, leaf) for part in value)
    return value


def _mapped(value: Any, make: Any) -> Any:
    if isinstance(value, Leaf):
        return make(value)
    if isinstance(value, dict):
        return {key: _mapped(part, make) for key, part in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_fields") and not isinstance(value, PackedSequence):
        return type(value)(*(_mapped(part, make) for part in value))
    if isinstance(value, list | tuple) and not isinstance(value, PackedSequence):
        return type(value)(_mapped(part, make) for part in value)
    return value


def _shape_alone(leaf: Leaf) -> Tensor:
    given = leaf.tensor
    if given is None:
        return torch.empty(leaf.shape, dtype=leaf.dtype, device="meta")
    if not given.is_meta and given.numel() <= FEW:
        return given.detach()  # a few values that are given may be looked at; nothing is written to them
    return torch.empty_strided(given.shape, given.stride(), dtype=given.dtype, device="meta")


def _with_values(leaf: Leaf, device: torch.device, generator: torch.Generator) -> Tensor:
    """The tensor that was given; else numbers from 0 to 1, and ones where they must be whole."""
    if leaf.tensor is not None and not leaf.tensor.is_meta:
        return leaf.tensor.detach().clone().to(device)
    if leaf.dtype.is_floating_point or leaf.dtype.is_complex:
        return torch.rand(leaf.shape, generator=generator).to(device, leaf.dtype)
    return torch.ones(leaf.shape, dtype=leaf.dtype, device=device)
