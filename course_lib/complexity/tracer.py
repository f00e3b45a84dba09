"""Follows one forward pass, on shapes alone or on values, and writes a row for each call."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves

from course_lib.complexity.aten import AtenCounter
from course_lib.complexity.counts import Rules
from course_lib.complexity.fields import input_field, shown
from course_lib.complexity.functions import Kind, classify
from course_lib.complexity.kept import RECURRENT, WINDOWS, backward_macs, keep, recurrent_bytes
from course_lib.complexity.memory import Memory
from course_lib.complexity.rows import MODEL_INPUT, Row, Shape
from course_lib.complexity.stand_ins import Arguments
from course_lib.complexity.traces import Trace, derive, mark, mark_row, rows_of, trace_of

NOTHING: tuple[()] = ()
UNSEEN = "an operation that torch does not show"


@dataclass(slots=True)
class Frame:
    """A module whose forward is running, or a function, and what it has cost so far."""

    module: nn.Module
    name: str
    is_leaf: bool  # what it calls has no rows of its own
    is_inside: bool  # a leaf
    input_shapes: tuple[Shape, ...]
    num_calls: int = 0  # of functions
    macs: int = 0
    backward_macs: int = 0
    params: int = 0
    activation_bytes: int = 0
    not_counted: tuple[str, ...] = ()

    def add(self, other: Frame | AtenCounter) -> None:
        """Book what was counted inside to this one."""
        self.num_calls += 1
        self.macs += other.macs
        self.backward_macs += other.backward_macs
        self.not_counted += tuple(other.not_counted)
        if isinstance(other, Frame):
            self.params += other.params
            self.activation_bytes += other.activation_bytes


class Tracer(TorchFunctionMode):
    """While active, every torch function of a forward pass is counted.

    This one runs them as they are, on tensors with values; ``shapes.ShapeTracer`` runs them on the meta device.
    """

    def __init__(
        self, names: dict[nn.Module, str], arguments: Arguments, trainable: frozenset[int], rules: Rules
    ) -> None:
        """``names``: of all modules, the model first; ``trainable``: the parameters that get gradients, by id."""
        super().__init__()
        model = next(iter(names))
        self.rows: list[Row] = []
        self.frames = [Frame(model, type(model).__name__, is_leaf=False, is_inside=False, input_shapes=())]
        self.memory = Memory()
        self.grad = True  # what the model's own code has asked for
        self.arguments = arguments
        self._thread = threading.get_ident()
        self._names = names
        self._trainable = trainable
        self._rules = rules
        self._kinds: dict[Any, Kind] = {}
        self._inside: AtenCounter | None = None  # a function that is looked into

    def admit(self, tensor: Tensor) -> None:
        """Take ``tensor`` as an input of the model."""
        self.memory.watch(tensor)
        mark([tensor], Trace(input_field(tensor), (MODEL_INPUT,)))

    # Modules: torch calls these around every forward, in every thread.

    def enter(self, module: nn.Module, args: tuple) -> None:
        """A module's forward begins."""
        if threading.get_ident() == self._thread:
            with torch._C.DisableTorchFunction():  # what is asked here is no part of the model
                name = self._names.get(module) or type(module).__name__
                outer = self.frames[-1]
                inside = outer.is_leaf and bool(outer.is_inside or outer.module._modules)
                self.frames.append(Frame(module, name, inside or self._is_leaf(module), inside, _shapes(args)))

    def leave(self, module: nn.Module, args: tuple, kwargs: dict[str, Any], output: Any) -> None:
        """A module's forward has ended: a module without parts becomes a row."""
        if threading.get_ident() == self._thread:
            with torch._C.DisableTorchFunction():
                self._leave(module, args, kwargs, output)

    def _is_leaf(self, module: nn.Module) -> bool:
        if not module._modules or isinstance(module, nn.MultiheadAttention | torch.jit.ScriptModule):
            return True
        return bool(self._rules) and type(module) in self._rules

    def _leave(self, module: nn.Module, args: tuple, kwargs: dict[str, Any], output: Any) -> None:
        frame = self.frames.pop()
        while frame.module is not module:  # left by an exception that the model has caught
            frame = self.frames.pop()
        if frame.is_inside:
            self.frames[-1].add(frame)
            return
        if frame.is_leaf:
            owned = module.parameters() if module._modules else module._parameters.values()
            frame.params += self.arguments.claim(owned)
        elif not (frame.params or frame.macs or frame.not_counted):  # else: what no function's row has taken
            return
        if kwargs:
            frame.input_shapes = _shapes((args, kwargs))
        outputs = tensors_in(output)
        if self._rules and type(module) in self._rules:
            frame.macs, frame.not_counted = int(self._rules[type(module)](module, args, output)), NOTHING
            frame.backward_macs = 2 * frame.macs
        if frame.num_calls or type(module) is not nn.Sequential:  # which is empty
            if not rows_of(outputs) and (source_rows := rows_of(tensors_in((args, kwargs)))):
                trains = self.grad and any(id(parameter) in self._trainable for parameter in module.parameters())
                mark(outputs, Trace(None, source_rows, trains))  # through what leaves no trace, such as a transform
            self._write(frame, type(module).__name__, outputs)
            if frame.is_leaf and frame.num_calls:
                mark_row(outputs, len(self.rows) - 1)

    # Functions: torch hands every call over before it runs.

    def __torch_function__(self, func, types, args=(), kwargs=None):
        """Run one function, count it, and note what its output sees and takes."""
        kind = self._kinds.get(func)
        if kind is None:
            kind = self._kinds[func] = classify(func, self._rules)
        kwargs = kwargs or {}
        if kind.asks:
            if kind.careful:
                return self._answer(kind, func, args, kwargs)
            return func(*args, **kwargs)
        if torch._C._functorch.peek_interpreter_stack() is not None:
            return self._inside_transform(func, args, kwargs)
        return self._function(kind, func, args, kwargs)

    def _answer(self, kind: Kind, func, args: tuple, kwargs: dict[str, Any]) -> Any:
        if kind.name == "set_grad_enabled":
            self.grad = bool(args[0])
        return func(*args, **kwargs)

    def _function(self, kind: Kind, func, args: tuple, kwargs: dict[str, Any]) -> Any:
        args, kwargs, sources = self.arguments.call(args, kwargs)
        return self._counted(kind, func, args, kwargs, sources)

    def _counted(self, kind: Kind, func, args: tuple, kwargs: dict[str, Any], sources: list[Tensor]) -> Any:
        """Run a function as it is, with a look inside unless a rule knows it."""
        if kind.known:
            output = func(*args, **kwargs)
            return self._booked(kind, args, kwargs, output, sources)
        before, kept = self._inside, self.memory.kept_bytes
        with self._counter() as counter:
            self._inside = counter
            try:
                output = func(*args, **kwargs)
            finally:
                self._inside = before
        if kind.name in RECURRENT and self.memory.kept_bytes > kept:
            self.memory.kept_bytes = kept + recurrent_bytes(kind.name, sources, output)
        return self._booked(kind, args, kwargs, output, sources, sources, counter)

    def attention(self, call, args: tuple, kwargs: dict[str, Any]) -> Any:
        """Attention that a function of torch's calls within: on values as it is."""
        return call(*args, **kwargs)

    def _unseen(self, strangers: list[Tensor]) -> tuple[str, ...]:  # noqa: ARG002
        """What made ``strangers``, where nothing has shown it."""
        return NOTHING

    def _counter(self) -> AtenCounter:
        return AtenCounter(self.arguments, self.memory, self._rules, grad=self.grad)

    def _booked(self, kind, args, kwargs, output, sources, viewed=None, counter=None) -> Any:
        """Book what a function has cost; ``viewed``: the tensors that its output may be a view of."""
        macs = backward = 0
        not_counted = NOTHING
        if counter is not None:
            macs, backward, not_counted = counter.macs, counter.backward_macs, tuple(counter.not_counted)
        elif kind.rule is not None:
            macs = int(kind.rule(args, kwargs, output))
        tensors = [output] if type(output) is Tensor else tensors_in(args[0] if kind.name == "setitem" else output)
        watch, viewed = self.memory.watch, sources if viewed is None else viewed
        fresh = watch(output, viewed) if type(output) is Tensor else sum([watch(tensor, viewed) for tensor in tensors])
        strangers: list[Tensor] = []
        trace = derive(kind, args, kwargs, tensors[0], sources, self._trainable, strangers) if tensors else None
        if strangers:
            not_counted += self._unseen(strangers)
        if trace is not None:
            if trace.needs_grad:
                if not self.grad:
                    trace = Trace(trace.field, trace.rows)
                elif counter is None:
                    needs_grad = self.arguments.needs_grad
                    keep(
                        self.memory,
                        kind.name,
                        args,
                        kwargs,
                        tensors[0],
                        needs_grad,
                        kind.in_place or bool(kwargs.get("inplace")),
                    )
                    if macs:
                        backward = backward_macs(kind.name, macs, args, kwargs, needs_grad)
            mark(tensors, trace)
        if kind.name in WINDOWS and tensors:
            self.memory.touch(tensors[0].numel() * 8)
        self._note(kind, args, kwargs, tensors, macs, backward, fresh, not_counted)
        return output

    def _inside_transform(self, func, args, kwargs):
        """Inside ``torch.vmap`` and its like, tensors hide their batch: count the operations that see it."""
        args, kwargs, _ = self.arguments.call(args, kwargs)
        with self._counter() as counter:
            output = func(*args, **kwargs)
        self.frames[-1].add(counter)
        self.frames[-1].params += self.arguments.new_params()
        return output

    def script(self, call, script: Any, args: tuple, kwargs: dict[str, Any]) -> Any:
        """A scripted or traced function or method: torch shows the operations inside it alone."""
        with torch._C.DisableTorchFunction():
            args, kwargs, sources = self.arguments.call(args, kwargs)
            kind = Kind(getattr(script, "name", "script"))
            with self._counter() as counter:
                output = call(script, *args, **kwargs)
            return self._booked(kind, args, kwargs, output, sources, sources, counter)

    def _note(self, kind, args, kwargs, tensors, macs, backward, fresh, not_counted) -> None:
        """Book one function: to the layer that it belongs to, or to a row of its own."""
        frame = self.frames[-1]
        frame.num_calls += 1
        frame.params += self.arguments.new_params()
        if frame.is_leaf:
            frame.macs += macs
            frame.backward_macs += backward
            frame.activation_bytes += fresh
            frame.not_counted += not_counted
        elif tensors and (macs or not_counted or fresh or not kind.silent):
            name = kind.name if frame.module is self.frames[0].module else f"{frame.name}.{kind.name}"
            shapes = _shapes((args, kwargs))
            own = Frame(frame.module, name, True, False, shapes, 1, macs, backward, frame.params, fresh, not_counted)
            frame.params = 0
            self._write(own, kind.name, tensors)
            mark_row(tensors, len(self.rows) - 1)

    def _write(self, frame: Frame, kind: str, outputs: list[Tensor]) -> None:
        """Write a row of what ``frame`` has gathered."""
        trace = trace_of(outputs[0]) if outputs else None
        self.rows.append(
            Row(
                frame.name,
                kind,
                frame.input_shapes,
                tuple(outputs[0].shape) if outputs else (),
                frame.params,
                None if frame.not_counted and not frame.macs else frame.macs,
                frame.activation_bytes,
                shown(trace.field) if trace else None,
                rows_of(outputs),
                frame.not_counted,
                frame.backward_macs,
            )
        )


def tensors_in(value: Any) -> list[Tensor]:
    """All tensors in any structure of tuples, lists, dicts and dataclasses."""
    if isinstance(value, Tensor):
        return [value]
    if type(value) is tuple and all(type(part) is Tensor for part in value):
        return list(value)
    found = []
    for leaf in tree_leaves(value):
        if isinstance(leaf, Tensor):
            found.append(leaf)
        elif hasattr(leaf, "__dataclass_fields__") and not isinstance(leaf, type):
            found += tensors_in(list(vars(leaf).values()) if hasattr(leaf, "__dict__") else [])
    return found


def _shapes(value: Any) -> tuple[Shape, ...]:
    if type(value) is tuple and len(value) == 1 and type(value[0]) is Tensor:  # as most layers are called
        return (tuple(value[0].shape),) if value[0].dim() else ()
    return tuple(tuple(tensor.shape) for tensor in tensors_in(value) if tensor.dim() > 0)
