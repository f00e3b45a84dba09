"""Drawings of networks: what they show, that they are accessible, and that nothing overlaps or is cut off."""

from __future__ import annotations

import re
from itertools import combinations
from typing import NamedTuple
from xml.etree import ElementTree

import pytest
import torch
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath
from torch import Tensor, nn

from course_lib.complexity import build_meta, on_meta
from course_lib.figures.architecture import draw
from course_lib.models import input_shape, names

SVG = "{http://www.w3.org/2000/svg}"


class Rect(NamedTuple):
    left: float
    top: float
    right: float
    bottom: float


def parse(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg)


def texts(svg: str) -> list[str]:
    return [element.text for element in parse(svg).iter(f"{SVG}text")]


def description(svg: str) -> str:
    return parse(svg).find(f"{SVG}desc").text


def rects(svg: str) -> list[Rect]:
    """All rectangles but the card."""
    found = []
    for element in list(parse(svg).iter(f"{SVG}rect"))[1:]:
        x, y, width, height = (float(element.get(key)) for key in ("x", "y", "width", "height"))
        found.append(Rect(x, y, x + width, y + height))
    return found


def overlap(one: Rect, other: Rect) -> bool:
    """Whether two rectangles cut each other; one may lie within the other."""
    apart = one.right <= other.left or other.right <= one.left or one.bottom <= other.top or other.bottom <= one.top
    return not apart and not within(one, other) and not within(other, one)


def within(one: Rect, other: Rect) -> bool:
    slack = 0.11  # numbers are rounded to one decimal
    return (
        one.left >= other.left - slack
        and one.top >= other.top - slack
        and one.right <= other.right + slack
        and one.bottom <= other.bottom + slack
    )


def drawn(name: str, **options: object) -> str:
    return draw(build_meta(name), input_shape(name), title=name, **options)


@pytest.mark.parametrize("name", ["lenet5", "googlenet", "resnet18", "mobilenet_v2"])
def test_same_network_gives_the_same_bytes(name: str) -> None:
    assert drawn(name) == drawn(name)


def test_drawing_has_a_title_and_a_description_for_those_who_do_not_see_it() -> None:
    root = parse(drawn("lenet5"))

    assert root.get("role") == "img"
    title, text = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert root.get("aria-labelledby").split() == [title.get("id"), text.get("id")]
    assert title.text == "Architecture of lenet5"
    assert text.text == (
        "61,706 parameters · 417 k multiply-adds. From input 1×32×32: conv 5×5, 6 Tanh, average pool 2×2, /2, "
        "conv 5×5, 16 Tanh, average pool 2×2, /2, fully connected, 120 Tanh, fully connected, 84 Tanh, "
        "fully connected, 10."
    )


def test_drawings_of_different_networks_have_different_names() -> None:
    one, other = (parse(drawn(name)).get("aria-labelledby") for name in ("lenet5", "alexnet"))

    assert one != other


MUCH_LIKE_OTHERS = re.compile(r"(efficientnet_b[1-7]|vgg\d+_bn|(resnet|plain)(34|44|56|101|110|152|1202))")


@pytest.mark.parametrize("name", [name for name in names() if not MUCH_LIKE_OTHERS.fullmatch(name)])
def test_nothing_overlaps_and_nothing_is_cut_off(name: str) -> None:
    svg = drawn(name)

    _, _, width, height = (float(value) for value in parse(svg).get("viewBox").split())
    card = Rect(0, 0, width, height)
    found = rects(svg)
    assert all(within(rect, card) for rect in found)
    assert not [pair for pair in combinations(found, 2) if overlap(*pair)]
    assert min(int(element.get("font-size")) for element in parse(svg).iter(f"{SVG}text")) >= 9
    assert "nan" not in svg


@pytest.mark.parametrize("name", ["googlenet", "resnet18", "mobilenet_v1"])
def test_texts_fit_into_their_boxes(name: str) -> None:
    """Measured in DejaVu Sans, the widest of the fonts that are asked for."""
    svg = drawn(name)
    boxes = rects(svg)
    widths: dict[tuple, float] = {}
    for element in parse(svg).iter(f"{SVG}text"):
        x, y, weight = float(element.get("x")), float(element.get("y")), element.get("font-weight", "normal")
        around = [box for box in boxes if box.left <= x <= box.right and box.top <= y <= box.bottom]
        if not around or element.get("text-anchor") != "middle":
            continue
        key = element.text, int(element.get("font-size")), weight
        if key not in widths:
            font = FontProperties(family="DejaVu Sans", weight=weight)
            widths[key] = TextPath((0, 0), key[0], size=key[1], prop=font).get_extents().width
        smallest = min(around, key=lambda box: box.right - box.left)
        assert widths[key] <= smallest.right - smallest.left, key


def test_inception_shows_its_branches_side_by_side() -> None:
    svg = draw(build_meta("googlenet").features.inception3a, (192, 28, 28))

    assert "4 branches (conv 1×1, 64 ReLU; conv 1×1, 96 ReLU, conv 3×3, 128 ReLU; " in description(svg)
    assert {"1×1, 64", "3×3, 128", "5×5, 32", "max 3×3", "concat"} <= set(texts(svg))


def test_auxiliary_heads_stand_beside_and_only_in_training() -> None:
    training, inference = drawn("googlenet"), drawn("googlenet", training=False)

    assert texts(training).count("Inception") == texts(inference).count("Inception") == 9
    assert (texts(training).count("AuxiliaryHead"), texts(inference).count("AuxiliaryHead")) == (2, 0)
    assert description(training).count("Beside: AuxiliaryHead [average pool 5×5, /3, ") == 2


def test_alike_neighbours_are_drawn_once_with_their_number() -> None:
    svg = drawn("resnet50")

    assert [text for text in texts(svg) if text.startswith("ResidualBlock")] == [
        "ResidualBlock", "ResidualBlock  ×2", "ResidualBlock", "ResidualBlock  ×3",
        "ResidualBlock", "ResidualBlock  ×5", "ResidualBlock", "ResidualBlock  ×2",
    ]  # fmt: skip
    assert "stages.conv4_x.block2 to block6 · 1024×14×14" in texts(svg)
    assert "conv 3×3, 512 BN ReLU 2 times" not in description(drawn("vgg16"))
    assert "conv 3×3, 512 ReLU 3 times" in description(drawn("vgg16"))


def test_shortcuts_are_branches() -> None:
    assert "2 branches (conv 3×3, 64 BN ReLU, conv 3×3, 64 BN; a shortcut), + ReLU" in description(drawn("resnet18"))


def test_frames_close_when_there_would_be_too_many_boxes() -> None:
    closed, opened = drawn("googlenet", max_boxes=20), drawn("googlenet", open_frames=True, max_boxes=20)

    assert "concat" not in texts(closed)
    assert texts(opened).count("concat") == 9
    assert texts(closed).count("Inception") == 9


def test_layers_have_their_kernels_strides_groups_and_dilation() -> None:
    model = nn.Sequential(
        nn.Conv2d(4, 8, (1, 7), stride=2, padding=3),
        nn.Conv2d(8, 8, 3, groups=8),
        nn.Conv2d(8, 8, 3, groups=2, dilation=2),
        nn.ConvTranspose2d(8, 4, 2, stride=2),
        nn.AdaptiveAvgPool2d(3),
        nn.Upsample(scale_factor=2),
    )

    assert [text for text in texts(draw(model, (4, 40, 40))) if re.match(r"[a-zU]", text)][1:-1] == [
        "conv 1×7, 8, /2", "depthwise 3×3, 8", "conv 3×3, 8, dilation 2, 2 groups", "transposed conv 2×2, 4, ×2",
        "average pool to 3×3", "Upsample", "output 4×6×6", "convolution", "pooling",
    ]  # fmt: skip


def test_graph_that_falls_into_no_branches_is_stacked() -> None:
    class Crossed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b, self.c, self.d = (nn.Conv2d(3, 3, 1) for _ in range(4))

        def forward(self, x: Tensor) -> Tensor:
            a, b = self.a(x), self.b(x)
            c, d = self.c(a + b), self.d(a)
            return torch.cat([c, d, b], dim=1)

    svg = draw(Crossed(), (3, 8, 8))

    assert "connected across (" in description(svg)
    assert not [pair for pair in combinations(rects(svg), 2) if overlap(*pair)]


def test_networks_of_other_libraries_are_drawn_too() -> None:
    from torchvision import models

    with on_meta():
        vit, dense = models.vit_b_16(), models.densenet121()

    assert "EncoderBlock  ×12" in texts(draw(vit, (3, 224, 224)))
    assert description(draw(dense, (3, 224, 224))).count("connected across") == 4


def test_input_that_does_not_fit_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"layer LeNet5 \(LeNet5\) cannot take an input of shape"):
        draw(build_meta("lenet5"), (1, 8, 8))


@pytest.mark.parametrize("model", [nn.Identity(), nn.Sequential(nn.Flatten())])
def test_model_without_layers_is_an_error(model: nn.Module) -> None:
    with pytest.raises(ValueError, match="there is nothing to draw: no layer lies between"):
        draw(model, (3, 4))


def test_several_inputs_are_named() -> None:
    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.line = nn.Linear(3, 4)

        def forward(self, x: Tensor, y: Tensor) -> Tensor:
            return self.line(x) @ y

    assert "input 5×3 and 4×2" in texts(draw(Two(), [(5, 3), (4, 2)]))
