"""GoogLeNet: nine Inception modules and two auxiliary classifiers.

Szegedy et al., "Going deeper with convolutions", CVPR 2015, arXiv:1409.4842. The modules stand in ``inception``, the
forms that articles and torchvision gave the network in ``googlenet_variants``.

Table 1 of the paper does not agree with itself (K is 1024, M a million, biases are not counted). First convolution:
2.7 K parameters and 34 M operations printed, where 7x7 kernels from 3 to 64 channels hold 9,408 weights and take 118 M.
A separable layer fits both, eight 7x7 filters for each channel and a 1x1 convolution behind them: 2,712 weights; Ioffe
and Szegedy 2015 name that layer. 4c: 463 K printed, but its widths hold 498 K, which its printed operations fit.
5a: the printed 1072 K and 54 M fit each other, but its widths hold 1018 K and take 51 M. The parameters of 4a, 4b, 4d,
4e and 5b are printed 0.2 to 1.8 % below what the widths hold, and 3b's 0.3 % above, which its biases explain; their
operations fit.
"""

from __future__ import annotations

from functools import partial
from typing import Literal, NamedTuple

from torch import Tensor, nn

from course_lib.models.blocks import checks_input_size, conv_norm_act, initialize, local_response_norm
from course_lib.models.inception import AuxiliaryHead, Inception, InceptionWidths, Norm
from course_lib.models.registry import register


class Row(NamedTuple):
    """A module of table 1: what enters it, its widths, whether a pooling and an auxiliary head follow it."""

    in_channels: int
    widths: InceptionWidths
    pool: bool = False
    aux: bool = False


def _widths(b1: int, b3: tuple[int, int], b5: tuple[int, int], pool_proj: int) -> InceptionWidths:
    return InceptionWidths(b1, b3_reduce=b3[0], b3=b3[1], b5_reduce=b5[0], b5=b5[1], pool_proj=pool_proj)


# Table 1, from the third row on. The pairs are (reduce, convolution).
TABLE_1 = {
    "3a": Row(192, _widths(64, b3=(96, 128), b5=(16, 32), pool_proj=32)),
    "3b": Row(256, _widths(128, b3=(128, 192), b5=(32, 96), pool_proj=64), pool=True),
    "4a": Row(480, _widths(192, b3=(96, 208), b5=(16, 48), pool_proj=64), aux=True),
    "4b": Row(512, _widths(160, b3=(112, 224), b5=(24, 64), pool_proj=64)),
    "4c": Row(512, _widths(128, b3=(128, 256), b5=(24, 64), pool_proj=64)),
    "4d": Row(512, _widths(112, b3=(144, 288), b5=(32, 64), pool_proj=64), aux=True),
    "4e": Row(528, _widths(256, b3=(160, 320), b5=(32, 128), pool_proj=128), pool=True),
    "5a": Row(832, _widths(256, b3=(160, 320), b5=(32, 128), pool_proj=128)),
    "5b": Row(832, _widths(384, b3=(192, 384), b5=(48, 128), pool_proj=128)),
}


class Design(NamedTuple):
    """What sets one GoogLeNet apart from another; the defaults are the paper's network."""

    batch_norm: bool = False  # behind each convolution, which then has no bias
    stem_norm: Literal["lrn", "batch", "none"] = "lrn"  # two layers in the stem
    stem_reduce: bool = True  # the 1x1 convolution in front of the stem's 3x3
    stem_relu: bool = True
    conv1_padding: tuple[int, int] = (3, 3)  # zeros (left and top, right and bottom)
    pool_padding: int | None = None  # zeros per side of the max poolings; None: none, and sizes are rounded up
    pool4_kernel: int = 3  # of the max pooling behind 4e
    b5_kernel: int = 5
    dropout: float = 0.4
    hidden_features: int | None = None  # a linear layer in front of the last one, without activation
    aux_pool: Literal["window", "adaptive"] = "window"
    aux_features: int = 1024
    aux_dropout: float = 0.7

    @property
    def norm(self) -> Norm:
        """The normalisation behind each convolution; 0.001 is the epsilon of all Inception programs."""
        return partial(nn.BatchNorm2d, eps=0.001) if self.batch_norm else None


class GoogLeNetOutput(NamedTuple):
    """``logits`` (N, num_classes); ``aux``: the auxiliary heads' logits in order of depth, none in eval mode."""

    logits: Tensor
    aux: tuple[Tensor, ...]


class GoogLeNet(nn.Module):
    """See :func:`googlenet`: ``features``, auxiliary heads on some of them, and ``classifier``."""

    def __init__(self, *, num_classes: int, in_channels: int, aux_heads: bool, design: Design) -> None:
        super().__init__()
        self.features = _stem(in_channels, design)
        for name, row in TABLE_1.items():
            module = Inception(row.in_channels, row.widths, norm=design.norm, b5_kernel=design.b5_kernel)
            self.features.add_module(f"inception{name}", module)
            if row.pool:
                kernel_size = 3 if name == "3b" else design.pool4_kernel
                self.features.add_module(f"pool{name[0]}", _max_pool(kernel_size, design.pool_padding))
        heads = {name: row.widths.out_channels for name, row in TABLE_1.items() if row.aux and aux_heads}
        self.aux_heads = nn.ModuleDict({f"inception{name}": _head(c, num_classes, design) for name, c in heads.items()})
        self.classifier = _classifier(num_classes, design)
        initialize(self, partial(nn.init.kaiming_normal_, nonlinearity="relu"))

    @checks_input_size
    def forward(self, x: Tensor) -> GoogLeNetOutput | Tensor:
        """(N, C, H, W) -> logits (N, num_classes), as a field of a ``GoogLeNetOutput`` if there are auxiliary heads."""
        aux = []
        for name, layer in self.features.named_children():
            x = layer(x)
            if self.training and name in self.aux_heads:
                aux.append(self.aux_heads[name](x))
        logits = self.classifier(x)
        return GoogLeNetOutput(logits, tuple(aux)) if self.aux_heads else logits


@register(image=(3, 224, 224), family="GoogLeNet")
def googlenet(
    *,
    num_classes: int = 1000,
    in_channels: int = 3,
    aux_heads: bool = True,
    batch_norm: bool = False,
    b5_kernel: Literal[5, 3] = 5,
    aux_pool: Literal["window", "adaptive"] = "window",
    dropout: float = 0.4,
) -> GoogLeNet:
    """GoogLeNet as published: 6,998,552 parameters, and 6,379,728 more in the auxiliary heads.

    (N, in_channels, 224, 224) -> ``GoogLeNetOutput``: logits (N, num_classes) and the heads' logits, in order of depth,
    which are there in training mode only. H and W may be any sizes from 31 on; where published heads run, 223 to 270.
    The paper adds the heads' losses with weight 0.3.

    Args:
        num_classes: number of logits.
        in_channels: channels of the image.
        aux_heads: the two auxiliary classifiers; without them the network returns the logits as a plain tensor.
        batch_norm: BN-Inception's batch normalisation behind each convolution, in place of its bias and of the local
            response normalisation (Ioffe and Szegedy 2015, arXiv:1502.03167, section 4.2.1).
        b5_kernel: kernel size of the modules' third branch; 3 is what torchvision has there.
        aux_pool: "window", 5x5 with stride 3; or "adaptive", which lets the heads run at any size.
        dropout: probability of a zero in front of the last linear layer.

    Source: Szegedy et al. 2015, section 5, table 1, figure 3.

    Differs from the paper: the average pooling takes maps of any size; the first convolution pads 3 per side and
    poolings round sizes up, where figure 3 says only "same"; the paper names neither the constants of the local
    response normalisation (AlexNet's here) nor the initial weights (He's normal ones here, biases 0).

    Raises:
        ValueError: ``b5_kernel`` or ``aux_pool`` is not one of the two.
    """
    stem_norm = "none" if batch_norm else "lrn"
    design = Design(batch_norm=batch_norm, stem_norm=stem_norm, b5_kernel=b5_kernel, aux_pool=aux_pool, dropout=dropout)
    return GoogLeNet(num_classes=num_classes, in_channels=in_channels, aux_heads=aux_heads, design=design)


def _stem(in_channels: int, design: Design) -> nn.Sequential:
    """The layers in front of the modules: (N, in_channels, H, W) -> (N, 192, about H / 8, about W / 8)."""
    before, after = design.conv1_padding
    conv = partial(conv_norm_act, norm=design.norm, act=nn.ReLU if design.stem_relu else None)
    stem = nn.Sequential()
    if before != after:
        stem.add_module("pad1", nn.ZeroPad2d((before, after, before, after)))
    stem.add_module("conv1", conv(in_channels, 64, 7, stride=2, padding=before if before == after else 0))
    stem.add_module("pool1", _max_pool(3, design.pool_padding))
    if design.stem_norm != "none":
        stem.add_module("norm1", _stem_norm(64, design))
    if design.stem_reduce:
        stem.add_module("reduce2", conv(64, 64, 1))
    stem.add_module("conv2", conv(64, 192, 3, padding=1))
    if design.stem_norm != "none":
        stem.add_module("norm2", _stem_norm(192, design))
    stem.add_module("pool2", _max_pool(3, design.pool_padding))
    return stem


def _stem_norm(channels: int, design: Design) -> nn.Module:
    return local_response_norm() if design.stem_norm == "lrn" else nn.BatchNorm2d(channels, eps=0.001, momentum=0.01)


def _max_pool(kernel_size: int, padding: int | None) -> nn.MaxPool2d:
    return nn.MaxPool2d(kernel_size, stride=2, padding=padding or 0, ceil_mode=padding is None)


def _head(in_channels: int, num_classes: int, design: Design) -> AuxiliaryHead:
    return AuxiliaryHead(
        in_channels,
        num_classes,
        norm=design.norm,
        pool=design.aux_pool,
        hidden_features=design.aux_features,
        dropout=design.aux_dropout,
    )


def _classifier(num_classes: int, design: Design) -> nn.Sequential:
    """Global average pooling, dropout, logits: (N, 1024, H, W) -> (N, num_classes)."""
    features = TABLE_1["5b"].widths.out_channels
    layers = nn.Sequential()
    layers.add_module("pool", nn.AdaptiveAvgPool2d(1))
    layers.add_module("flatten", nn.Flatten())
    layers.add_module("dropout", nn.Dropout(design.dropout))
    if design.hidden_features is not None:
        layers.add_module("hidden", nn.Linear(features, design.hidden_features))
        features = design.hidden_features
    layers.add_module("fc", nn.Linear(features, num_classes))
    return layers
