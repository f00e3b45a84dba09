"""Stand-ins: what is on another device gets a tensor of its shape on the meta device, where nothing is computed."""

from __future__ import annotations

import weakref
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor
from torch.nn import Parameter

from course_lib.complexity.constants import Constants
from course_lib.complexity.traces import Trace, mark, trace_of

PLAIN = frozenset({int, float, bool, str, type(None), torch.dtype, torch.device, slice})
TRAINED = Trace(None, (), needs_grad=True)


class Arguments:
    """The tensors among the arguments of a pass's functions, and which parameters have been used already."""

    def __init__(self, parameters: Iterable[Tensor], trainable: frozenset[int]) -> None:
        self.num_made_params = 0  # of parameters that the pass itself has made
        self._unused = {id(parameter): parameter.numel() for parameter in parameters}
        self._parameters: set[int] = set(self._unused)
        self._made: list[Tensor] = []  # kept, so that their ids stay their own
        self._trainable = trainable
        self._pending: list[int] = []  # parameters among the arguments of the last call

    def call(self, args: tuple, kwargs: dict[str, Any]) -> tuple[tuple, dict[str, Any], list[Tensor]]:
        """The arguments of a function, and all tensors among them."""
        self._pending.clear()
        found: list[Tensor] = []
        self._gather(args, found)
        if kwargs:
            self._gather(tuple(kwargs.values()), found)
        return args, kwargs, found

    def inner_call(self, args: tuple, kwargs: dict[str, Any]) -> tuple[tuple, dict[str, Any]]:
        """The same for an operation inside the function that was called last."""
        return args, kwargs

    def needs_grad(self, tensor: Any) -> bool:
        """Whether a gradient is computed for ``tensor`` in training."""
        if not isinstance(tensor, Tensor):
            return False
        trace = trace_of(tensor)
        return trace.needs_grad if trace is not None else id(tensor) in self._trainable

    def new_params(self) -> int:
        """Size of the parameters that the last call was the first to use."""
        return sum([self._unused.pop(name, 0) for name in self._pending]) if self._pending else 0

    def claim(self, parameters: Iterable[Tensor | None]) -> int:
        """Size of those of ``parameters`` that nothing has used; from now on they are used."""
        return sum([self._unused.pop(id(parameter), 0) for parameter in parameters])

    def _is_parameter(self, tensor: Tensor) -> bool:
        """Whether ``tensor`` is one; it is noted as used by this call, and one that the pass has made joins them."""
        name = id(tensor)
        if name not in self._parameters:
            if type(tensor) is not Parameter:
                return False
            self._parameters.add(name)
            self._made.append(tensor)
            self._unused[name] = tensor.numel()
            self.num_made_params += tensor.numel()
        self._pending.append(name)
        return True

    def _gather(self, values: Any, found: list[Tensor]) -> None:
        for value in values:
            if isinstance(value, Tensor):
                self._is_parameter(value)
                found.append(value)
            elif isinstance(value, list | tuple):
                self._gather(value, found)


class StandIns(Arguments):
    """Arguments of a pass on shapes alone.

    Attributes:
        depends: whether the last call takes something without values: of the input, or a parameter.
        real: the tensors with values among the arguments of the last call, those of parameters aside.
    """

    def __init__(
        self, parameters: Iterable[Tensor], owned: set[int], trainable: frozenset[int], constants: Constants
    ) -> None:
        """``owned``: ids of the tensors that the model holds."""
        super().__init__(parameters, trainable)
        self.depends = self._deferred = False
        self.real: list[Tensor] = []
        self._owned = owned
        self._standing: set[int] = set()
        self._known: dict[int, tuple[Any, Tensor]] = {}
        self._constants = constants

    def call(self, args: tuple, kwargs: dict[str, Any]) -> tuple[tuple, dict[str, Any], list[Tensor]]:
        """The arguments of a function, with stand-ins if it depends on what has no values; all tensors among them."""
        self._pending.clear()
        self.real.clear()
        self.depends = self._deferred = False
        found: list[Tensor] = []
        fresh = self._replace(args, found)
        if kwargs:
            values = tuple(kwargs.values())
            replaced = self._replace(values, found)
            if replaced is not values:
                kwargs = dict(zip(kwargs, replaced, strict=True))
        if self.depends and self._deferred:
            return self.without_values(fresh, kwargs)
        return fresh, kwargs, found

    def inner_call(self, args: tuple, kwargs: dict[str, Any]) -> tuple[tuple, dict[str, Any]]:
        """The same for an operation inside the function that was called last: nothing keeps its values."""
        args, kwargs, _ = self.without_values(args, kwargs)
        return args, kwargs

    def stands_in(self, tensor: Tensor) -> bool:
        """Whether ``tensor`` is the model's own, or stands in for another."""
        return id(tensor) in self._standing or id(tensor) in self._owned or id(tensor) in self._parameters

    def without_values(self, args: tuple, kwargs: dict[str, Any]) -> tuple[tuple, dict[str, Any], list[Tensor]]:
        """The arguments with stand-ins for all that has values, and the tensors among them."""
        found: list[Tensor] = []
        args = self._replace(args, found, everything=True)
        if kwargs:
            kwargs = dict(zip(kwargs, self._replace(tuple(kwargs.values()), found, everything=True), strict=True))
        return args, kwargs, found

    def _replace(self, values: Any, found: list[Tensor], *, everything: bool = False) -> Any:
        changed = None
        for position, value in enumerate(values):
            kind = type(value)
            if kind in PLAIN or (kind is tuple and PLAIN.issuperset(map(type, value))):
                continue
            if isinstance(value, Tensor):
                if value.is_meta:
                    self.depends = True
                    if not everything:
                        if id(value) in self._parameters:
                            self._pending.append(id(value))
                        elif kind is Parameter:
                            self._is_parameter(value)
                    found.append(value)
                    continue
                fresh = self._stand_in(value) if everything else self._fresh(value)
                found.append(fresh)
            elif isinstance(value, list | tuple):
                fresh = self._replace(value, found, everything=everything)
            else:
                continue
            if fresh is not value:
                changed = changed or list(values)
                changed[position] = fresh
        if changed is None or isinstance(values, list):
            return changed or values
        return type(values)(*changed) if hasattr(values, "_fields") else tuple(changed)

    def _fresh(self, value: Tensor) -> Tensor:
        """What goes in for a tensor with values, unless it turns out that the call takes constants alone."""
        known = self._known.get(id(value))
        if known is not None and id(value) in self._parameters:
            self._pending.append(id(value))
            self.depends = True
            return known[1]
        if self._is_parameter(value) or self._constants.has_lost(value):
            self.depends = True
        else:
            self.real.append(value)
            if id(value) not in self._owned:
                self._deferred = True
                return value
        return self._stand_in(value)

    def _stand_in(self, tensor: Tensor) -> Tensor:
        known = self._known.get(id(tensor))
        if known is None or known[0]() is not tensor:
            heir = self._constants.heir(tensor)
            fresh = torch.empty_strided(tensor.shape, tensor.stride(), dtype=tensor.dtype, device="meta")
            trace = trace_of(tensor if heir is None else heir)
            if id(tensor) in self._trainable:
                mark((fresh,), TRAINED)
            elif trace is not None:
                mark((fresh,), Trace(trace.field if heir is None else None, trace.rows, trace.needs_grad))
            self._standing.add(id(fresh))
            known = self._known[id(tensor)] = (weakref.ref(tensor), fresh)
        return known[1]
