"""The parameters of every network that ``build`` knows, with its defaults: published, or derived by hand.

A closed list: ``test_models_table`` fails when a network has no entry, and when an entry has no network.
"""

from __future__ import annotations

from typing import NamedTuple


class Count(NamedTuple):
    """A number that our code did not produce, and where it comes from."""

    parameters: int
    source: str


# GoogLeNet's table 1 with a bias per filter: 5,973,552 in the stem and the nine modules, added up row by row in
# test_models_googlenet. A head is 1x1 to 128, 2048 to 1024, 1024 to 1000; batch normalisation doubles the biases of the
# 7,280 filters of stem and modules and of the 128 of each head.
INCEPTION_NETWORK = 5_973_552
TWO_HEADS = (512 + 1) * 128 + (528 + 1) * 128 + 2 * ((2048 + 1) * 1024 + (1024 + 1) * 1000)


def cifar(depth: int) -> int:
    """A ResNet for CIFAR with parameter-free shortcuts, or its plain twin: weights, two per channel, and the FC."""
    n = (depth - 2) // 6
    first = 9 * 3 * 16 + 2 * 16
    stage1 = 2 * n * (9 * 16 * 16 + 2 * 16)
    stage2 = 9 * 16 * 32 + (2 * n - 1) * 9 * 32 * 32 + 2 * n * 2 * 32
    stage3 = 9 * 32 * 64 + (2 * n - 1) * 9 * 64 * 64 + 2 * n * 2 * 64
    return first + stage1 + stage2 + stage3 + (64 + 1) * 10


def article_004_stage(blocks: int, c_in: int, width: int, c_out: int) -> int:
    """Biased bottlenecks, each with a biased 1x1 convolution around it."""
    first = (c_in + 1) * width + (9 * width + 1) * width + (width + 1) * c_out + (c_in + 1) * c_out
    other = (c_out + 1) * width + (9 * width + 1) * width + (width + 1) * c_out + (c_out + 1) * c_out
    return first + (blocks - 1) * other


# AlexNet's, ZFNet's and VGG's sums: (channels in x kernel area + 1 for the bias) x channels out, layer by layer.
COUNTS: dict[str, Count] = {
    "lenet5_1998": Count(
        (25 + 1) * 6 + 2 * 6 + (25 * 60 + 16) + 2 * 16 + (25 * 16 + 1) * 120 + (120 + 1) * 84,
        "section II-B prints 60,000 trainable parameters: its 16 maps of C3 see 60 maps of S2",
    ),
    "lenet5": Count(
        (25 + 1) * 6 + (25 * 6 + 1) * 16 + (25 * 16 + 1) * 120 + (120 + 1) * 84 + (84 + 1) * 10, "by hand: 61,706"
    ),
    "mnist_cnn": Count(
        (25 + 1) * 16 + (16 * 25 + 1) * 32 + (32 * 25 + 1) * 64 + (64 * 9 + 1) * 100 + (100 + 1) * 10,
        "by hand: 123,222",
    ),
    "alexnet": Count(
        (3 * 121 + 1) * 96
        + (48 * 25 + 1) * 256
        + (256 * 9 + 1) * 384
        + (192 * 9 + 1) * 384
        + (192 * 9 + 1) * 256
        + (9216 + 1) * 4096
        + (4096 + 1) * 4096
        + (4096 + 1) * 1000,
        "by hand: 60,965,224, the kernels of section 3.5",
    ),
    "alexnet_one_tower": Count(
        60_965_224 + 48 * 25 * 256 + 192 * 9 * 384 + 192 * 9 * 256,
        "by hand: 62,378,344, alexnet and the weights that its second group lacks",
    ),
    "alexnet_owt": Count(61_100_840, "torchvision: AlexNet_Weights.meta['num_params']"),
    "nin_cifar": Count(
        (3 * 25 + 1) * 192
        + (192 + 1) * 160
        + (160 + 1) * 96
        + (96 * 25 + 1) * 192
        + (192 + 1) * 192
        + (192 + 1) * 192
        + (192 * 9 + 1) * 192
        + (192 + 1) * 192
        + (192 + 1) * 10,
        "by hand: 966,986, the authors' released widths",
    ),
    "vgg11": Count(132_863_336, "torchvision: VGG11_Weights.meta['num_params']; table 2: 133 million"),
    "vgg11_bn": Count(132_868_840, "torchvision: VGG11_BN_Weights.meta['num_params']"),
    "vgg11_lrn": Count(132_863_336, "as vgg11: response normalisation has no parameters; table 2: 133 million"),
    "vgg13": Count(133_047_848, "torchvision: VGG13_Weights.meta['num_params']; table 2: 133 million"),
    "vgg13_bn": Count(133_053_736, "torchvision: VGG13_BN_Weights.meta['num_params']"),
    "vgg16": Count(138_357_544, "torchvision: VGG16_Weights.meta['num_params']; table 2: 138 million"),
    "vgg16_1x1": Count(
        138_357_544 - 8 * (256 * 256 + 512 * 512 + 512 * 512),
        "by hand: 133,638,952, vgg16 less 8 of 9 weights in three of its kernels; table 2: 134 million",
    ),
    "vgg16_bn": Count(138_365_992, "torchvision: VGG16_BN_Weights.meta['num_params']"),
    "vgg16_small": Count(
        (3 * 9 + 1) * 16
        + (16 * 9 + 1) * 16
        + (16 * 9 + 1) * 32
        + (32 * 9 + 1) * 32
        + (32 * 9 + 1) * 64
        + (64 * 9 + 1) * 64 * 2
        + (64 * 9 + 1) * 128
        + (128 * 9 + 1) * 128 * 5
        + (128 * 49 + 1) * 100
        + (100 + 1) * 20
        + (20 + 1) * 2,
        "by hand: 1,550,146",
    ),
    "vgg19": Count(143_667_240, "torchvision: VGG19_Weights.meta['num_params']; table 2: 144 million"),
    "vgg19_bn": Count(143_678_248, "torchvision: VGG19_BN_Weights.meta['num_params']"),
    "zfnet": Count(
        (3 * 49 + 1) * 96
        + (96 * 25 + 1) * 256
        + (256 * 9 + 1) * 384
        + (384 * 9 + 1) * 384
        + (384 * 9 + 1) * 256
        + (9216 + 1) * 4096
        + (4096 + 1) * 4096
        + (4096 + 1) * 1000,
        "by hand: 62,357,608, figure 3",
    ),
    "zfnet_512": Count(
        (3 * 49 + 1) * 96
        + (96 * 25 + 1) * 256
        + (256 * 9 + 1) * 512
        + (512 * 9 + 1) * 1024
        + (1024 * 9 + 1) * 512
        + (6 * 6 * 512 + 1) * 4096
        + (4096 + 1) * 4096
        + (4096 + 1) * 1000,
        "by hand: 107,627,624, figure 3 with table 3's 512, 1024, 512 maps",
    ),
    "googlenet": Count(
        INCEPTION_NETWORK + (1024 + 1) * 1000 + TWO_HEADS, "by hand: 13,378,280, of which 6,379,728 in the two heads"
    ),
    "googlenet_torchvision": Count(
        6_624_904 + TWO_HEADS + 2 * 128, "by hand: 13,004,888, torchvision's published 6,624,904 and two heads"
    ),
    "googlenet_article_002": Count(
        INCEPTION_NETWORK + 7_280 + (1024 + 1) * 1000 + TWO_HEADS + 2 * 128,
        "by hand: 13,385,816, as article 002 states",
    ),
    "googlenet_article_003": Count(
        INCEPTION_NETWORK
        + 2 * (64 + 192)
        + ((512 + 1) * 128 + (528 + 1) * 128 + 2 * ((2048 + 1) * 256 + (256 + 1) * 10))
        + (1024 + 1) * 256
        + (256 + 1) * 10,
        "by hand: 7,426,638, trainable",
    ),
    "googlenet_article_004": Count(
        INCEPTION_NETWORK - (64 + 1) * 64 + (1024 + 1) * 2, "by hand: 5,971,442, no 1x1 in the stem, two classes"
    ),
    "resnet18": Count(11_689_512, "torchvision: ResNet18_Weights.meta['num_params']"),
    "resnet34": Count(21_797_672, "torchvision: ResNet34_Weights.meta['num_params']"),
    "resnet50": Count(25_557_032, "torchvision: ResNet50_Weights.meta['num_params']"),
    "resnet101": Count(44_549_160, "torchvision: ResNet101_Weights.meta['num_params']"),
    "resnet152": Count(60_192_808, "torchvision: ResNet152_Weights.meta['num_params']"),
    "plain18": Count(
        11_689_512 - (64 * 128 + 128 * 256 + 256 * 512 + 2 * (128 + 256 + 512)),
        "by hand: 11,515,688, resnet18 without its three projections",
    ),
    "plain34": Count(
        21_797_672 - (64 * 128 + 128 * 256 + 256 * 512 + 2 * (128 + 256 + 512)),
        "by hand: 21,623,848, resnet34 without its three projections",
    ),
    "resnet20": Count(cifar(20), "by hand: 269,722; table 6: 0.27 million"),
    "plain20": Count(cifar(20), "by hand: 269,722, as resnet20"),
    "resnet32": Count(cifar(32), "by hand: 464,154; table 6: 0.46 million"),
    "plain32": Count(cifar(32), "by hand: 464,154, as resnet32"),
    "resnet44": Count(cifar(44), "by hand: 658,586; table 6: 0.66 million"),
    "plain44": Count(cifar(44), "by hand: 658,586, as resnet44"),
    "resnet56": Count(cifar(56), "by hand: 853,018; table 6: 0.85 million"),
    "plain56": Count(cifar(56), "by hand: 853,018, as resnet56"),
    "resnet110": Count(cifar(110), "by hand: 1,727,962; table 6: 1.7 million"),
    "plain110": Count(cifar(110), "by hand: 1,727,962, as resnet110"),
    "resnet1202": Count(cifar(1202), "by hand: 19,421,274; table 6: 19.4 million"),
    "resnet_cifar": Count(cifar(20), "by hand: 269,722, the default is resnet20"),
    "plain_cifar": Count(cifar(20), "by hand: 269,722, the default is plain20"),
    "resnet50_article_004": Count(
        (3 * 49 + 1) * 64
        + article_004_stage(3, 64, 64, 256)
        + article_004_stage(4, 256, 128, 512)
        + article_004_stage(6, 512, 256, 1024)
        + article_004_stage(3, 1024, 512, 2048)
        + (2048 + 1) * 2,
        "by hand: 38,045,826, with an equaliser in every block, as written",
    ),
    "mobilenet_v1": Count(
        (27 * 32 + 2 * 32)
        + (9 + 2) * (32 + 64 + 2 * 128 + 2 * 256 + 6 * 512 + 1024)
        + (
            32 * 64
            + 64 * 128
            + 128 * 128
            + 128 * 256
            + 256 * 256
            + 256 * 512
            + 5 * 512 * 512
            + 512 * 1024
            + 1024 * 1024
        )
        + 2 * (64 + 2 * 128 + 2 * 256 + 6 * 512 + 2 * 1024)
        + (1024 + 1) * 1000,
        "by hand: 4,231,976; tables 4 and 6: 4.2 million",
    ),
    "mobilenet_v2": Count(3_504_872, "torchvision: MobileNet_V2_Weights.meta['num_params']; table 4: 3.4 million"),
    "efficientnet_b0": Count(
        5_288_548, "torchvision: EfficientNet_B0_Weights.meta['num_params']; table 2: 5.3 million"
    ),
    "efficientnet_b1": Count(
        7_794_184, "torchvision: EfficientNet_B1_Weights.meta['num_params']; table 2: 7.8 million"
    ),
    "efficientnet_b2": Count(
        9_109_994, "torchvision: EfficientNet_B2_Weights.meta['num_params']; table 2: 9.2 million"
    ),
    "efficientnet_b3": Count(
        12_233_232, "torchvision: EfficientNet_B3_Weights.meta['num_params']; table 2: 12 million"
    ),
    "efficientnet_b4": Count(
        19_341_616, "torchvision: EfficientNet_B4_Weights.meta['num_params']; table 2: 19 million"
    ),
    "efficientnet_b5": Count(
        30_389_784, "torchvision: EfficientNet_B5_Weights.meta['num_params']; table 2: 30 million"
    ),
    "efficientnet_b6": Count(
        43_040_704, "torchvision: EfficientNet_B6_Weights.meta['num_params']; table 2: 43 million"
    ),
    "efficientnet_b7": Count(
        66_347_960, "torchvision: EfficientNet_B7_Weights.meta['num_params']; table 2: 66 million"
    ),
}
