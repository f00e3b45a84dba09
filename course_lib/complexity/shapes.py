"""A pass on shapes alone: functions run on the meta device, and those of constants for real while they are small."""

from __future__ import annotations

import contextlib
from typing import Any

import torch
from torch import Tensor, nn

from course_lib.complexity.aten import AtenCounter
from course_lib.complexity.constants import Constants, NeedsValuesError, grows
from course_lib.complexity.counts import Rules
from course_lib.complexity.functions import LIKES, VALUES, Kind
from course_lib.complexity.stand_ins import Arguments, StandIns
from course_lib.complexity.tracer import UNSEEN, Tracer


class ShapeTracer(Tracer):
    """While active, every torch function of a forward pass is counted, and runs on the meta device."""

    arguments: StandIns

    def __init__(
        self,
        names: dict[nn.Module, str],
        parameters: list[Tensor],
        owned: set[int],
        trainable: frozenset[int],
        rules: Rules,
        device: torch.device,
    ) -> None:
        """``owned``: ids of the tensors that the model holds; ``device``: where it says that its tensors are."""
        self._constants = Constants()
        super().__init__(names, StandIns(parameters, owned, trainable, self._constants), trainable, rules)
        self._device = device
        self._has_transformed = self._has_graph = False
        self._values = Arguments((), trainable)  # of functions of constants

    def _answer(self, kind: Kind, func, args: tuple, kwargs: dict[str, Any]) -> Any:
        name = kind.name
        if name == "device":
            return self._device
        if name in ("is_meta", "is_cpu", "is_cuda"):
            return name == f"is_{self._device.type}"
        if name == "get_device":
            return -1 if self._device.index is None else self._device.index
        if name in VALUES and name != "set_grad_enabled":
            tensor = args[0]
            if isinstance(tensor, Tensor) and (tensor.is_meta or self._constants.has_lost(tensor)):
                raise NeedsValuesError(f"it asks a tensor for its values, by {func.__name__}")
        return super()._answer(kind, func, args, kwargs)

    def _function(self, kind: Kind, func, args: tuple, kwargs: dict[str, Any]) -> Any:
        arguments = self.arguments
        fresh_args, fresh_kwargs, sources = arguments.call(args, kwargs)
        if not arguments.depends:
            if kind.makes and not sources:
                output = self._constants.make(func, args, kwargs)
                return self._booked(kind, args, kwargs, output, sources)
            if sources and self._constants.may_compute(kind, arguments.real, kwargs):
                return self._computed(kind, func, args, kwargs)
            fresh_args, fresh_kwargs, sources = arguments.without_values(args, kwargs)
        args, kwargs, first = fresh_args, fresh_kwargs, args[0] if args else None
        if kind.in_place and isinstance(first, Tensor) and args[0] is not first:
            self._constants.lose(first, args[0])
        if kind.name == "requires_grad":
            self._has_graph = True  # the model takes gradients itself: nothing may be left out
        output = kind.shortcut(args, kwargs) if kind.shortcut is not None and not self._has_graph else None
        if output is not None:
            return self._booked(kind, args, kwargs, output, sources, ())  # a shortcut makes no views
        if kind.moves:
            return self._booked(kind, args, kwargs, _move(args, kwargs), sources)
        if kind.name in LIKES:
            output = self._constants.like(kind, func(*args, **_without_device(kwargs)))
            return self._booked(kind, args, kwargs, output, [])
        return self._counted(kind, func, args, _without_device(kwargs) if "device" in kwargs else kwargs, sources)

    def _computed(self, kind: Kind, func, args, kwargs) -> Any:
        """A function of constants, for real; its shape is tried first where it could be large."""
        real = list(self.arguments.real)
        if kind.moves:
            output = _move(args, kwargs)
        else:
            if grows(kind, real):
                with contextlib.suppress(Exception), torch.no_grad():
                    stand_args, stand_kwargs, sources = self.arguments.without_values(args, kwargs)
                    output = func(*stand_args, **stand_kwargs)
                    if self._constants.is_large(output):
                        return self._counted(kind, func, stand_args, stand_kwargs, sources)
            kwargs = _without_device(kwargs)
            if not kind.known:
                with AtenCounter(self._values, self.memory, self._rules, grad=False) as counter:
                    output = func(*args, **kwargs)
                self._constants.own(output, real)
                return self._booked(kind, args, kwargs, output, real, real, counter)
            output = func(*args, **kwargs)
        self._constants.own(output, real)
        return self._booked(kind, args, kwargs, output, real)

    def attention(self, call, args: tuple, kwargs: dict[str, Any]) -> Any:
        """Attention within a layer, in one piece as on a CPU; without values torch would take it apart."""
        counter = self._inside
        rate = args[4] if len(args) > 4 else kwargs.get("dropout_p", 0.0)
        if counter is None or rate or len(args) < 3 or args[0].dim() != 4 or args[0].shape[-1] != args[2].shape[-1]:
            return call(*args, **kwargs)
        args, kwargs = self.arguments.inner_call(args[:3], {})
        query = args[0]
        output = torch.empty_like(query)  # which lies in memory as the query does
        counter.attend(args, kwargs, output)
        return output

    def _inside_transform(self, func, args, kwargs):
        self.arguments.call(args, kwargs)
        self._has_transformed = True
        if self.arguments.depends:
            return super()._inside_transform(func, args, kwargs)
        return func(*args, **_without_device(kwargs))  # of masks, as a rule: nothing to count

    def _unseen(self, strangers: list[Tensor]) -> tuple[str, ...]:
        """A tensor that nothing has shown to be made comes from code that torch does not see: an extension in C."""
        found: tuple[str, ...] = ()
        for tensor in strangers:
            if not self.arguments.stands_in(tensor) and not self.memory.knows(tensor):
                self.memory.watch(tensor)
                found = found if self._has_transformed else (UNSEEN,)
        return found


def _move(args: tuple, kwargs: dict[str, Any]) -> Tensor:
    """``x.to(...)`` and its like: the kind of number may change, the device stays."""
    tensor, given = args[0], (*args[1:], *kwargs.values())
    dtypes = [value.dtype if isinstance(value, Tensor) else value for value in given]
    dtypes = [value for value in dtypes if isinstance(value, torch.dtype)]
    return tensor.to(dtypes[0]) if dtypes else tensor


def _without_device(kwargs: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in kwargs.items() if name != "device"} if "device" in kwargs else kwargs
