"""One forward pass under a tracer, and the model as it was afterwards."""

from __future__ import annotations

import contextlib
import sys
import threading
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook

from course_lib.complexity.constants import CPU, META
from course_lib.complexity.counts import Rules
from course_lib.complexity.errors import explain
from course_lib.complexity.inputs import Inputs
from course_lib.complexity.meta import Unswept
from course_lib.complexity.rows import Complexity
from course_lib.complexity.shapes import ShapeTracer
from course_lib.complexity.stand_ins import Arguments
from course_lib.complexity.state import State
from course_lib.complexity.tracer import Tracer, tensors_in
from course_lib.complexity.traces import rows_of

ATTENTION = F.scaled_dot_product_attention


class PassError(Exception):
    """A pass has failed; ``cause`` is what the model raised."""

    def __init__(self, message: str, cause: Exception) -> None:
        super().__init__(message)
        self.cause = cause


@dataclass(frozen=True)
class Contents:
    """A model without what compiles it or spreads it over devices, its modules' names, its parameters, each once."""

    model: nn.Module
    names: dict[nn.Module, str]
    parameters: list[Tensor]

    @classmethod
    def of(cls, model: Any) -> Contents:
        """Look into ``model``.

        Raises:
            ValueError: it is none.
        """
        if not isinstance(model, nn.Module):
            raise ValueError(f"model must be a torch.nn.Module, got {type(model).__name__}")
        model = getattr(model, "_orig_mod", model)
        if isinstance(model, nn.DataParallel | nn.parallel.DistributedDataParallel):
            model = model.module
        names = {module: name for name, module in model.named_modules()}
        parameters = {}
        for module in names:
            for parameter in module._parameters.values():
                if parameter is not None:
                    parameters[id(parameter)] = parameter
        return cls(model, names, list(parameters.values()))

    @property
    def dtype(self) -> torch.dtype:
        """Of the first floating parameter."""
        floating = (parameter.dtype for parameter in self.parameters if parameter.is_floating_point())
        return next(floating, torch.get_default_dtype())

    @property
    def device(self) -> torch.device:
        """Of the first parameter or buffer."""
        if self.parameters:
            return self.parameters[0].device
        return next((buffer.device for buffer in self.model.buffers()), CPU)


def run_pass(
    contents: Contents, given: Inputs, *, training: bool, rules: Rules, reason: str | None = None
) -> Complexity:
    """Count one forward pass, on shapes alone, or on values for some ``reason``.

    Raises:
        PassError: the model fails.
    """
    values, names, parameters = reason is not None, contents.names, contents.parameters
    trainable = frozenset(id(parameter) for parameter in parameters if parameter.requires_grad)
    device = CPU if contents.device == META else contents.device
    with _as_it_was(names, parameters, training, values=values) as state:
        tracer: Tracer
        if values:
            tracer = Tracer(names, Arguments(parameters, trainable), trainable, rules)
        else:
            tracer = ShapeTracer(names, parameters, state.tensors, trainable, rules, device)
        args, kwargs, tensors = given.tensors(device, values=values)
        with torch.enable_grad(), _seen(tracer), _as_written(names, values), _plain_kernels(values):
            try:
                with tracer:
                    for tensor in tensors:
                        tracer.admit(tensor)
                    output = contents.model(*args, **kwargs)
            except Exception as error:
                raise PassError(explain(tracer, error, values=values), error) from error
        outputs = rows_of(tensors_in(output))
        made = tracer.arguments.num_made_params
    return Complexity(
        rows=tuple(tracer.rows),
        input_shapes=tuple(leaf.shape for leaf in given.leaves),
        outputs=outputs,
        params=sum([parameter.numel() for parameter in parameters]) + made,
        trainable_params=sum([parameter.numel() for parameter in parameters if parameter.requires_grad]) + made,
        param_bytes=sum([_bytes(parameter) for parameter in parameters]),
        trainable_bytes=sum([_bytes(parameter) for parameter in parameters if parameter.requires_grad]),
        buffer_bytes=sum(_bytes(buffer) for buffer in contents.model.buffers()),
        peak_activation_bytes=tracer.memory.peak_bytes,
        activation_bytes=tracer.memory.total_bytes,
        training_activation_bytes=tracer.memory.kept_bytes,
        ran_on="values" if values else "shapes",
        reason=reason,
    )


@contextlib.contextmanager
def _as_it_was(
    modules: dict[nn.Module, str], parameters: list[Tensor], training: bool, *, values: bool
) -> Iterator[State]:
    """Training or evaluation mode for a while, and no gradients; then all that the pass could reach as it was."""
    Unswept.begin()
    state = State(modules, values=values)
    trained = [parameter for parameter in parameters if parameter.requires_grad]
    scripts = [
        (module, getattr(module, "training", False)) for module in modules if isinstance(module, torch.jit.ScriptModule)
    ]
    try:
        for module in modules:
            vars(module)["training"] = training
        for module, _ in scripts:
            _set_mode(module, training)
        for parameter in trained:
            parameter.requires_grad_(False)
        yield state
    finally:
        for parameter in trained:
            parameter.requires_grad_(True)
        state.restore()
        for module, mode in scripts:
            _set_mode(module, mode)
        Unswept.end()


def _set_mode(module: torch.jit.ScriptModule, training: bool) -> None:
    with contextlib.suppress(RuntimeError):  # a frozen script has no mode
        module._c.setattr("training", training)


@contextlib.contextmanager
def _seen(tracer: Tracer) -> Iterator[None]:
    """Tell the tracer of every module's forward, without a hook on the model itself, and of every script."""
    handles = [
        register_module_forward_pre_hook(tracer.enter),
        register_module_forward_hook(tracer.leave, with_kwargs=True),
    ]
    Scripts.begin(tracer)
    try:
        yield
    finally:
        Scripts.end()
        for handle in handles:
            handle.remove()


class Scripts:
    """While anyone analyzes, scripts tell the tracer of their thread when they are called, and attention in a layer."""

    lock = threading.Lock()
    users = 0
    here = threading.local()
    calls: ClassVar = {kind: kind.__call__ for kind in (torch._C.ScriptFunction, torch._C.ScriptMethod)}

    @classmethod
    def begin(cls, tracer: Tracer) -> None:
        """One more analyzes."""
        cls.here.tracers = [*getattr(cls.here, "tracers", ()), tracer]
        with cls.lock:
            cls.users += 1
            if cls.users == 1:
                for kind, call in cls.calls.items():
                    kind.__call__ = cls._telling(call)
                vars(F)["scaled_dot_product_attention"] = cls._attending

    @classmethod
    def end(cls) -> None:
        """One less analyzes; after the last, scripts are called as ever."""
        cls.here.tracers = cls.here.tracers[:-1]
        with cls.lock:
            cls.users -= 1
            if cls.users == 0:
                for kind, call in cls.calls.items():
                    kind.__call__ = call
                vars(F)["scaled_dot_product_attention"] = ATTENTION

    @classmethod
    def _attending(cls, *args: Any, **kwargs: Any) -> Any:
        tracers = getattr(cls.here, "tracers", ())
        return tracers[-1].attention(ATTENTION, args, kwargs) if tracers else ATTENTION(*args, **kwargs)

    @classmethod
    def _telling(cls, call: Any) -> Any:
        def tell(script: Any, *args: Any, **kwargs: Any) -> Any:
            tracers = getattr(cls.here, "tracers", ())
            return tracers[-1].script(call, script, args, kwargs) if tracers else call(script, *args, **kwargs)

        return tell


@contextlib.contextmanager
def _as_written(modules: Iterable[nn.Module], values: bool) -> Iterator[None]:
    """What ``torch.compile`` has wrapped inside the model runs as it was written."""
    is_used = values and "torch._dynamo" in sys.modules
    if not is_used and not any(
        "_orig_mod" in module._modules or module._compiled_call_impl is not None for module in modules
    ):
        yield
        return
    with torch.compiler.set_stance("force_eager"), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Using `torch.compile.module.` when there are global hooks")
        yield


@contextlib.contextmanager
def _plain_kernels(values: bool) -> Iterator[None]:
    """On values, recurrent layers run as the products that they are, not as one operation of a library."""
    if not values:
        yield
        return
    before = torch._C._get_mkldnn_enabled()
    torch._C._set_mkldnn_enabled(False)
    try:
        yield
    finally:
        torch._C._set_mkldnn_enabled(before)


def _bytes(tensor: Tensor) -> int:
    return tensor.numel() * tensor.element_size()
