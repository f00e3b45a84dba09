"""Counts of networks and settings of layers, by ``course_lib.complexity``; each network is built and analyzed once.

Arguments that the functions share:

- ``model``: a name of ``course_lib.models``; ``options``: what its builder takes, such as ``{num_classes: 1001}``.
- ``image``: (C, H, W) of one input; default: the network's own.
- ``layers``, ``without``: names of layers, or patterns such as ``features.*.conv``; a name stands for everything in
  it too. Default: all layers, without none.
- ``training``: count the pass of training mode, auxiliary heads included.
"""

from __future__ import annotations

import json
import math
from fnmatch import fnmatchcase
from functools import cache
from typing import TYPE_CHECKING, Any

from course_suite.ledger.quantities import quantity

if TYPE_CHECKING:
    from torch import nn

    from course_lib.complexity import Complexity
    from course_lib.complexity.rows import Row

Names = str | list[str] | None


def forget() -> None:
    """Build and analyze every network anew when it is asked for again."""
    _network.cache_clear()
    _analysis.cache_clear()


def network(model: str, options: dict[str, Any] | None = None) -> nn.Module:
    """The network, on the meta device, for counting only."""
    return _network(model, json.dumps(options or {}, sort_keys=True))


def analysis(
    model: str, options: dict[str, Any] | None = None, image: list[int] | None = None, training: bool = False
) -> Complexity:
    """The analysis of one forward pass with one image."""
    return _analysis(model, json.dumps(options or {}, sort_keys=True), tuple(image) if image else None, training)


@cache
def _network(model: str, options: str) -> nn.Module:
    from course_lib.complexity import build_meta

    return build_meta(model, **json.loads(options))


@cache
def _analysis(model: str, options: str, image: tuple[int, ...] | None, training: bool) -> Complexity:
    from course_lib.complexity import analyze
    from course_lib.models import input_shape

    return analyze(_network(model, options), image or input_shape(model), training=training)


def chosen(name: str, layers: Names, without: Names) -> bool:
    """Whether a layer is among those asked for."""
    return (layers is None or _matches(name, layers)) and not (without is not None and _matches(name, without))


def _matches(name: str, patterns: str | list[str]) -> bool:
    patterns = [patterns] if isinstance(patterns, str) else patterns
    return any(fnmatchcase(name, pattern) or fnmatchcase(name, f"{pattern}.*") for pattern in patterns)


def _rows(found: Complexity, model: str, layers: Names, without: Names, kinds: Names) -> list[Row]:
    rows = [row for row in found.rows if chosen(row.name, layers, without) and (not kinds or row.type in kinds)]
    if not rows:
        raise ValueError(f"{model} has no layer {layers!r} without {without!r}; it has {names_of(found)}")
    return rows


def names_of(found: Complexity) -> str:
    return ", ".join(row.name for row in found.rows)


@quantity
def params(
    model: str,
    options: dict[str, Any] | None = None,
    layers: Names = None,
    without: Names = None,
    biases: bool = True,
    norms: bool = True,
) -> int:
    """Trainable parameters, of all layers or of some; ``biases: false`` and ``norms: false`` leave those out."""
    from torch.nn.modules.batchnorm import _NormBase

    count, seen, met = 0, set(), False
    for name, module in network(model, options).named_modules():
        if not chosen(name, layers, without):
            continue
        met = True
        if not norms and isinstance(module, _NormBase):
            continue
        for key, parameter in module.named_parameters(recurse=False):
            if parameter.requires_grad and id(parameter) not in seen and (biases or key != "bias"):
                seen.add(id(parameter))
                count += parameter.numel()
    if not met:
        raise ValueError(f"{model} has no layer {layers!r} without {without!r}")
    return count


@quantity
def macs(
    model: str,
    options: dict[str, Any] | None = None,
    image: list[int] | None = None,
    layers: Names = None,
    without: Names = None,
    kinds: Names = None,
    training: bool = False,
) -> int:
    """Multiply-adds of one image, of all layers or of some; ``kinds`` are names of classes, such as ``Linear``."""
    found = analysis(model, options, image, training)
    rows = _rows(found, model, layers, without, kinds)
    if any(row.macs is None for row in rows):
        raise ValueError(f"{model} has layers whose multiply-adds are not counted: {found.not_counted}")
    return sum(row.macs for row in rows)


@quantity
def neurons(
    model: str,
    layers: Names = None,
    options: dict[str, Any] | None = None,
    image: list[int] | None = None,
    kinds: Names = ("Conv2d", "Linear"),
) -> int:
    """Values that the layers put out, together; default: all convolutions and fully connected layers."""
    rows = _rows(analysis(model, options, image), model, layers, None, kinds)
    return sum(math.prod(row.output_shape[1:]) for row in rows)


@quantity
def attribute(model: str, layer: str, name: str, options: dict[str, Any] | None = None) -> Any:
    """A setting of a layer, such as ``kernel_size``, ``stride``, ``p``; a pair of equal numbers as one."""
    value = getattr(network(model, options).get_submodule(layer), name)
    return value[0] if isinstance(value, tuple) and len(set(value)) == 1 else value


@quantity
def kernels(model: str, layer: str, options: dict[str, Any] | None = None) -> str:
    """A convolution's kernels as papers print them: "96 of 11x11x3", with ", stride 4" where it is not 1."""
    conv = network(model, options).get_submodule(layer)
    out_channels, depth, height, width = conv.weight.shape
    stride = f", stride {conv.stride[0]}" if conv.stride[0] != 1 else ""
    return f"{out_channels} of {height}x{width}x{depth}{stride}"


@quantity
def count_layers(
    model: str, kinds: Names, options: dict[str, Any] | None = None, layers: Names = None, without: Names = None
) -> int:
    """How many layers are of some classes, such as ``[Conv2d, Linear]``."""
    kinds = [kinds] if isinstance(kinds, str) else kinds
    modules = network(model, options).named_modules()
    return sum(type(module).__name__ in kinds and chosen(name, layers, without) for name, module in modules)
