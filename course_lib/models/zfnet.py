"""ZFNet: AlexNet with smaller filters and stride in its first layers, found by looking at what the layers see.

Zeiler, Fergus, "Visualizing and understanding convolutional networks", ECCV 2014, arXiv:1311.2901. The paper's tool
for looking, the deconvnet, stands in ``deconvnet``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from course_lib.models.alexnet import AlexNet, ConvLayer
from course_lib.models.registry import register

# Figure 3. Paddings are not printed: these, with pooled sizes rounded up, give its maps of 110, 55, 26, 13 and 6.
ZFNET = (
    ConvLayer(96, kernel_size=7, stride=2, padding=1, then=("pool", "norm")),
    ConvLayer(256, kernel_size=5, stride=2, then=("pool", "norm")),
    ConvLayer(384, kernel_size=3, padding=1),
    ConvLayer(384, kernel_size=3, padding=1),
    ConvLayer(256, kernel_size=3, padding=1, then=("pool",)),
)
# Table 3, "layers 3, 4, 5: 512, 1024, 512 maps".
ZFNET_512 = (
    *ZFNET[:2],
    *(row._replace(out_channels=width) for row, width in zip(ZFNET[2:], (512, 1024, 512), strict=True)),
)


@register(image=(3, 224, 224), family="ZFNet")
def zfnet(
    *,
    num_classes: int = 1000,
    in_channels: int = 3,
    input_size: int | tuple[int, int] = 224,
    dropout: float = 0.5,
    hidden_features: int = 4096,
) -> ZFNet:
    """ZFNet: 62,357,608 parameters with the defaults.

    (N, in_channels, 224, 224) -> logits (N, num_classes).

    Args:
        num_classes: number of logits.
        in_channels: channels of the image.
        input_size: pixels per side, or (height, width): the first fully connected layer depends on it. At 224 the
            network takes 207 to 238 pixels per side.
        dropout: probability of a zero behind each of the two hidden fully connected layers.
        hidden_features: units in each of these layers; table 3 tries 2048 and 8192.

    Source: Zeiler and Fergus 2014, section 3 and figure 3; initial weights: section 3.1.

    Differs from the paper: it prints no paddings, so one pixel around the first convolution and pooled sizes rounded
    up were chosen, the one simple choice that gives the sizes of figure 3; "contrast normalised across feature maps"
    is AlexNet's response normalisation, behind the first two poolings, since no formula is given; "weights are
    initialised to 0.01" is read as normal with that standard deviation; filters of the first layer are not
    renormalised while training.

    Raises:
        ValueError: ``input_size`` is too small; the message names the layer and the smallest size that works.
    """
    return ZFNet(ZFNET, num_classes, in_channels, input_size, dropout, hidden_features)


@register(image=(3, 224, 224), family="ZFNet")
def zfnet_512(
    *,
    num_classes: int = 1000,
    in_channels: int = 3,
    input_size: int | tuple[int, int] = 224,
    dropout: float = 0.5,
    hidden_features: int = 4096,
) -> ZFNet:
    """ZFNet with 512, 1024 and 512 maps in layers 3, 4 and 5, table 3's best: 107,627,624 parameters.

    Shapes, arguments, errors, source and differences are those of :func:`zfnet`.
    """
    return ZFNet(ZFNET_512, num_classes, in_channels, input_size, dropout, hidden_features)


class ZFNet(AlexNet):
    """See :func:`zfnet`: AlexNet with another table, pooled sizes rounded up, and biases that start at 0."""

    def __init__(self, layers: Sequence[ConvLayer], *args: Any) -> None:
        super().__init__(layers, *args, ceil_mode=True, hidden_bias=0.0)
