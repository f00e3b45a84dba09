"""VGG: depth from 3x3 convolutions. Configurations A, A-LRN, B, C, D and E, and a small one.

Simonyan, Zisserman, "Very deep convolutional networks for large-scale image recognition", ICLR 2015, arXiv:1409.1556.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Literal, NamedTuple

from torch import Tensor, nn

from course_lib.models.blocks import checks_input_size, fc_classifier, feature_shape, initialize, local_response_norm
from course_lib.models.registry import member, register

Init = Literal["glorot", "normal", "kaiming"]


class Stage(NamedTuple):
    """Some rows of table 1: convolutions of one width, then max pooling 2x2."""

    num_convs: int
    channels: int
    last_kernel_size: int = 3  # of the last convolution; the others are 3x3
    lrn: bool = False  # local response normalisation behind the convolutions


# The columns of table 1. Three fully connected layers follow each.
A = (Stage(1, 64), Stage(1, 128), Stage(2, 256), Stage(2, 512), Stage(2, 512))
A_LRN = (A[0]._replace(lrn=True), *A[1:])
B = (Stage(2, 64), Stage(2, 128), Stage(2, 256), Stage(2, 512), Stage(2, 512))
D = (Stage(2, 64), Stage(2, 128), Stage(3, 256), Stage(3, 512), Stage(3, 512))
C = (*D[:2], *(stage._replace(last_kernel_size=1) for stage in D[2:]))
E = (Stage(2, 64), Stage(2, 128), Stage(4, 256), Stage(4, 512), Stage(4, 512))

COLUMNS = {
    "vgg11": ("A", A),
    "vgg11_lrn": ("A-LRN", A_LRN),
    "vgg13": ("B", B),
    "vgg16_1x1": ("C", C),
    "vgg16": ("D", D),
    "vgg19": ("E", E),
}

DOCSTRING = """VGG, configuration {column} of table 1{norm}: (N, in_channels, 224, 224) -> logits (N, num_classes).

    H and W may be any sizes from 32 on. For torchvision's weights, where it has the network:
    ``network.load_state_dict(match_state_dict(network, theirs))`` with ``blocks.match_state_dict``.

    Args:
        num_classes: number of logits.
        in_channels: channels of the image.
        batch_norm: batch normalisation between each convolution, which keeps its bias, and its ReLU.
        dropout: probability of a zero behind each of the two hidden fully connected layers.
        hidden_features: units in each of these layers.
        init: "glorot", uniform after Glorot and Bengio, which the paper found to do for every depth; "normal",
            N(0, 0.1^2), with which it trained A from the start; "kaiming", torchvision's. Biases start at 0.

    Source: Simonyan and Zisserman 2015, sections 2.1, 2.2 and 3.1, table 1.

    Differs from the paper: average pooling to 7 x 7, which does nothing at 224 pixels, lets other sizes through,
    where the paper turns the fully connected layers into convolutions; deeper nets do not start from a trained A;
    batch normalisation is later than the paper.

    Raises:
        ValueError: ``init`` is not one of the three.
    """


class VGG(nn.Module):
    """See any builder of a configuration: ``features``, average pooling to 7 x 7, then ``classifier``."""

    def __init__(
        self,
        stages: Sequence[Stage],
        *,
        num_classes: int,
        in_channels: int,
        batch_norm: bool,
        dropout: float,
        hidden_features: int,
        init: Init,
    ) -> None:
        super().__init__()
        self.features = conv_stages(stages, in_channels, batch_norm=batch_norm)
        self.avgpool = nn.AdaptiveAvgPool2d(7)
        hidden = (hidden_features, hidden_features)
        self.classifier = fc_classifier(stages[-1].channels * 7 * 7, hidden, num_classes, dropout)
        initialize_vgg(self, init)

    @checks_input_size
    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> logits (N, num_classes); H and W at least 32."""
        return self.classifier(self.avgpool(self.features(x)))


class SmallVGG(nn.Module):
    """See :func:`vgg16_small`: ``features``, then ``classifier``, which takes one size of maps."""

    def __init__(
        self, num_classes: int, in_channels: int, base_channels: int, input_size: int | tuple[int, int], init: Init
    ) -> None:
        super().__init__()
        self.input_size = input_size
        stages = [stage._replace(channels=stage.channels // 64 * base_channels) for stage in D]
        self.features = conv_stages(stages, in_channels, batch_norm=False)
        maps = math.prod(feature_shape(self.features, in_channels, input_size))
        self.classifier = fc_classifier(maps, (100, 20), num_classes, dropout=None)
        initialize_vgg(self, init)

    @checks_input_size
    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> logits (N, num_classes); H and W as the classifier was built for."""
        return self.classifier(self.features(x))


def conv_stages(stages: Sequence[Stage], in_channels: int, *, batch_norm: bool) -> nn.Sequential:
    """The convolutional part of a table, its layers named ``conv1_1``, ``relu1_1``, ``conv1_2``, ..., ``pool1``, ...

    Args:
        stages: the rows, in order.
        in_channels: channels of the image.
        batch_norm: a layer ``bn1_1`` and so on between each convolution and its ReLU.
    """
    stack = nn.Sequential()
    for number, stage in enumerate(stages, start=1):
        for position in range(1, stage.num_convs + 1):
            place = f"{number}_{position}"
            kernel_size = stage.last_kernel_size if position == stage.num_convs else 3
            conv = nn.Conv2d(in_channels, stage.channels, kernel_size, padding=kernel_size // 2)
            stack.add_module(f"conv{place}", conv)
            if batch_norm:
                stack.add_module(f"bn{place}", nn.BatchNorm2d(stage.channels))
            stack.add_module(f"relu{place}", nn.ReLU())
            in_channels = stage.channels
        if stage.lrn:
            stack.add_module(f"norm{number}", local_response_norm())
        stack.add_module(f"pool{number}", nn.MaxPool2d(2))
    return stack


def initialize_vgg(network: nn.Module, init: Init) -> None:
    """Fill the weights by one of three rules, the biases with zeros.

    Raises:
        ValueError: ``init`` is not one of the three.
    """
    if init == "glorot":
        initialize(network, nn.init.xavier_uniform_)
    elif init == "normal":
        initialize(network, partial(nn.init.normal_, std=0.1))
    elif init == "kaiming":
        initialize(network.features, partial(nn.init.kaiming_normal_, mode="fan_out", nonlinearity="relu"))
        initialize(network.classifier, partial(nn.init.normal_, std=0.01))
    else:
        raise ValueError(f"init must be 'glorot', 'normal' or 'kaiming', got {init!r}")


@register(image=(3, 224, 224), family="VGG")
def vgg16_small(
    *,
    num_classes: int = 2,
    in_channels: int = 3,
    base_channels: int = 16,
    input_size: int | tuple[int, int] = 224,
    init: Init = "glorot",
) -> SmallVGG:
    """Configuration D with a quarter of the channels and a small classifier: 1,550,146 parameters with the defaults.

    (N, in_channels, 224, 224) -> logits (N, num_classes). The fully connected layers have 100 and 20 hidden units,
    without dropout.

    Args:
        num_classes: number of logits.
        in_channels: channels of the image.
        base_channels: channels of the first stage, 64 in the paper; the others have 2, 4, 8 and 8 times as many.
        input_size: pixels per side, or (height, width): the first fully connected layer depends on it. 32 is the
            smallest.
        init: see the other builders of this file.

    Source: an introductory article on convolutional networks; widths after Simonyan and Zisserman 2015, table 1, D.

    Differs from the paper: width, classifier, no dropout; see also the other builders of this file.

    Raises:
        ValueError: ``input_size`` is too small, or ``init`` is unknown.
    """
    return SmallVGG(num_classes, in_channels, base_channels, input_size, init)


def _vgg(
    *,
    stages: Sequence[Stage],
    num_classes: int = 1000,
    in_channels: int = 3,
    batch_norm: bool = False,
    dropout: float = 0.5,
    hidden_features: int = 4096,
    init: Init = "glorot",
) -> VGG:
    """A column of table 1."""
    return VGG(
        stages,
        num_classes=num_classes,
        in_channels=in_channels,
        batch_norm=batch_norm,
        dropout=dropout,
        hidden_features=hidden_features,
        init=init,
    )


IN_TORCHVISION = ("vgg11", "vgg13", "vgg16", "vgg19")
for _name, (_column, _stages) in COLUMNS.items():
    _twin = _name if _name in IN_TORCHVISION else None
    _doc = DOCSTRING.format(column=_column, norm="")
    register(image=(3, 224, 224), family="VGG", torchvision=_twin)(member(_vgg, _name, _doc, stages=_stages))
    if _twin:
        _doc = DOCSTRING.format(column=_column, norm=", with batch normalisation")
        _builder = member(_vgg, f"{_name}_bn", _doc, defaults={"batch_norm": True}, stages=_stages)
        register(image=(3, 224, 224), family="VGG", torchvision=_builder.__name__)(_builder)
