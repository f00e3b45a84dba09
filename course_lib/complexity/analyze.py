"""``analyze``: the cost of a model's forward pass, found without computing it where shapes alone will do."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from course_lib.complexity.constants import META
from course_lib.complexity.counts import Rules
from course_lib.complexity.errors import HINT, is_about_shapes
from course_lib.complexity.inputs import Input, Inputs, check_arguments, read_inputs
from course_lib.complexity.passes import Contents, PassError, run_pass
from course_lib.complexity.rows import Complexity

MOST_BYTES = 8 << 30  # of parameters, with which a model is run on values without being asked
CPU = torch.device("cpu")


def analyze(
    model: nn.Module,
    *inputs: Sequence[int] | Sequence[Sequence[int]] | Tensor | Input | Any,
    batch_size: int | None = 1,
    training: bool = False,
    input_dtype: torch.dtype | Sequence[torch.dtype] | None = None,
    values: Literal["auto", "never", "always"] = "auto",
    rules: Rules | None = None,
    kwargs: Mapping[str, Any] | None = None,
    **named: Any,
) -> Complexity:
    """Count parameters, multiply-adds, memory and receptive fields of one forward pass.

    The model is not changed: its device, mode, hooks, buffers, weights, caches and helper objects are afterwards as
    they were. Functions are counted like layers: ``F.conv2d``, ``x @ w``, ``einsum``, attention, scripts. A layer that
    is called twice counts twice, its parameters once. What cannot be counted is in ``not_counted``, never silently 0.

    The pass runs on shapes alone, where nothing is computed. A model that looks at values (a padding mask, a box that
    is kept or not) runs on real numbers instead: the result's ``ran_on`` says so, and ``reason`` why. The counts are
    then those of that input, so give a typical one where they depend on it.

    Examples:
        ``analyze(net, (3, 224, 224))``: one image. ``analyze(net, (3, 16, 16), ())``: and one number an image.
        ``analyze(net, Input((77,), torch.long), mask=torch.ones(1, 77))``: words, and a mask by name.
        ``analyze(graph_net, (34, 16), Input((2, 78), torch.long), batch_size=None)``: no batch axis.
        ``analyze(net, {"image": (3, 224, 224), "size": ()})``: a dictionary.

    Args:
        model: any module, on any device, the meta device included.
        inputs: what the model's forward takes, in order: a shape without its batch, such as (3, 224, 224); an
            ``Input``, a shape with a dtype; a tensor, taken as it is, its batch included; a list or a dictionary of
            those; anything else goes in as it is. One list of shapes stands for several inputs.
        batch_size: images in the batch; counts and memory grow with it. None: shapes are whole.
        training: count the forward pass of training mode, auxiliary heads included. The mode is restored.
        input_dtype: of inputs given as shapes, one for all or one for each. Default: that of the model's first
            floating parameter.
        values: "auto": on real numbers if shapes alone do not do; "never"; "always".
        rules: multiply-adds of what has no rule, or another rule: by the name that ``not_counted`` gives, such as
            "torchvision.deform_conv2d", or by a function of torch, ``rule(args, kwargs, output)``; by a class of
            layers, which is then one row, ``rule(module, args, output)``.
        kwargs: arguments by name, for names that ``analyze`` takes itself.
        named: arguments of the model's forward by name.

    Raises:
        ValueError: an input is none, the model's forward takes other arguments, or the pass fails: the message names
            the layer, what reached it, and the reason.
    """
    if values not in ("auto", "never", "always"):
        raise ValueError(f"values must be 'auto', 'never' or 'always', got {values!r}")
    contents = Contents.of(model)
    if not inputs and "input_shape" in named:
        inputs = (named.pop("input_shape"),)
    given = read_inputs(inputs, {**named, **(kwargs or {})}, batch_size, input_dtype, contents.dtype)
    check_arguments(contents.model, given)
    reason = "asked for"
    if any(is_lazy(parameter) for parameter in contents.parameters):
        contents, reason = _with_shapes(contents, given, values), "a lazy layer takes its shape from an input"
    if values != "always":
        try:
            return run_pass(contents, given, training=training, rules=rules or {})
        except PassError as error:
            if values == "never" or is_about_shapes(error.cause):
                raise ValueError(str(error)) from error.cause
            reason = str(error).removesuffix(f"; {HINT}")
            _check_values(contents, reason)
    else:
        _check_values(contents, "values='always'")
    try:
        return run_pass(contents, given, training=training, rules=rules or {}, reason=reason)
    except PassError as error:
        raise ValueError(str(error)) from error.cause


def _check_values(contents: Contents, reason: str) -> None:
    """Whether the model can be run.

    Raises:
        ValueError: it is on the meta device, or so large that it should be asked for.
    """
    if any(parameter.is_meta for parameter in contents.parameters):
        raise ValueError(f"{reason}; and the model has no values: build it on the CPU, not on the meta device")
    size = sum(parameter.numel() * parameter.element_size() for parameter in contents.parameters)
    if size > MOST_BYTES and reason != "values='always'":
        raise ValueError(f"{reason}; the model has {size / 2**30:.0f} GiB of parameters: ask for values='always'")


def _with_shapes(contents: Contents, given: Inputs, values: str) -> Contents:
    """A copy of a model with lazy layers, which has been run once, so that they have shapes."""
    name = next(
        name for module, name in contents.names.items() if any(is_lazy(p) for p in module.parameters(recurse=False))
    )
    if values == "never":
        raise ValueError(f"layer {name or type(contents.model).__name__} has no shape yet: run the model once")
    model = copy.deepcopy(contents.model)
    args, kwargs, _ = given.tensors(CPU if contents.device == META else contents.device, values=True)
    try:
        with torch.no_grad(), torch.random.fork_rng():
            model.eval()(*args, **kwargs)
    except Exception as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"layer {name} has no shape yet, and the model does not run: {reason}") from error
    return Contents.of(model)
