"""The tools that count what a network costs, under one interface: parameters and multiply-adds of one forward pass.

A tool that is not installed is left out by name. Each gets a model of its own, since some leave marks on it.
"""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from typing import NamedTuple

import torch
from torch import nn

from course_lib.complexity import analyze, on_meta

Shape = tuple[int, ...]


class Count(NamedTuple):
    """What a tool says of one image; None where it says nothing."""

    macs: float
    params: int | None


class Tool(NamedTuple):
    """A counter, and how its users build the model that they count."""

    package: str
    count: Callable[[nn.Module, Shape], Count]
    building: Callable[[], contextlib.AbstractContextManager]
    unit: str

    @property
    def is_installed(self) -> bool:
        """Whether its package is there."""
        return find_spec(self.package) is not None


def _ours(model: nn.Module, shape: Shape) -> Count:
    found = analyze(model, shape)
    return Count(found.macs, found.params)


def _torchinfo(model: nn.Module, shape: Shape) -> Count:
    import torchinfo

    device = next((parameter.device for parameter in model.parameters()), torch.device("cpu"))
    found = torchinfo.summary(model, (1, *shape), device=device, mode="eval", verbose=0)
    return Count(found.total_mult_adds, found.total_params)


def _fvcore(model: nn.Module, shape: Shape) -> Count:
    from fvcore.nn import FlopCountAnalysis, parameter_count

    analysis = FlopCountAnalysis(model.eval(), torch.zeros(1, *shape))
    analysis.unsupported_ops_warnings(False).uncalled_modules_warnings(False).tracer_warnings("none")
    return Count(analysis.total(), parameter_count(model)[""])


def _ptflops(model: nn.Module, shape: Shape) -> Count:
    from ptflops import get_model_complexity_info

    macs, params = get_model_complexity_info(
        model.eval(), shape, as_strings=False, print_per_layer_stat=False, verbose=False
    )
    return Count(macs, params)


def _thop(model: nn.Module, shape: Shape) -> Count:
    from thop import profile

    macs, params = profile(model.eval(), inputs=(torch.zeros(1, *shape),), verbose=False)
    return Count(macs, int(params))


def _torch(model: nn.Module, shape: Shape) -> Count:
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model.eval()(torch.zeros(1, *shape))
    return Count(counter.get_total_flops() / 2, None)


TOOLS = {
    "course_lib": Tool("course_lib", _ours, on_meta, "multiply-adds"),
    "torchinfo": Tool("torchinfo", _torchinfo, contextlib.nullcontext, "multiply-adds, with biases"),
    "torchinfo on meta": Tool("torchinfo", _torchinfo, lambda: torch.device("meta"), "multiply-adds, with biases"),
    "fvcore": Tool("fvcore", _fvcore, contextlib.nullcontext, "multiply-adds, and operations of normalisation"),
    "ptflops": Tool("ptflops", _ptflops, contextlib.nullcontext, "multiply-adds, with biases and other operations"),
    "thop": Tool("thop", _thop, contextlib.nullcontext, "multiply-adds"),
    "FlopCounterMode": Tool("torch", _torch, contextlib.nullcontext, "half its floating-point operations"),
}


def build_and_count(name: str, make: Callable[[], nn.Module], shape: Shape) -> Count:
    """Build a model as the users of the tool do, and count it; nothing is printed, no warning is shown."""
    tool = TOOLS[name]
    with (
        warnings.catch_warnings(),
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        warnings.simplefilter("ignore")
        with tool.building():
            model = make()
        return tool.count(model, shape)
