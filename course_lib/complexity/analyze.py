"""``analyze``: the cost of a model's forward pass, found without computing it."""

from __future__ import annotations

import contextlib
import traceback
import warnings
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook
from torch.nn.parameter import is_lazy

from course_lib.complexity.rows import Complexity, Shape
from course_lib.complexity.tracer import Tracer, tensors_in
from course_lib.complexity.traces import rows_of

NO_VALUES = "; its forward needs values, and an analysis has shapes alone"


def analyze(
    model: nn.Module,
    input_shape: Sequence[int] | Sequence[Sequence[int]],
    *,
    batch_size: int = 1,
    training: bool = False,
    input_dtype: torch.dtype | Sequence[torch.dtype] | None = None,
) -> Complexity:
    """Count parameters, multiply-adds, memory and receptive fields of one forward pass.

    The model is not changed: its device, mode, hooks, buffers and weights stay, and nothing is computed from its
    values. Functions are counted like layers: ``F.conv2d``, ``x @ w``, ``einsum``, attention. A layer that is called
    twice counts twice, its parameters once. What cannot be counted is in ``not_counted``, never silently 0.

    Args:
        model: any module, on any device, the meta device included.
        input_shape: the shape of one input without its batch, such as (3, 224, 224), or one such shape for each of
            several inputs.
        batch_size: images in the batch; counts and memory grow with it.
        training: count the forward pass of training mode, auxiliary heads included. The mode is restored.
        input_dtype: of the inputs, one for all or one for each, such as torch.long for an embedding. Default: that of
            the model's first floating parameter.

    Raises:
        ValueError: a shape is not one of positive integers, the model has parameters without a shape (lazy layers) or
            is compiled to a script, or it cannot take the input: the message names the layer, the shape that reached
            it, and torch's reason.
    """
    shapes = _checked_shapes(input_shape, batch_size)
    model, names, parameters = _contents(model)
    dtypes = _checked_dtypes(input_dtype, parameters, len(shapes))
    inputs = [torch.empty(shape, dtype=dtype, device="meta") for shape, dtype in zip(shapes, dtypes, strict=True)]
    tracer = Tracer(names, parameters)
    with torch.no_grad(), _as_it_was(names, training), _hooks(tracer), _uncompiled(names):
        try:
            with tracer:
                for tensor in inputs:
                    tracer.admit(tensor)
                output = model(*inputs)
        except Exception as error:
            raise ValueError(_failure(tracer, error)) from error
    return Complexity(
        rows=tuple(tracer.rows),
        input_shapes=tuple(shapes),
        outputs=rows_of(tensors_in(output)),
        params=sum([parameter.numel() for parameter in parameters]),
        param_bytes=sum([_bytes(parameter) for parameter in parameters]),
        buffer_bytes=sum(_bytes(buffer) for buffer in model.buffers()),
        peak_activation_bytes=tracer.memory.peak_bytes,
        training_activation_bytes=tracer.memory.total_bytes,
    )


def _checked_shapes(input_shape: Any, batch_size: int) -> list[Shape]:
    if type(batch_size) is not int or batch_size < 1:
        raise ValueError(f"batch_size must be a positive integer, got {batch_size!r}")
    several = isinstance(input_shape, Sequence) and len(input_shape) > 0 and isinstance(input_shape[0], Sequence)
    shapes = list(input_shape) if several else [input_shape]
    for shape in shapes:
        plain = isinstance(shape, Sequence) and not isinstance(shape, str) and len(shape) > 0
        if not plain or not all(type(size) is int and size > 0 for size in shape):
            raise ValueError(f"input_shape must hold positive integers, such as (3, 224, 224), got {input_shape!r}")
    return [(batch_size, *shape) for shape in shapes]


def _contents(model: Any) -> tuple[nn.Module, dict[nn.Module, str], list[Tensor]]:
    """The model without what compiles it or spreads it over devices, its modules' names, its parameters, each once."""
    if not isinstance(model, nn.Module):
        raise ValueError(f"model must be a torch.nn.Module, got {type(model).__name__}")
    model = getattr(model, "_orig_mod", model)
    if isinstance(model, nn.DataParallel | nn.parallel.DistributedDataParallel):
        model = model.module
    names = {module: name for name, module in model.named_modules()}
    parameters = {}
    for module, name in names.items():
        if isinstance(module, torch.jit.ScriptModule):
            raise ValueError(f"layer {name or type(module).__name__} is a script: analyze the module it was made from")
        for parameter in module._parameters.values():
            if parameter is not None:
                parameters[id(parameter)] = parameter
                if is_lazy(parameter):
                    raise ValueError(f"layer {name or type(module).__name__} has no shape yet: run the model once")
    return model, names, list(parameters.values())


def _checked_dtypes(given: Any, parameters: list[Tensor], count: int) -> list[torch.dtype]:
    if given is None:
        floating = (parameter.dtype for parameter in parameters if parameter.is_floating_point())
        return [next(floating, torch.get_default_dtype())] * count
    dtypes = [given] * count if isinstance(given, torch.dtype) else list(given)
    if len(dtypes) != count or not all(isinstance(dtype, torch.dtype) for dtype in dtypes):
        raise ValueError(f"input_dtype must be one torch.dtype, or one for each of {count} inputs, got {given!r}")
    return dtypes


@contextlib.contextmanager
def _as_it_was(modules: Iterable[nn.Module], training: bool) -> Iterator[None]:
    """Training or evaluation mode for a while; then each module's own mode, attributes, buffers and parts again."""
    saved = [(vars(module), vars(module).copy()) for module in modules]
    saved += [(own, own.copy()) for now, _ in saved for own in (now["_parameters"], now["_buffers"], now["_modules"])]
    try:
        for module in modules:
            vars(module)["training"] = training
        yield
    finally:
        for now, before in saved:
            now.clear()
            now.update(before)


@contextlib.contextmanager
def _hooks(tracer: Tracer) -> Iterator[None]:
    """Tell the tracer of every module's forward, without a hook on the model itself."""
    handles = [
        register_module_forward_pre_hook(tracer.enter),
        register_module_forward_hook(tracer.leave, with_kwargs=True),
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


@contextlib.contextmanager
def _uncompiled(modules: Iterable[nn.Module]) -> Iterator[None]:
    """What ``torch.compile`` has wrapped inside the model runs as it was written."""
    if not any("_orig_mod" in module._modules or module._compiled_call_impl is not None for module in modules):
        yield
        return
    with torch.compiler.set_stance("force_eager"), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Using `torch.compile.module.` when there are global hooks")
        yield


def _failure(tracer: Tracer, error: Exception) -> str:
    """Which layer could not take which shape, and why, in one line."""
    reason = " ".join(str(error).split()) or type(error).__name__
    frame = _failed_frame(tracer, error)
    if frame is None:
        return f"the model failed before its first layer: {reason}"
    shapes = " and ".join(str(shape) for shape in frame.input_shapes) or "no tensor"
    hint = NO_VALUES if "meta" in reason else ""
    return f"layer {frame.name} ({type(frame.module).__name__}) cannot take an input of shape {shapes}: {reason}{hint}"


def _failed_frame(tracer: Tracer, error: Exception) -> Any:
    """The innermost module that was running when ``error`` was raised."""
    frames = {}
    for frame in tracer.frames[1:]:
        frames.setdefault(id(frame.module), frame)  # the first: a model that asks itself again comes later
    running = [id(frame.f_locals.get("self")) for frame, _ in traceback.walk_tb(error.__traceback__)]
    return next((frames[module] for module in reversed(running) if module in frames), None)


def _bytes(tensor: Tensor) -> int:
    return tensor.numel() * tensor.element_size()
