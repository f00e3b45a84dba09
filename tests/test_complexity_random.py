"""Random networks of 30 operators: counts against torch's own counter on real tensors and against hooks on layers."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from course_lib.complexity import analyze

CHANNELS = 4


class Step(nn.Module):
    """One function of a map (N, 4, H, W) that makes a map of 4 channels."""

    def __init__(self, function: Callable[[Step, Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function
        self.weight = nn.Parameter(torch.randn(CHANNELS, CHANNELS))

    def forward(self, x: Tensor) -> Tensor:
        return self.function(self, x)


def tokens(x: Tensor) -> Tensor:
    return x.flatten(2).transpose(1, 2)


def attended(_: Step, x: Tensor) -> Tensor:
    y = tokens(x)
    return (y @ (y.mT @ y).softmax(-1)).mT.reshape(x.shape)


OPERATORS: dict[str, Callable[[], nn.Module]] = {
    "conv": lambda: nn.Conv2d(4, 4, 3, padding=1),
    "strided": lambda: nn.Conv2d(4, 4, 3, 2, 1, bias=False),
    "depthwise": lambda: nn.Conv2d(4, 4, 3, padding=1, groups=4),
    "dilated": lambda: nn.Conv2d(4, 4, 3, padding=2, dilation=2),
    "pointwise": lambda: nn.Conv2d(4, 4, 1),
    "transposed": lambda: nn.ConvTranspose2d(4, 4, 2, 2),
    "batch norm": lambda: nn.BatchNorm2d(4),
    "group norm": lambda: nn.GroupNorm(2, 4),
    "instance norm": lambda: nn.InstanceNorm2d(4),
    "layer norm": lambda: Step(lambda _, x: F.layer_norm(x, x.shape[1:])),
    "relu": lambda: nn.ReLU(inplace=True),
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "prelu": nn.PReLU,
    "dropout": nn.Dropout,
    "max pool": lambda: nn.MaxPool2d(3, 1, 1),
    "average pool": lambda: nn.AvgPool2d(3, 1, 1),
    "adaptive pool": lambda: nn.AdaptiveAvgPool2d(5),
    "upsampling": lambda: nn.Upsample(scale_factor=2),
    "linear": lambda: Step(lambda m, x: F.linear(x.permute(0, 2, 3, 1), m.weight).permute(0, 3, 1, 2)),
    "matmul": lambda: Step(lambda m, x: (m.weight @ x.flatten(2)).view(x.shape)),
    "einsum": lambda: Step(lambda m, x: torch.einsum("nchw,cd->ndhw", x, m.weight)),
    "bmm": lambda: Step(lambda m, x: torch.bmm(m.weight.expand(len(x), 4, 4), x.flatten(2)).view_as(x)),
    "attention": lambda: Step(attended),
    "excitation": lambda: Step(lambda m, x: x * (x.mean((2, 3)) @ m.weight)[:, :, None, None].sigmoid()),
    "shortcut": lambda: Step(lambda _, x: x + x.roll(1, 1)),
    "stack": lambda: Step(lambda _, x: torch.cat([x[:, :2], x[:, 2:]], 1)),
    "shuffle": lambda: Step(lambda _, x: x.view(len(x), 2, 2, *x.shape[2:]).transpose(1, 2).flatten(1, 2)),
    "windows": lambda: Step(lambda m, x: (m.weight.repeat(1, 9) @ F.unfold(x, 3, padding=1)).view_as(x)),
    "mask": lambda: Step(lambda _, x: torch.where(torch.ones(x.shape[-1], device=x.device) > 0, x, 0.0)),
}


def by_hooks(model: nn.Module, x: Tensor) -> int:
    """Multiply-adds of the layers by their shapes, as hook-based tools count."""
    total = 0

    def hook(layer: nn.Module, args: tuple[Tensor], output: Tensor) -> None:
        nonlocal total
        counted = args[0] if isinstance(layer, nn.ConvTranspose2d) else output
        total += counted.numel() * layer.weight[0].numel()

    handles = [
        layer.register_forward_hook(hook) for layer in model if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d)
    ]
    model(x)
    for handle in handles:
        handle.remove()
    return total


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(sorted(OPERATORS)), min_size=1, max_size=6), st.integers(1, 2))
def test_random_network_is_counted_as_torch_counts_it(names: list[str], batch: int) -> None:
    model = nn.Sequential(*(OPERATORS[name]() for name in names)).eval()
    x = torch.randn(batch, CHANNELS, 6, 6)

    found = analyze(model, (CHANNELS, 6, 6), batch_size=batch)

    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        layers = by_hooks(model, x)
    assert found.macs * 2 == counter.get_total_flops()
    assert sum(row.macs for row in found.rows if row.type in ("Conv2d", "ConvTranspose2d")) == layers
    assert found.ran_on == "shapes"
    assert not found.not_counted
    assert found.params == sum(parameter.numel() for parameter in model.parameters())
    assert analyze(model, x, values="always").macs == found.macs
