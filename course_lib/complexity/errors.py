"""What went wrong in a pass, in one line: which layer, what it got, why, and what to do."""

from __future__ import annotations

import re
import traceback
from typing import Any

import torch
from torch import Tensor

from course_lib.complexity.constants import NeedsValuesError
from course_lib.complexity.tracer import Tracer

# torch's words, and ours, for sizes that do not go together.
SHAPES = re.compile(
    r"reduction dim|shapes cannot be multiplied|size mismatch|size of tensor|invalid for input of size"
    r"|the layer is for|more than 1|Given groups=|Expected \d?D? ?.*(input|tensor)|running_mean|normalized_shape"
    r"|[Kk]ernel size|output size|too small"
    r"|must match|channel|sizes? (of|must)|dimension|shape|dies in|input.size|same number of",
)
# torch's words for values that a tensor on the meta device has not, and for operations that want them.
VALUES = re.compile(
    r"meta|fake|[Dd]ata.?dependent|values|unbacked|Expected all tensors|nested|lengths|mat_a to be|on CPU"
    r"|not implemented"
)
HINT = "values='auto' lets it run on real numbers where shapes alone do not do"


def is_about_shapes(error: Exception) -> bool:
    """Whether values could not have helped."""
    text = str(error)
    return isinstance(error, RuntimeError | ValueError) and bool(SHAPES.search(text)) and not VALUES.search(text)


def explain(tracer: Tracer, error: Exception, *, values: bool) -> str:
    """Which layer failed, on what, and why, in one line."""
    reason = _reason(error, values=values)
    frame, shapes = _failed_frame(tracer, error)
    if frame is None:
        return f"the model failed before its first layer: {reason}"
    layer = f"layer {frame.name} ({type(frame.module).__name__})"
    shapes = " and ".join(str(shape) for shape in frame.input_shapes or shapes) or "no tensor"
    if isinstance(error, NeedsValuesError) or (not values and VALUES.search(str(error))):
        return f"{layer} needs values, and shapes {shapes} alone were to be used: {reason}; {HINT}"
    if is_about_shapes(error):
        return f"{layer} cannot take an input of shape {shapes}: {reason}"
    return f"{layer} failed on an input of shape {shapes}: {reason}"


def _reason(error: Exception, *, values: bool) -> str:
    """torch's text without its advice to those who write operators."""
    text = " ".join(str(error).split())
    operation = re.search(r"(\w+::\w+)(\.\w+)?", text)
    if not values and isinstance(error, NotImplementedError | RuntimeError) and operation and VALUES.search(text):
        return f"torch has no way to run {operation.group(1)} without values"
    text = re.split(r" (?:You may have run into|If you (?:are|want|have)|To enable|Please see|Consider )", text)[0]
    if isinstance(error, KeyError | IndexError | AttributeError | TypeError | AssertionError | ImportError):
        return f"{type(error).__name__}: {text}" if text else f"{type(error).__name__}"
    return text or type(error).__name__


def _failed_frame(tracer: Tracer, error: Exception) -> tuple[Any, tuple]:
    """The innermost module that was running when ``error`` was raised, and the shapes of its arguments."""
    frames: dict[int, Any] = {}
    for frame in tracer.frames[1:]:
        frames.setdefault(id(frame.module), frame)  # the first: a model that asks itself again comes later
    with torch._C.DisableTorchFunction():
        for place, _ in reversed(list(traceback.walk_tb(error.__traceback__))):
            found = frames.get(id(place.f_locals.get("self")))
            if found is not None and place.f_code.co_name != "_call_impl":
                count = place.f_code.co_argcount + place.f_code.co_kwonlyargcount
                given = [place.f_locals.get(name) for name in place.f_code.co_varnames[:count]]
                return found, tuple(tuple(value.shape) for value in given if isinstance(value, Tensor))
    return None, ()
