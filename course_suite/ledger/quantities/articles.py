"""Counts of the study articles as the tools that they use make them: torchsummary, torchinfo, Keras."""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, Any

from course_suite.ledger.quantities import quantity
from course_suite.ledger.quantities.networks import network

if TYPE_CHECKING:
    from torch import nn

FLOAT_BYTES = 4
MODULE_INPUT = (192, 28, 28)


@quantity
def article_000_params(reduced: bool = False) -> int:
    """Parameters of the article's module: 192 channels to 64 + 128 + 32 + 32, naive or with reductions."""
    return sum(parameter.numel() for parameter in _module_000(reduced).parameters())


@quantity
def article_000_layers(reduced: bool = False) -> list[int]:
    """Parameters of each convolution of the article's module, biases included, in its order."""
    from torch import nn

    convs = (layer for layer in _module_000(reduced).modules() if isinstance(layer, nn.Conv2d))
    return [sum(parameter.numel() for parameter in conv.parameters()) for conv in convs]


@quantity
def article_000_output_shape() -> list[Any]:
    """Shape of what both modules make of one image, batch first; both shapes where they are not the same."""
    import torch

    image = torch.empty(1, *MODULE_INPUT, device="meta")
    shapes = [list(_module_000(reduced)(image).shape) for reduced in (False, True)]
    return shapes[0] if shapes[0] == shapes[1] else shapes


@quantity
def article_000_torchsummary(parts: list[str], reduced: bool = False) -> list[float]:
    """Sizes in MiB by torchsummary's rules, for a batch of one: "input", "maps", "params", "total".

    Its maps are the outputs of all modules but the whole network and the ``nn.Sequential``, counted twice, the
    second time for their gradients. So a class that holds a convolution and a ReLU adds their output once more.
    """
    import torch
    from torch import nn

    module, outputs = _module_000(reduced), []
    for part in module.modules():
        if part is not module and not isinstance(part, nn.Sequential):
            part.register_forward_hook(lambda _layer, _inputs, output: outputs.append(output.numel()))
    module(torch.empty(1, *MODULE_INPUT, device="meta"))
    numbers = {"input": math.prod(MODULE_INPUT), "maps": 2 * sum(outputs), "params": article_000_params(reduced)}
    numbers["total"] = sum(numbers.values())
    return [FLOAT_BYTES * numbers[part] / 2**20 for part in parts]


def _module_000(reduced: bool) -> nn.Module:
    """The article's module, on the meta device; its convolution and its ReLU stand in a class of their own."""
    from torch import nn

    from course_lib.complexity import on_meta
    from course_lib.models.inception import Branches

    class Block(nn.Module):
        def __init__(self, in_channels: int, out_channels: int, kernel_size: int) -> None:
            super().__init__()
            self.conv = nn.Conv2d(in_channels, out_channels, kernel_size, padding=kernel_size // 2)
            self.relu = nn.ReLU()

        def forward(self, x: Any) -> Any:
            return self.relu(self.conv(x))

    with on_meta():
        return Branches(
            b1=Block(192, 64, 1),
            b3=nn.Sequential(Block(192, 96, 1), Block(96, 128, 3)) if reduced else Block(192, 128, 3),
            b5=nn.Sequential(Block(192, 16, 1), Block(16, 32, 5)) if reduced else Block(192, 32, 5),
            pool=nn.Sequential(nn.MaxPool2d(3, stride=1, padding=1), Block(192, 32, 1)),
        )


@quantity
def article_torchinfo(model: str, parts: str | list[str], batch_size: int = 1, mode: str = "eval") -> Any:
    """What torchinfo finds for a batch: "macs" in G, and "input", "maps", "params", "total" in MB of 10^6 bytes.

    Args:
        model: a name of ``course_lib.models``, with its own image.
        parts: which of these, one or a list.
        batch_size: images in the batch; multiply-adds, input and maps grow with it.
        mode: "eval" or "train"; in "eval" auxiliary heads do not run, and their parameters have no size.
    """
    found = _torchinfo(model, batch_size, mode)
    return found[parts] if isinstance(parts, str) else [found[part] for part in parts]


@cache
def _torchinfo(model: str, batch_size: int, mode: str) -> dict[str, float]:
    from torchinfo import summary

    from course_lib.models import input_shape

    shape = (batch_size, *input_shape(model))
    info = summary(network(model), shape, device="meta", mode=mode, verbose=0)
    megabytes = {
        "input": FLOAT_BYTES * math.prod(shape) / 1e6,
        "maps": info.total_output_bytes / 1e6,
        "params": info.total_param_bytes / 1e6,
    }
    return {"macs": info.total_mult_adds / 1e9, **megabytes, "total": sum(megabytes.values())}


@quantity
def article_running_statistics(model: str) -> int:
    """Running means and variances: what Keras counts as parameters that are not trained."""
    buffers = network(model).named_buffers()
    return sum(value.numel() for name, value in buffers if not name.endswith("num_batches_tracked"))


def forget() -> None:
    """Summarise networks anew when they are asked for again."""
    _torchinfo.cache_clear()
