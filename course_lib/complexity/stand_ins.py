"""Stand-ins: what is on another device gets a tensor of its shape on the meta device, where nothing is computed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

PLAIN = frozenset({int, float, bool, str, type(None)})


class StandIns:
    """The stand-ins of one pass, and which parameters it has used already."""

    def __init__(self, parameters: Iterable[Tensor]):
        self._unused = {id(parameter): parameter.numel() for parameter in parameters}
        self._pending: list[int] = []  # parameters among the arguments of the last call
        self._known: dict[int, tuple[Tensor, Tensor]] = {}

    def call(self, args: tuple, kwargs: dict[str, Any]) -> tuple[tuple, dict[str, Any], list[Tensor]]:
        """The arguments of a function with stand-ins, and all tensors among them."""
        self._pending.clear()
        found: list[Tensor] = []
        args = self._replace(args, found)
        if kwargs:
            values = tuple(kwargs.values())
            fresh = self._replace(values, found)
            if fresh is not values:
                kwargs = dict(zip(kwargs, fresh, strict=True))
        return args, kwargs, found

    def inner_call(self, args: tuple, kwargs: dict[str, Any]) -> tuple[tuple, dict[str, Any]]:
        """The same for an operation inside the function that was called last."""
        return self._replace(args, []), dict(zip(kwargs, self._replace(tuple(kwargs.values()), []), strict=True))

    def new_params(self) -> int:
        """Size of the parameters that the last call was the first to use."""
        return sum([self._unused.pop(name, 0) for name in self._pending]) if self._pending else 0

    def claim(self, parameters: Iterable[Tensor | None]) -> int:
        """Size of those of ``parameters`` that nothing has used; from now on they are used."""
        return sum([self._unused.pop(id(parameter), 0) for parameter in parameters])

    def _replace(self, values: Any, found: list[Tensor]) -> Any:
        changed = None
        for position, value in enumerate(values):
            if type(value) in PLAIN:
                continue
            if isinstance(value, Tensor):
                if id(value) in self._unused:
                    self._pending.append(id(value))
                fresh = value if value.is_meta else self._stand_in(value)
                found.append(fresh)
            elif isinstance(value, list | tuple):
                fresh = self._replace(value, found)
            else:
                continue
            if fresh is not value:
                changed = changed or list(values)
                changed[position] = fresh
        if changed is None or isinstance(values, list):
            return changed or values
        return type(values)(*changed) if hasattr(values, "_fields") else tuple(changed)

    def _stand_in(self, tensor: Tensor) -> Tensor:
        known = self._known.get(id(tensor))
        if known is None:
            fresh = torch.empty_strided(tensor.shape, tensor.stride(), dtype=tensor.dtype, device="meta")
            known = self._known[id(tensor)] = (tensor, fresh)  # the original is kept, so that its id stays its own
        return known[1]
