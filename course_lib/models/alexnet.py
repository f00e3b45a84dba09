"""AlexNet: in two groups as published in 2012, as one tower, and in the "one weird trick" form that torchvision ships.

Krizhevsky, Sutskever, Hinton, "ImageNet classification with deep convolutional neural networks", NIPS 2012.
Krizhevsky, "One weird trick for parallelizing convolutional neural networks", 2014, arXiv:1404.5997.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from torch import Tensor, nn

from course_lib.models.blocks import checks_input_size, fc_classifier, feature_shape, initialize, local_response_norm
from course_lib.models.registry import register


class ConvLayer(NamedTuple):
    """A row of the table: a convolution with ReLU, and what follows it. ``padding`` is per side."""

    out_channels: int
    kernel_size: int
    stride: int = 1
    padding: int = 0
    groups: int = 1
    then: tuple[str, ...] = ()  # "norm": local response normalisation; "pool": overlapping max pooling, 3x3 stride 2
    initial_bias: float = 0.0


# Section 3.5 and figure 2. The second, fourth and fifth layers see only the maps on their own GPU: two groups.
# Section 5 starts the biases of these layers, and of the hidden fully connected ones, at 1.
TWO_GROUPS = (
    ConvLayer(96, kernel_size=11, stride=4, then=("norm", "pool")),
    ConvLayer(256, kernel_size=5, padding=2, groups=2, then=("norm", "pool"), initial_bias=1.0),
    ConvLayer(384, kernel_size=3, padding=1),
    ConvLayer(384, kernel_size=3, padding=1, groups=2, initial_bias=1.0),
    ConvLayer(256, kernel_size=3, padding=1, groups=2, then=("pool",), initial_bias=1.0),
)
ONE_TOWER = tuple(layer._replace(groups=1) for layer in TWO_GROUPS)
ONE_WEIRD_TRICK = (
    ConvLayer(64, kernel_size=11, stride=4, padding=2, then=("pool",)),
    ConvLayer(192, kernel_size=5, padding=2, then=("pool",), initial_bias=1.0),
    ConvLayer(384, kernel_size=3, padding=1),
    ConvLayer(256, kernel_size=3, padding=1, initial_bias=1.0),
    ConvLayer(256, kernel_size=3, padding=1, then=("pool",), initial_bias=1.0),
)


@register(image=(3, 227, 227), family="AlexNet")
def alexnet(
    *,
    num_classes: int = 1000,
    in_channels: int = 3,
    input_size: int | tuple[int, int] = 227,
    dropout: float = 0.5,
    hidden_features: int = 4096,
) -> AlexNet:
    """AlexNet as published, in two groups: 60,965,224 parameters with the defaults.

    (N, in_channels, 227, 227) -> logits (N, num_classes). The initial weights are small, for images as the paper has
    them: pixels of 0 to 255 less their mean.

    Args:
        num_classes: number of logits.
        in_channels: channels of the image.
        input_size: pixels per side, or (height, width): the first fully connected layer depends on it. At 227 the
            network takes 227 to 258 pixels per side, cut off on the right and below. The least
            that it can be built for is 67.
        dropout: probability of a zero behind each of the two hidden fully connected layers.
        hidden_features: units in each of these layers.

    Source: Krizhevsky et al. 2012, sections 3.1 to 3.5 and 4.2, figure 2; initial weights: section 5.

    Differs from the paper: the input has 227 pixels per side, where the paper prints 224, which gives 54 x 54 maps
    and not its 55 x 55 without padding; both groups run on one device, and the normalisation runs over all the
    channels, across the border between the groups, where the paper does not say what happens; dropout doubles the
    kept units in training, where the paper halves all of them in use, which is the same on average.

    Raises:
        ValueError: ``input_size`` is too small; the message names the layer and the smallest size that works.
    """
    return AlexNet(TWO_GROUPS, num_classes, in_channels, input_size, dropout, hidden_features)


@register(image=(3, 227, 227), family="AlexNet")
def alexnet_one_tower(
    *,
    num_classes: int = 1000,
    in_channels: int = 3,
    input_size: int | tuple[int, int] = 227,
    dropout: float = 0.5,
    hidden_features: int = 4096,
) -> AlexNet:
    """AlexNet with its two groups joined, as most reimplementations have it: 62,378,344 parameters.

    Shapes, arguments, errors and source are those of :func:`alexnet`.

    Differs from the paper: as :func:`alexnet`, and each convolution sees all the maps below it.
    """
    return AlexNet(ONE_TOWER, num_classes, in_channels, input_size, dropout, hidden_features)


@register(image=(3, 224, 224), family="AlexNet", torchvision="alexnet")
def alexnet_owt(*, num_classes: int = 1000, in_channels: int = 3, dropout: float = 0.5) -> AlexNetOWT:
    """The "one weird trick" AlexNet, torchvision's ``alexnet``: 61,100,840 parameters with the defaults.

    (N, in_channels, H, W) -> logits (N, num_classes); H and W at least 63, 224 in the paper. For torchvision's
    weights: ``network.load_state_dict(match_state_dict(network, theirs))`` with ``blocks.match_state_dict``.

    Args:
        num_classes: number of logits.
        in_channels: channels of the image.
        dropout: probability of a zero in front of each of the first two fully connected layers.

    Source: Krizhevsky 2014, arXiv:1404.5997, section 5; initial weights: as :func:`alexnet`.

    Differs from the paper: the fourth convolution has 256 filters as in its author's program, where the footnote
    prints 384; no response normalisation; dropout before the fully connected layers instead of behind them;
    average pooling to 6 x 6, which does nothing at 224 pixels, lets any larger input through.
    """
    return AlexNetOWT(num_classes, in_channels, dropout)


def conv_stack(layers: Sequence[ConvLayer], in_channels: int, *, ceil_mode: bool = False) -> nn.Sequential:
    """The convolutional part that a table describes, its layers named ``conv1``, ``relu1``, ``norm1``, ``pool1``...

    Args:
        layers: the rows, in order.
        in_channels: channels of the image.
        ceil_mode: round the sizes of pooled maps up.
    """
    stack = nn.Sequential()
    for number, row in enumerate(layers, start=1):
        conv = nn.Conv2d(in_channels, row.out_channels, row.kernel_size, row.stride, row.padding, groups=row.groups)
        stack.add_module(f"conv{number}", conv)
        stack.add_module(f"relu{number}", nn.ReLU())
        for kind in row.then:
            norm = kind == "norm"
            layer = local_response_norm() if norm else nn.MaxPool2d(3, stride=2, ceil_mode=ceil_mode)
            stack.add_module(f"{kind}{number}", layer)
        in_channels = row.out_channels
    return stack


class AlexNet(nn.Module):
    """See :func:`alexnet`: ``features``, the table's convolutions, then ``classifier``, three fully connected layers.

    Args:
        ceil_mode: round the sizes of pooled maps up.
        hidden_bias: where the biases of the hidden fully connected layers start.
        layers, num_classes, in_channels, input_size, dropout, hidden_features: see :func:`alexnet`.
    """

    def __init__(
        self,
        layers: Sequence[ConvLayer],
        num_classes: int,
        in_channels: int,
        input_size: int | tuple[int, int],
        dropout: float,
        hidden_features: int,
        *,
        ceil_mode: bool = False,
        hidden_bias: float = 1.0,
    ) -> None:
        super().__init__()
        self.input_size = input_size
        self.features = conv_stack(layers, in_channels, ceil_mode=ceil_mode)
        maps = math.prod(feature_shape(self.features, in_channels, input_size))
        self.classifier = fc_classifier(maps, (hidden_features, hidden_features), num_classes, dropout)
        _initialize(self, layers, hidden_bias)

    @checks_input_size
    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> logits (N, num_classes); H and W as the classifier was built for."""
        return self.classifier(self.features(x))


class AlexNetOWT(nn.Module):
    """See :func:`alexnet_owt`: ``features``, average pooling to 6 x 6, ``classifier``."""

    def __init__(self, num_classes: int, in_channels: int, dropout: float) -> None:
        super().__init__()
        self.features = conv_stack(ONE_WEIRD_TRICK, in_channels)
        self.avgpool = nn.AdaptiveAvgPool2d(6)
        self.classifier = nn.Sequential()
        for name, layer in {
            "flatten": nn.Flatten(),
            "drop6": nn.Dropout(dropout),
            "fc6": nn.Linear(256 * 6 * 6, 4096),
            "relu6": nn.ReLU(),
            "drop7": nn.Dropout(dropout),
            "fc7": nn.Linear(4096, 4096),
            "relu7": nn.ReLU(),
            "fc8": nn.Linear(4096, num_classes),
        }.items():
            self.classifier.add_module(name, layer)
        _initialize(self, ONE_WEIRD_TRICK, hidden_bias=1.0)

    @checks_input_size
    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> logits (N, num_classes); H and W at least 63."""
        return self.classifier(self.avgpool(self.features(x)))


def _initialize(network: nn.Module, layers: Sequence[ConvLayer], hidden_bias: float) -> None:
    """Weights from N(0, 0.01^2), biases as the table says, those of the hidden fully connected layers as given."""
    initialize(network, partial(nn.init.normal_, std=0.01))
    for number, row in enumerate(layers, start=1):
        nn.init.constant_(network.get_submodule(f"features.conv{number}").bias, row.initial_bias)
    for name in ("fc6", "fc7"):
        nn.init.constant_(network.get_submodule(f"classifier.{name}").bias, hidden_bias)
