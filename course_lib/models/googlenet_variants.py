"""GoogLeNet in other hands: torchvision's, and those of three articles, numbered as the course numbers them.

Each is a ``Design`` of ``googlenet``: its docstring says what sets it apart from Szegedy et al. 2015, arXiv:1409.4842.
"""

from __future__ import annotations

from course_lib.models.googlenet import Design, GoogLeNet
from course_lib.models.registry import register

TORCHVISION = Design(batch_norm=True, stem_norm="none", b5_kernel=3, pool4_kernel=2, dropout=0.2, aux_pool="adaptive")
ARTICLE_002 = Design(batch_norm=True, stem_norm="none", pool_padding=1)
ARTICLE_003 = Design(stem_norm="batch", conv1_padding=(2, 3), hidden_features=256, aux_features=256, aux_dropout=0.4)
ARTICLE_004 = Design(stem_norm="none", stem_reduce=False, stem_relu=False, pool_padding=1)


@register(image=(3, 224, 224), family="GoogLeNet", torchvision="googlenet")
def googlenet_torchvision(*, num_classes: int = 1000, in_channels: int = 3, aux_heads: bool = True) -> GoogLeNet:
    """torchvision's GoogLeNet: 6,624,904 parameters, and 6,379,984 more in the auxiliary heads.

    (N, in_channels, H, W) -> ``GoogLeNetOutput``, or logits (N, num_classes) without heads. H and W at least 15.

    Takes torchvision's weights: ``network.load_state_dict(match_state_dict(network, theirs))`` with
    ``blocks.match_state_dict``. Its pretrained weights expect pixels scaled to -1..1: torchvision's
    ``transform_input`` makes them of the usual normalised ones.

    Args:
        num_classes: number of logits.
        in_channels: channels of the image.
        aux_heads: the two auxiliary classifiers; without them the network returns the logits as a plain tensor.

    Source: torchvision.models.googlenet.

    Differs from the paper: the branch of the 5x5 convolutions has 3x3 ones, a slip that the published weights keep;
    batch normalisation, no local response normalisation; 2x2 pooling behind 4e; adaptive pooling in the heads;
    dropout 0.2.
    """
    return GoogLeNet(num_classes=num_classes, in_channels=in_channels, aux_heads=aux_heads, design=TORCHVISION)


@register(image=(3, 224, 224), family="GoogLeNet")
def googlenet_article_002(*, num_classes: int = 1000, in_channels: int = 3, aux_heads: bool = True) -> GoogLeNet:
    """GoogLeNet as article 002 writes it in PyTorch: 13,385,816 parameters with the auxiliary heads.

    (N, in_channels, 224, 224) -> ``GoogLeNetOutput``, or logits (N, num_classes) without heads. H and W may be any
    sizes; where heads run, 209 to 256.

    Args:
        num_classes: number of logits.
        in_channels: channels of the image.
        aux_heads: the two auxiliary classifiers; without them the network returns the logits as a plain tensor.

    Source: an article on GoogLeNet with PyTorch, number 002 of those that the course checks.

    Differs from the paper: batch normalisation (epsilon 0.001) instead of biases and of local response normalisation;
    max poolings pad 1 per side.

    Differs from the article: the heads' logits come in order of depth, where it returns the deeper one first.
    """
    return GoogLeNet(num_classes=num_classes, in_channels=in_channels, aux_heads=aux_heads, design=ARTICLE_002)


@register(image=(3, 224, 224), family="GoogLeNet")
def googlenet_article_003(*, num_classes: int = 10, in_channels: int = 3, aux_heads: bool = True) -> GoogLeNet:
    """GoogLeNet as article 003 writes it in Keras: 7,426,638 trainable parameters, and 512 that Keras calls not so.

    Those 512 are the running means and variances of two batch normalisations, which torch holds as buffers.

    (N, in_channels, 224, 224) -> ``GoogLeNetOutput``, or logits (N, num_classes) without heads. H and W may be any
    sizes from 31 on; where heads run, 223 to 270.

    Args:
        num_classes: number of logits.
        in_channels: channels of the image.
        aux_heads: the two auxiliary classifiers; without them the network returns the logits as a plain tensor.

    Source: an article on GoogLeNet with Keras, number 003 of those that the course checks.

    Differs from the paper: batch normalisation where the paper has local response normalisation, and nowhere else;
    256 hidden units and dropout 0.4 in the heads; a linear layer of 256 units in front of the last one.

    Differs from the article: channels first; logits without softmax; the heads run in training only; the paddings
    are those that 'same' gives at 224 pixels; the average pooling takes maps of any size; He's initial weights.
    """
    return GoogLeNet(num_classes=num_classes, in_channels=in_channels, aux_heads=aux_heads, design=ARTICLE_003)


@register(image=(3, 224, 224), family="GoogLeNet")
def googlenet_article_004(*, num_classes: int = 2, in_channels: int = 3) -> GoogLeNet:
    """GoogLeNet as article 004 writes it in PyTorch: 5,971,442 parameters, no auxiliary heads.

    (N, in_channels, 224, 224) -> logits (N, num_classes). H and W may be any sizes.

    Args:
        num_classes: number of logits.
        in_channels: channels of the image.

    Source: an article on convolutional networks with PyTorch, number 004 of those that the course checks.

    Differs from the paper: no heads, no local response normalisation; a stem without the 1x1 convolution and without
    ReLU; max poolings pad 1 per side.

    Differs from the article: works with any batch size and any maps, where it reshapes by a global batch size and
    averages over 7x7; plain dropout on the pooled features, which there is the same as its ``Dropout2d``; no option
    for the stem's width, since its table fits 64 only; He's initial weights.
    """
    return GoogLeNet(num_classes=num_classes, in_channels=in_channels, aux_heads=False, design=ARTICLE_004)
