"""What a count of a network can hold, part by part, and the figures that were printed of it."""

from __future__ import annotations

import re
from math import prod
from typing import Any

# Each network of chapter 5 and of the comparison, with the forms in which it is met.
NETWORKS: dict[str, tuple[str, dict[str, tuple[str, dict[str, Any]]]]] = {
    "resnet50": (
        "ResNet-50",
        {
            "stride in the 3x3, as libraries have it": ("resnet50", {}),
            "stride in the 1x1, as published": ("resnet50", {"stride_in": "1x1"}),
        },
    ),
    "resnet152": (
        "ResNet-152",
        {
            "stride in the 3x3, as libraries have it": ("resnet152", {}),
            "stride in the 1x1, as published": ("resnet152", {"stride_in": "1x1"}),
        },
    ),
    "vgg16": ("VGG-16", {"as published": ("vgg16", {})}),
    "alexnet": ("AlexNet", {"two groups, as published": ("alexnet", {}), "one tower": ("alexnet_one_tower", {})}),
    "googlenet": (
        "GoogLeNet",
        {"as published": ("googlenet", {}), "as in torchvision": ("googlenet_torchvision", {})},
    ),
    "mobilenet_v1": ("MobileNet", {"as published": ("mobilenet_v1", {})}),
    "mobilenet_v2": ("MobileNetV2", {"as published": ("mobilenet_v2", {})}),
    "efficientnet_b0": ("EfficientNet-B0", {"as published": ("efficientnet_b0", {})}),
}
ACTIVATIONS = ("Tanh", "ReLU", "ReLU6", "SiLU", "Sigmoid")
ELSEWHERE = {"resnet50": ("3.9", "7.7", "8.2")}  # met in libraries and articles; chapter 5 asks for them
SCALES = {"G": 10**9, "M": 10**6}


def conventions() -> list[dict[str, Any]]:
    """Sums over the rows of course_lib.complexity.analyze, and printed figures from the ledger."""
    return [
        {
            "name": name,
            "title": title,
            "forms": [{"words": words, **counted(*form)} for words, form in forms.items()],
            "printed": printed(name) + [printed_as(text, "G", "elsewhere") for text in ELSEWHERE.get(name, ())],
        }
        for name, (title, forms) in NETWORKS.items()
    ]


def counted(model_name: str, options: dict[str, Any]) -> dict[str, dict[str, int]]:
    """The parts of a count, as the network is used, and with its heads where training adds some."""
    from course_lib.complexity import analyze, build_meta
    from course_lib.models import input_shape

    model = build_meta(model_name, **options)
    used, trained = (parts(model, analyze(model, input_shape(model_name), training=mode)) for mode in (False, True))
    return {"used": used} | ({"trained": trained} if trained["conv"] != used["conv"] else {})


def parts(model: Any, cost: Any) -> dict[str, int]:
    """Multiply-adds of convolutions and of linear layers, and how many values each other kind of operation makes."""
    layers = dict(model.named_modules())

    def values(chosen: Any) -> int:
        return sum(prod(row.output_shape) for row in cost.rows if chosen(row))

    weighted = ("Conv2d", "Linear")
    linear = sum(row.macs for row in cost.rows if row.type == "Linear")
    return {
        "conv": cost.macs - linear,
        "linear": linear,
        "bias": values(lambda row: row.type in weighted and layers[row.name].bias is not None),
        "norm": values(lambda row: row.type == "BatchNorm2d"),
        "activation": values(lambda row: row.type in ACTIVATIONS),
        "sum": values(lambda row: row.type in ("add", "mul")),
    }


def printed(name: str) -> list[dict[str, str]]:
    """The ledger's figures of a network's multiply-adds, each form of it, each figure and source once."""
    from course_suite.ledger import entries
    from course_suite.ledger.text import stated_text

    forms, found = list(NETWORKS[name][1].values()), []
    for entry in entries():
        computed = entry.compute if isinstance(entry.compute, list) else [entry.compute]
        stated = entry.stated if isinstance(entry.stated, list) else [entry.stated]
        for part, how in zip(stated, computed, strict=False):
            asked = dict(how or {})
            form = (asked.pop("model", None), asked.pop("options", {}))
            if form in forms and asked.keys() == {"function", "in"} and asked["function"] == "macs":
                figure = printed_as(stated_text(part).replace(",", ""), asked["in"], entry.source)
                found += [figure] if figure not in found else []
    return found


def printed_as(text: str, unit: str, source: str) -> dict[str, Any]:
    """A figure as printed, what its unit stands for, and its source: "he2016deep" is He 2016."""
    key = re.fullmatch(r"([a-z]+)(\d{4})\w+", source)
    return {"text": text, "scale": SCALES[unit], "source": f"{key[1].capitalize()} {key[2]}" if key else source}
