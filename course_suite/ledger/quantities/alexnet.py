"""Figures of the AlexNet paper that no count of the network gives."""

from __future__ import annotations

from course_lib import arithmetic
from course_suite.ledger.quantities import quantity


@quantity
def alexnet_least_image_side(maps: int, model: str = "alexnet", padding: int = 0) -> int:
    """The least side of an image from which the first convolution makes maps of that side."""
    from course_suite.ledger.quantities.networks import network

    conv = network(model).features.conv1
    return arithmetic.input_sizes(maps, conv.kernel_size[0], conv.stride[0], padding).start


@quantity
def alexnet_crops(image: int, crop: int) -> int:
    """Different crops of one image, each as it is and mirrored."""
    positions = arithmetic.conv_output_size(image, crop)
    return 2 * positions**2
