"""Tensors of a pass on shapes alone that do not depend on the input: they keep their values while they are small.

Masks, positions and lengths are computed for real, so that a forward pass may look at them and a cache that outlives
the pass holds what it would hold anyway. What the pass has not made is never written to.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

from course_lib.complexity.functions import LIKES, Kind

META, CPU = torch.device("meta"), torch.device("cpu")
MOST = 1 << 20  # elements that are worth computing
FEW = 1 << 10  # so few that a function of them is small, whatever it does
GROWING = frozenset("repeat tile repeat_interleave expand broadcast_to one_hot".split())


class NeedsValuesError(Exception):
    """A forward pass looks at values that a pass on shapes alone has not."""


class Constants:
    """Which tensors of a pass have values, and which have lost them to what depends on the input."""

    def __init__(self) -> None:
        self._made: set[int] = set()  # storages of constants, by address
        self._lost: dict[int, Any] = {}  # storages that hold something of the input since: the tensor written there

    def make(self, func: Callable[..., Any], args: tuple, kwargs: dict[str, Any]) -> Any:
        """A tensor that is made of nothing, with values where it is small."""
        if _takes_device(func) and kwargs.get("out") is None:
            with contextlib.suppress(RuntimeError, NotImplementedError):  # such as a generator, which has a device
                shape = func(*args, **{**kwargs, "device": META})
                if self.is_large(shape):
                    return shape
        output = func(*args, **({**kwargs, "device": CPU} if kwargs.get("device") is not None else kwargs))
        self._own(output, ())
        return output

    @staticmethod
    def is_large(output: Any) -> bool:
        """Whether values would take too long and too much memory."""
        return isinstance(output, Tensor) and output.numel() > MOST

    def like(self, kind: Kind, output: Tensor) -> Tensor:
        """Zeros or ones of a shape that was asked for."""
        if output.numel() > MOST or not output.is_contiguous():
            return output
        fresh = torch.full(output.shape, LIKES[kind.name], dtype=output.dtype)
        self._own(fresh, ())
        return fresh

    def may_compute(self, kind: Kind, sources: list[Tensor], kwargs: dict[str, Any]) -> bool:
        """Whether a function of constants is computed for real: a small one, that writes to nothing of the model's."""
        if kind.in_place and _address(sources[0]) not in self._made:
            return False
        return not kwargs.get("inplace") and kwargs.get("out") is None and sum(t.numel() for t in sources) <= MOST

    def own(self, output: Any, sources: list[Tensor]) -> None:
        """Note what a function of constants has made."""
        for tensor in output if isinstance(output, list | tuple) else (output,):
            if isinstance(tensor, Tensor):
                self._own(tensor, sources)

    def has_lost(self, tensor: Tensor) -> bool:
        """Whether something of the input was written into a constant since it was made."""
        return bool(self._lost) and _address(tensor) in self._lost

    def lose(self, tensor: Tensor, stand_in: Tensor) -> None:
        """Something of the input was written into ``tensor``, for which ``stand_in`` stands."""
        self._lost.setdefault(_address(tensor), (tensor, stand_in))

    def heir(self, tensor: Tensor) -> Tensor | None:
        """What stands in for the storage of ``tensor`` since its values were lost."""
        found = self._lost.get(_address(tensor)) if self._lost else None
        return found and found[1]

    def _own(self, tensor: Tensor, sources: Iterable[Tensor]) -> None:
        address = _address(tensor)
        if not any(_address(source) == address for source in sources):
            self._made.add(address)


def grows(kind: Kind, sources: list[Tensor]) -> bool:
    """Whether the shape must be known before a function of constants is computed."""
    return kind.name in GROWING or sum(tensor.numel() for tensor in sources) > FEW


def _address(tensor: Tensor) -> int:
    try:
        return tensor.untyped_storage()._cdata
    except (NotImplementedError, RuntimeError):  # sparse and the like
        return -id(tensor)


def _takes_device(func: Callable[..., Any]) -> bool:
    return getattr(func, "__name__", "") not in ("tensor", "as_tensor", "from_numpy")
