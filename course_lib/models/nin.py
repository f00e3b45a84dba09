"""Network in Network: small perceptrons that slide over the image, and global average pooling instead of a classifier.

Lin, Chen, Yan, "Network in network", ICLR 2014, arXiv:1312.4400.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Literal, NamedTuple

from torch import Tensor, nn

from course_lib.models.blocks import checks_input_size, conv_norm_act, conv_relu, initialize
from course_lib.models.registry import register


class MlpConv(NamedTuple):
    """A row of the table: a convolution, then two 1x1 convolutions, each with ReLU: a perceptron at each position."""

    conv: int
    kernel_size: int
    mlp1: int
    mlp2: int | None  # None: one per class


# The paper gives three mlpconv layers and no widths; these are its authors' released settings for CIFAR-10.
CIFAR = (
    MlpConv(192, kernel_size=5, mlp1=160, mlp2=96),
    MlpConv(192, kernel_size=5, mlp1=192, mlp2=192),
    MlpConv(192, kernel_size=3, mlp1=192, mlp2=None),
)


@register(image=(3, 32, 32), family="NiN")
def nin_cifar(
    *,
    num_classes: int = 10,
    in_channels: int = 3,
    dropout: float = 0.5,
    second_pool: Literal["avg", "max"] = "avg",
    last_relu: bool = True,
) -> NiN:
    """Network in Network for CIFAR-10: 966,986 parameters with the defaults.

    (N, in_channels, 32, 32) -> logits (N, num_classes). H and W may be any sizes from 4 on.

    Args:
        num_classes: number of logits, which is the number of maps in the last layer.
        in_channels: channels of the image.
        dropout: probability of a zero behind each of the first two mlpconv layers' poolings.
        second_pool: the pooling behind the second mlpconv layer.
        last_relu: rectify the last layer too, as the paper's equation 2 and the released settings do. A class whose
            map is nowhere positive then gets no gradient: in a short training a class can die for good.

    Source: Lin, Chen, Yan 2014, sections 3.1, 3.2 and 4.1, figure 2.

    Differs from the paper: section 4.1 halves the size by max pooling behind every mlpconv layer; here, as in its
    authors' released settings, the second has average pooling (see ``second_pool``) and the third only the global
    average. What the paper leaves open is taken from these settings too: widths, kernel sizes, poolings of 3x3 with
    stride 2 whose sizes are rounded up, initial weights from N(0, 0.05^2) and biases of 0.

    Raises:
        ValueError: ``second_pool`` is not one of the two.
    """
    if second_pool not in ("avg", "max"):
        raise ValueError(f"second_pool must be 'avg' or 'max', got {second_pool!r}")
    return NiN(num_classes, in_channels, dropout, second_pool, last_relu)


class NiN(nn.Module):
    """See :func:`nin_cifar`: ``features``, three mlpconv layers, then the mean of each map."""

    def __init__(self, num_classes: int, in_channels: int, dropout: float, second_pool: str, last_relu: bool) -> None:
        super().__init__()
        pools = {"max": nn.MaxPool2d, "avg": nn.AvgPool2d}
        first, second, third = (row._replace(mlp2=row.mlp2 or num_classes) for row in CIFAR)
        self.features = nn.Sequential()
        for name, layer in {
            "mlpconv1": mlpconv(in_channels, first),
            "pool1": nn.MaxPool2d(3, stride=2, ceil_mode=True),
            "drop1": nn.Dropout(dropout),
            "mlpconv2": mlpconv(first.mlp2, second),
            "pool2": pools[second_pool](3, stride=2, ceil_mode=True),
            "drop2": nn.Dropout(dropout),
            "mlpconv3": mlpconv(second.mlp2, third, last_act=nn.ReLU if last_relu else None),
        }.items():
            self.features.add_module(name, layer)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten()
        initialize(self, partial(nn.init.normal_, std=0.05))

    @checks_input_size
    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> logits (N, num_classes); H and W at least 4."""
        return self.flatten(self.avgpool(self.features(x)))


def mlpconv(in_channels: int, widths: MlpConv, *, last_act: Callable[[], nn.Module] | None = nn.ReLU) -> nn.Sequential:
    """One mlpconv layer, (N, C_in, H, W) -> (N, mlp2, H, W): a convolution, and two 1x1 ones on its maps."""
    block = nn.Sequential()
    same = widths.kernel_size // 2
    block.add_module("conv", conv_relu(in_channels, widths.conv, widths.kernel_size, padding=same))
    block.add_module("mlp1", conv_relu(widths.conv, widths.mlp1, kernel_size=1))
    block.add_module("mlp2", conv_norm_act(widths.mlp1, widths.mlp2, kernel_size=1, act=last_act))
    return block
