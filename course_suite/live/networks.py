"""The book's networks without branches, as the words of the stacking piece: ``1x32x32.conv-6-k5.avg-k2.linear-10``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from torch import nn

from course_lib.complexity import Row

PRESETS = {
    "lenet5": "LeNet-5",
    "mnist_cnn": "the first CNN",
    "alexnet": "AlexNet",
    "zfnet": "ZFNet",
    "vgg11": "VGG-11",
    "vgg16": "VGG-16",
    "nin_cifar": "Network in network",
}
ACTIVATIONS = (nn.ReLU, nn.Tanh)
FREE = (*ACTIVATIONS, nn.Dropout, nn.Flatten, nn.LocalResponseNorm)  # no parameters, no multiply-adds, same pixels


def networks() -> dict[str, dict[str, str]]:
    """From the modules of course_lib.models, in the order in which course_lib.complexity sees them called."""
    return {name: described(name, title) for name, title in PRESETS.items()}


def described(name: str, title: str) -> dict[str, str]:
    """A network's title, its layers as words, and its activation.

    Raises:
        ValueError: a layer has no word.
    """
    from course_lib.complexity import analyze, on_meta
    from course_lib.models import build, input_shape

    with on_meta():
        model, shape = build(name), input_shape(name)
    rows = analyze(model, shape).rows
    modules = dict(model.named_modules())
    words = [word for row in rows for word in words_of(modules[row.name], row)]
    used = [type(modules[row.name]).__name__ for row in rows if isinstance(modules[row.name], ACTIVATIONS)]
    return {"title": title, "words": ".".join(["x".join(map(str, shape)), *words]), "activation": used[0]}


def words_of(module: nn.Module, row: Row) -> Iterator[str]:
    """The word of a layer; none for a layer that costs nothing and keeps its pixels."""
    unchanged = row.output_shape == row.input_shapes[0]
    if isinstance(module, FREE) or (isinstance(module, nn.AdaptiveAvgPool2d) and unchanged):
        return
    if isinstance(module, nn.Conv2d):
        yield joined(f"conv-{module.out_channels}", module, usual_stride=1)
    elif isinstance(module, nn.MaxPool2d | nn.AvgPool2d):
        kind = "max" if isinstance(module, nn.MaxPool2d) else "avg"
        yield joined(kind, module, usual_stride=module.kernel_size)
    elif isinstance(module, nn.BatchNorm2d):
        yield "norm"
    elif isinstance(module, nn.AdaptiveAvgPool2d) and row.output_shape[2:] == (1, 1):
        yield "global"
    elif isinstance(module, nn.Linear):
        yield f"linear-{module.out_features}" + ("" if module.bias is not None else "-nobias")
    else:
        raise ValueError(f"no word for {type(module).__name__} ({row.name})")


def joined(start: str, module: Any, usual_stride: Any) -> str:
    """``start``, then what differs from a layer's usual values."""
    word = f"{start}-k{size(module.kernel_size)}"
    usual = {"stride": usual_stride, "padding": 0, "dilation": 1, "groups": 1}
    for name, value in usual.items():
        if size(getattr(module, name, value)) != size(value):
            word += f"-{name[0]}{size(getattr(module, name))}"
    if getattr(module, "bias", True) is None:
        word += "-nobias"
    return word + ("-ceil" if getattr(module, "ceil_mode", False) else "")


def size(value: int | tuple[int, int]) -> str:
    """One number where both are the same, else two joined by x."""
    sides = value if isinstance(value, tuple) else (value, value)
    return str(sides[0]) if sides[0] == sides[1] else f"{sides[0]}x{sides[1]}"
