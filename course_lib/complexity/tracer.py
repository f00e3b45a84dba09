"""Follows one forward pass on shapes alone, and writes a row for each call."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves

from course_lib.complexity.aten import AtenCounter
from course_lib.complexity.fields import INPUT_PIXEL
from course_lib.complexity.functions import Kind, classify
from course_lib.complexity.memory import Memory
from course_lib.complexity.rows import MODEL_INPUT, Row, Shape
from course_lib.complexity.stand_ins import StandIns
from course_lib.complexity.traces import Trace, derive, mark, mark_row, rows_of, trace_of

NOTHING: tuple[()] = ()


@dataclass(slots=True)
class Frame:
    """A module whose forward is running, or a function, and what it has cost so far."""

    module: nn.Module
    name: str
    is_leaf: bool
    input_shapes: tuple[Shape, ...]
    num_calls: int = 0  # of functions
    macs: int = 0
    params: int = 0
    activation_bytes: int = 0
    not_counted: tuple[str, ...] = ()


class Tracer(TorchFunctionMode):
    """While active, every torch function of a forward pass is counted, and runs on the meta device."""

    def __init__(self, names: dict[nn.Module, str], parameters: Iterable[Tensor]):
        """``names``: of all modules, the model first; ``parameters``: of all of them."""
        super().__init__()
        model = next(iter(names))
        self.rows: list[Row] = []
        self.frames = [Frame(model, type(model).__name__, is_leaf=False, input_shapes=())]
        self.memory = Memory()
        self._thread = threading.get_ident()
        self._names = names
        self._stand_ins = StandIns(parameters)
        self._kinds: dict[Any, Kind] = {}

    def admit(self, tensor: Tensor) -> None:
        """Take ``tensor`` as an input of the model."""
        self.memory.watch(tensor)
        mark([tensor], Trace(INPUT_PIXEL if tensor.dim() == 4 else None, (MODEL_INPUT,)))

    # Modules: torch calls these around every forward, in every thread.

    def enter(self, module: nn.Module, args: tuple) -> None:
        """A module's forward begins."""
        if threading.get_ident() == self._thread:
            with torch._C.DisableTorchFunction():  # what is asked here is no part of the model
                is_leaf = not module._modules or isinstance(module, nn.MultiheadAttention)
                name = self._names.get(module) or type(module).__name__
                self.frames.append(Frame(module, name, is_leaf, _shapes(args)))

    def leave(self, module: nn.Module, args: tuple, kwargs: dict[str, Any], output: Any) -> None:
        """A module's forward has ended: a module without parts becomes a row."""
        if threading.get_ident() == self._thread:
            with torch._C.DisableTorchFunction():
                self._leave(module, args, kwargs, output)

    def _leave(self, module: nn.Module, args: tuple, kwargs: dict[str, Any], output: Any) -> None:
        frame = self.frames.pop()
        while frame.module is not module:  # left by an exception that the model has caught
            frame = self.frames.pop()
        if frame.is_leaf:
            owned = module.parameters() if module._modules else module._parameters.values()
            frame.params += self._stand_ins.claim(owned)
        elif not (frame.params or frame.macs or frame.not_counted):  # else: what no function's row has taken
            return
        if kwargs:
            frame.input_shapes = _shapes((args, kwargs))
        if frame.num_calls or type(module) is not nn.Sequential:  # which is empty
            outputs = tensors_in(output)
            if not rows_of(outputs) and (source_rows := rows_of(tensors_in(args))):
                mark(outputs, Trace(None, source_rows))  # through what leaves no trace, such as a transform
            self._write(frame, type(module).__name__, outputs)
            if frame.is_leaf and frame.num_calls:
                mark_row(outputs, len(self.rows) - 1)

    # Functions: torch hands every call over before it runs.

    def __torch_function__(self, func, types, args=(), kwargs=None):
        """Run one function on shapes alone, count it, and note what its output sees and takes."""
        kind = self._kinds.get(func)
        if kind is None:
            kind = self._kinds[func] = classify(func)
        kwargs = kwargs or {}
        if kind.asks:
            return func(*args, **kwargs)
        args, kwargs, sources = self._stand_ins.call(args, kwargs)
        if torch._C._functorch.peek_interpreter_stack() is not None:
            return self._inside_transform(func, args, kwargs)
        macs, not_counted, viewed = 0, NOTHING, sources
        output = kind.shortcut(args, kwargs) if kind.shortcut is not None else None
        if output is not None:
            viewed = NOTHING  # a shortcut makes no views
        elif kind.moves:
            output = _move(args, kwargs)
        elif kind.known:
            output = func(*args, **kwargs)
        else:
            with AtenCounter(self._stand_ins) as counter:
                output = func(*args, **kwargs)
            macs, not_counted = counter.macs, tuple(counter.not_counted)
        if kind.rule is not None:
            macs = kind.rule(args, kwargs, output)
        tensors = [output] if type(output) is Tensor else tensors_in(args[0] if kind.name == "setitem" else output)
        fresh = sum([self.memory.watch(tensor, viewed) for tensor in tensors])
        trace = derive(kind, args, kwargs, tensors[0], sources) if tensors else None
        if trace is not None:
            mark(tensors, trace)
        self._note(kind, args, kwargs, tensors, macs, fresh, not_counted)
        return output

    def _inside_transform(self, func, args, kwargs):
        """Inside ``torch.vmap`` and its like, tensors hide their batch: count the operations that see it."""
        with AtenCounter(self._stand_ins) as counter:
            output = func(*args, **kwargs)
        frame = self.frames[-1]
        frame.num_calls += 1
        frame.params += self._stand_ins.new_params()
        frame.macs += counter.macs
        frame.not_counted += tuple(counter.not_counted)
        return output

    def _note(self, kind, args, kwargs, tensors, macs, fresh, not_counted) -> None:
        """Book one function: to the layer that it belongs to, or to a row of its own."""
        frame = self.frames[-1]
        frame.num_calls += 1
        frame.params += self._stand_ins.new_params()
        if frame.is_leaf:
            frame.macs += macs
            frame.activation_bytes += fresh
            frame.not_counted += not_counted
        elif tensors and (macs or not_counted or fresh or not kind.silent):
            name = kind.name if frame.module is self.frames[0].module else f"{frame.name}.{kind.name}"
            own = Frame(frame.module, name, True, _shapes((args, kwargs)), 1, macs, frame.params, fresh, not_counted)
            frame.params = 0
            self._write(own, kind.name, tensors)
            mark_row(tensors, len(self.rows) - 1)

    def _write(self, frame: Frame, kind: str, outputs: list[Tensor]) -> None:
        """Write a row of what ``frame`` has gathered."""
        trace = trace_of(outputs[0]) if outputs else None
        self.rows.append(
            Row(
                name=frame.name,
                type=kind,
                input_shapes=frame.input_shapes,
                output_shape=tuple(outputs[0].shape) if outputs else (),
                params=frame.params,
                macs=None if frame.not_counted and not frame.macs else frame.macs,
                activation_bytes=frame.activation_bytes,
                receptive_field=trace.field if trace else None,
                inputs=rows_of(outputs),
                not_counted=frame.not_counted,
            )
        )


def _move(args: tuple, kwargs: dict[str, Any]) -> Tensor:
    """``x.to(...)`` and its like: the kind of number may change, the device stays."""
    tensor, given = args[0], (*args[1:], *kwargs.values())
    dtypes = [value.dtype if isinstance(value, Tensor) else value for value in given]
    dtypes = [value for value in dtypes if isinstance(value, torch.dtype)]
    return tensor.to(dtypes[0]) if dtypes else tensor


def tensors_in(value: Any) -> list[Tensor]:
    """All tensors in any structure of tuples, lists and dicts."""
    if isinstance(value, Tensor):
        return [value]
    if type(value) is tuple and all(type(part) is Tensor for part in value):
        return list(value)
    return [leaf for leaf in tree_leaves(value) if isinstance(leaf, Tensor)]


def _shapes(value: Any) -> tuple[Shape, ...]:
    if type(value) is tuple and len(value) == 1 and type(value[0]) is Tensor:  # as most layers are called
        return (tuple(value[0].shape),) if value[0].dim() else ()
    return tuple(tuple(tensor.shape) for tensor in tensors_in(value) if tensor.dim() > 0)
