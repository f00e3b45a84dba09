"""The image that each network was made for: what is counted and drawn where no other size is asked for."""

from __future__ import annotations

from course_lib.models.efficientnet import SCALES

ImageShape = tuple[int, int, int]

NETWORKS: dict[ImageShape, str] = {
    (1, 28, 28): "mnist_cnn",
    (1, 32, 32): "lenet5 lenet5_1998",
    (3, 32, 32): """
        nin_cifar plain_cifar plain20 plain32 plain44 plain56 plain110
        resnet_cifar resnet20 resnet32 resnet44 resnet56 resnet110 resnet1202
    """,
    (3, 224, 224): """
        alexnet_owt zfnet zfnet_512 vgg11 vgg11_bn vgg11_lrn vgg13 vgg13_bn vgg16 vgg16_1x1 vgg16_bn vgg16_small vgg19
        vgg19_bn googlenet googlenet_article_002 googlenet_article_003 googlenet_article_004 googlenet_torchvision
        plain18 plain34 resnet18 resnet34 resnet50 resnet50_article_004 resnet101 resnet152 mobilenet_v1 mobilenet_v2
    """,
    (3, 227, 227): "alexnet alexnet_one_tower",
}
INPUT_SHAPES: dict[str, ImageShape] = {
    **{name: shape for shape, names in NETWORKS.items() for name in names.split()},
    **{name: (3, scale.resolution, scale.resolution) for name, scale in SCALES.items()},
}


def input_shape(name: str) -> ImageShape:
    """The shape (C, H, W) of one image for the network ``name``, as built without options.

    Raises:
        ValueError: the table has no network of that name.
    """
    if name not in INPUT_SHAPES:
        raise ValueError(f"no image is known for network {name!r}; known: {', '.join(sorted(INPUT_SHAPES))}")
    return INPUT_SHAPES[name]
