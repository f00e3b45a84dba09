"""Networks that the papers compare themselves with and that this course does not build: parameters and multiply-adds.

Torchvision has some of them; the others are counted by hand, layer by layer, in ``compared_tables`` and
``compared_nasnet``. A normalisation has two parameters per channel.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache, partial
from typing import TYPE_CHECKING

from course_suite.ledger.quantities import quantity
from course_suite.ledger.quantities.compared_nasnet import nasnet_a
from course_suite.ledger.quantities.compared_tables import (
    Counted,
    inception_resnet_v2,
    inception_v4,
    shufflenet,
    xception,
)

if TYPE_CHECKING:
    from torch import nn

    from course_lib.complexity import Complexity

DENSENET_264 = (6, 12, 64, 48)  # Huang et al. 2017, table 1
WITHOUT_AUXILIARY_HEAD = {"aux_logits": False, "init_weights": False}
TABLES: dict[str, Callable[[], Counted]] = {
    "shufflenet_1.5": partial(shufflenet, 1.5),
    "shufflenet_2": partial(shufflenet, 2, first=48),
    "xception": xception,
    "inception_v4": inception_v4,
    "inception_resnet_v2": inception_resnet_v2,
    "nasnet_a_4_1056": partial(nasnet_a, 224, 4, 1056, 32, skip_reduction=False),
    "nasnet_a_6_4032": partial(nasnet_a, 331, 6, 4032, 96, skip_reduction=True),
}


@quantity
def compared_params(network: str, statistics: bool = False) -> int:
    """Trainable parameters; with ``statistics`` the means and variances of the normalisations too."""
    if network in TABLES:
        counted = _table(network)
        return counted.weights + counted.biases + (4 if statistics else 2) * counted.normalised
    model = _network(network)
    count = sum(parameter.numel() for parameter in model.parameters())
    if statistics:
        count += sum(value.numel() for name, value in model.named_buffers() if not name.endswith("num_batches_tracked"))
    return count


@quantity
def compared_macs(network: str, side: int) -> int:
    """Multiply-adds of one image of ``side`` pixels per side."""
    if network not in TABLES:
        return _analysis(network, side).macs
    counted = _table(network)
    if counted.image_side != side:
        raise ValueError(f"{network} is counted for images of {counted.image_side} pixels, got side={side}")
    return counted.macs


@cache
def _table(network: str) -> Counted:
    return TABLES[network]()


@cache
def _network(name: str) -> nn.Module:
    from torchvision import models

    from course_lib.complexity import on_meta

    with on_meta():
        if name == "densenet264":
            return models.DenseNet(growth_rate=32, block_config=DENSENET_264, num_init_features=64)
        return models.get_model(name, **(WITHOUT_AUXILIARY_HEAD if name == "inception_v3" else {}))


@cache
def _analysis(name: str, side: int) -> Complexity:
    from course_lib.complexity import analyze

    return analyze(_network(name), (3, side, side))


@quantity
def significant_digits(number: float, digits: int) -> float:
    """A number rounded to so many significant digits, for a figure whose last zeros are no digits."""
    step = 10 ** (math.floor(math.log10(abs(number))) + 1 - digits)
    rounded = math.floor(number / step + 0.5) * step
    return int(rounded) if step >= 1 else rounded
