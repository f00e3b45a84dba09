"""LeNet-5 as published in 1998, and the modern form that every course teaches.

LeCun, Bottou, Bengio, Haffner, "Gradient-based learning applied to document recognition", Proceedings of the IEEE
86(11):2278-2324, 1998, section II-B. Its layers stand in ``lenet_layers``, the output units and the criteria in
``lenet_output``, the table of parameters and connections in ``lenet_table``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import torch
from torch import Tensor, nn

from course_lib.models.blocks import checks_input_size
from course_lib.models.lenet_layers import ScaledTanh, SparseConv2d, Subsampling
from course_lib.models.lenet_output import CODE_LENGTH, EuclideanRBF, class_codes
from course_lib.models.registry import register

# Table I of the paper: for each of the 16 maps of C3, the maps of S2 that it sees.
C3_TABLE = (
    (0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (0, 4, 5), (0, 1, 5),  # three neighbours, round the circle
    (0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5), (0, 3, 4, 5), (0, 1, 4, 5), (0, 1, 2, 5),  # four neighbours
    (0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5),  # two pairs
    (0, 1, 2, 3, 4, 5),
)  # fmt: skip
FULL_TABLE = ((0, 1, 2, 3, 4, 5),) * 16


@register(image=(1, 32, 32), family="LeNet-5")
def lenet5_1998(
    *,
    num_classes: int = 10,
    in_channels: int = 1,
    c3_table: Sequence[Sequence[int]] = C3_TABLE,
    init: Literal["appendix-a", "efficient-backprop"] = "appendix-a",
) -> LeNet5Of1998:
    """LeNet-5 as published: 60,000 trainable parameters and 340,908 connections, with one channel and ten classes.

    (N, in_channels, 32, 32) -> logits (N, num_classes), which are minus the paper's penalties. Each side may be 32
    to 35 pixels. The paper's input has its background at -0.1 and its ink at 1.175.

    Args:
        num_classes: the first ten have the digits' bitmaps as codes, those beyond fixed random ones.
        in_channels: channels of the image.
        c3_table: for each of the maps of C3, the maps of S2 that it sees; the default is the paper's Table I.
        init: first weights uniform between -b and b, with b = 2.4 / F for F inputs of the unit, as the paper says; or
            b = sqrt(3 / F), a deviation of 1 / sqrt(F), the rule of "Efficient BackProp" of the same year.

    Source: LeCun et al. 1998, section II-B, Table I, appendix A (squashing function and initial weights); LeCun,
    Bottou, Orr, Müller, "Efficient BackProp", 1998, section 4.6.

    Differs from the paper: the ten bitmaps are our drawings; they stay fixed, where the paper says "at least
    initially"; biases start like the weights of their unit; the sign of the output is turned. Train it with
    ``lenet_output.map_criterion``; the paper's optimiser is ``course_lib.training.fit_sdlm``.

    Raises:
        ValueError: a row of ``c3_table`` is empty, or names a map that does not exist or names one twice; ``init`` is
            not one of the two.
    """
    return LeNet5Of1998(num_classes, in_channels, c3_table, init)


@register(image=(1, 32, 32), family="LeNet-5")
def lenet5(
    *,
    num_classes: int = 10,
    in_channels: int = 1,
    activation: Literal["tanh", "relu"] = "tanh",
    pooling: Literal["avg", "max"] = "avg",
    padding: int = 0,
) -> LeNet5:
    """The modern form of LeNet-5: 61,706 parameters with one channel and ten classes.

    (N, in_channels, 32, 32) -> logits (N, num_classes). Each side may be 32 to 35 pixels; with ``padding=2``, which is
    for images of 28x28, 28 to 31.

    Args:
        num_classes: number of logits.
        in_channels: channels of the image.
        activation: "tanh" or "relu", behind each layer that has weights, except the last.
        pooling: "avg" or "max", over 2x2.
        padding: zeros per side before the first convolution.

    Source: LeCun et al. 1998, section II-B.

    Differs from the paper: each map of C3 sees all six maps of S2; plain pooling without coefficient, bias and
    squashing; plain tanh or ReLU; a linear output layer instead of distances to bitmaps; torch's initial weights.

    Raises:
        ValueError: ``activation`` or ``pooling`` is not one of the two.
    """
    return LeNet5(num_classes, in_channels, activation, pooling, padding)


class LeNet5Of1998(nn.Sequential):
    """See :func:`lenet5_1998`. Its layers can be walked one by one: (N, C, 32, 32) -> (N, num_classes)."""

    def __init__(self, num_classes: int, in_channels: int, c3_table: Sequence[Sequence[int]], init: str) -> None:
        super().__init__()
        widen = _choose(
            "init", init, {"appendix-a": lambda _: 1.0, "efficient-backprop": lambda f: (3 * f) ** 0.5 / 2.4}
        )
        self.c1 = nn.Conv2d(in_channels, 6, kernel_size=5)
        self.c1_squash = ScaledTanh()
        self.s2 = Subsampling(6)
        self.s2_squash = ScaledTanh()
        self.c3 = SparseConv2d(6, c3_table, kernel_size=5)
        self.c3_squash = ScaledTanh()
        self.s4 = Subsampling(len(c3_table))
        self.s4_squash = ScaledTanh()
        self.c5 = nn.Conv2d(len(c3_table), 120, kernel_size=5)
        self.c5_squash = ScaledTanh()
        self.flatten = nn.Flatten()
        self.f6 = nn.Linear(120, CODE_LENGTH)
        self.f6_squash = ScaledTanh()
        self.output = EuclideanRBF(class_codes(num_classes))
        for layer in (self.c1, self.c5, self.f6):
            fan_in = layer.weight[0].numel()
            nn.init.uniform_(layer.weight, -2.4 / fan_in, 2.4 / fan_in)
            nn.init.uniform_(layer.bias, -2.4 / fan_in, 2.4 / fan_in)
        with torch.no_grad():  # from 2.4 / F, which the layers draw, to the bound that was asked for
            for parameter, fan_in in self._fan_ins(c3_table):
                parameter *= widen(fan_in)

    def _fan_ins(self, c3_table: Sequence[Sequence[int]]) -> list[tuple[nn.Parameter, Tensor]]:
        """Each parameter with the number of inputs of its units, in a shape that multiplies with it."""
        of_map = torch.tensor([25.0 * len(seen) for seen in c3_table], dtype=torch.float64)
        found = [(self.c3.weight, of_map[self.c3.pairs[0]].view(-1, 1, 1)), (self.c3.bias, of_map)]
        for layer in (self.s2, self.s4):
            found += [(parameter, torch.tensor(4.0)) for parameter in layer.parameters()]
        for layer in (self.c1, self.c5, self.f6):
            found += [(parameter, torch.tensor(float(layer.weight[0].numel()))) for parameter in layer.parameters()]
        return found

    @checks_input_size
    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> logits (N, num_classes), minus the penalties; H and W 32 to 35."""
        return super().forward(x)


class LeNet5(nn.Sequential):
    """See :func:`lenet5`. Its layers can be walked one by one: (N, C, 32, 32) -> (N, num_classes)."""

    def __init__(self, num_classes: int, in_channels: int, activation: str, pooling: str, padding: int) -> None:
        super().__init__()
        squash = _choose("activation", activation, {"tanh": nn.Tanh, "relu": nn.ReLU})
        pool = _choose("pooling", pooling, {"avg": nn.AvgPool2d, "max": nn.MaxPool2d})
        self.c1 = nn.Conv2d(in_channels, 6, kernel_size=5, padding=padding)
        self.c1_squash = squash()
        self.s2 = pool(2)
        self.c3 = nn.Conv2d(6, 16, kernel_size=5)
        self.c3_squash = squash()
        self.s4 = pool(2)
        self.flatten = nn.Flatten()
        self.c5 = nn.Linear(16 * 5 * 5, 120)
        self.c5_squash = squash()
        self.f6 = nn.Linear(120, 84)
        self.f6_squash = squash()
        self.output = nn.Linear(84, num_classes)

    @checks_input_size
    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> logits (N, num_classes); H and W 32 to 35, less twice the padding."""
        return super().forward(x)


def _choose(argument: str, value: str, known: dict[str, Any]) -> Any:
    if value not in known:
        raise ValueError(f"{argument} must be one of {', '.join(map(repr, known))}, got {value!r}")
    return known[value]
