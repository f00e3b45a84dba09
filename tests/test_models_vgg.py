import math

import pytest
import torch
from model_checks import (
    assert_channels_last_and_bfloat16_run,
    assert_gradients_reach_every_parameter,
    assert_one_batch_can_be_overfitted,
    assert_same_logits,
    output_shapes,
    random_state,
)
from torch import nn

from course_lib.models import build
from course_lib.models.blocks import match_state_dict

# Table 1, column by column: widths of the convolutions, 1x1 ones marked, with M for max pooling and L for LRN.
TABLE_1 = {
    "vgg11": "64 M 128 M 256 256 M 512 512 M 512 512 M",
    "vgg11_lrn": "64 L M 128 M 256 256 M 512 512 M 512 512 M",
    "vgg13": "64 64 M 128 128 M 256 256 M 512 512 M 512 512 M",
    "vgg16_1x1": "64 64 M 128 128 M 256 256 256(1x1) M 512 512 512(1x1) M 512 512 512(1x1) M",
    "vgg16": "64 64 M 128 128 M 256 256 256 M 512 512 512 M 512 512 512 M",
    "vgg19": "64 64 M 128 128 M 256 256 256 256 M 512 512 512 512 M 512 512 512 512 M",
}
TORCHVISION = [name + norm for norm in ("", "_bn") for name in ("vgg11", "vgg13", "vgg16", "vgg19")]


def meta(name: str, **options: object) -> nn.Module:
    with torch.device("meta"):
        return build(name, **options)


def layout(features: nn.Sequential) -> str:
    words = []
    for layer in features:
        if isinstance(layer, nn.Conv2d):
            words.append(f"{layer.out_channels}" + ("(1x1)" if layer.kernel_size == (1, 1) else ""))
        elif isinstance(layer, nn.LocalResponseNorm):
            words.append("L")
        elif isinstance(layer, nn.MaxPool2d):
            words.append("M")
    return " ".join(words)


@pytest.mark.parametrize("name", TABLE_1)
def test_columns_of_table_1_are_built_as_printed(name: str) -> None:
    network = meta(name)
    layers = int(name.removeprefix("vgg")[:2])

    assert layout(network.features) == TABLE_1[name]
    assert sum(isinstance(layer, nn.Conv2d | nn.Linear) for layer in network.modules()) == layers


@pytest.mark.parametrize("name", TABLE_1)
def test_widths_chain_and_convolutions_keep_the_size(name: str) -> None:
    convs = [layer for layer in meta(name).features if isinstance(layer, nn.Conv2d)]

    assert [conv.in_channels for conv in convs] == [3] + [conv.out_channels for conv in convs[:-1]]
    assert all(2 * conv.padding[0] == conv.kernel_size[0] - 1 for conv in convs)


@pytest.mark.parametrize(
    ("name", "millions"),
    [("vgg11", 133), ("vgg11_lrn", 133), ("vgg13", 133), ("vgg16_1x1", 134), ("vgg16", 138), ("vgg19", 144)],
)
def test_parameters_round_to_table_2(name: str, millions: int) -> None:
    assert round(sum(p.numel() for p in meta(name).parameters()) / 1e6) == millions


def test_average_pooling_does_nothing_at_224() -> None:
    shapes = output_shapes(meta("vgg16"), (3, 224, 224))

    assert shapes["features.pool5"] == shapes["avgpool"] == (512, 7, 7)
    assert math.prod(shapes["avgpool"]) == 25_088


def test_batch_norm_stands_between_convolution_and_relu() -> None:
    names = [name for name, _ in meta("vgg11_bn").features.named_children()]

    assert names[:4] == ["conv1_1", "bn1_1", "relu1_1", "pool1"]
    assert names == [name for name, _ in meta("vgg11", batch_norm=True).features.named_children()]


@pytest.mark.parametrize("name", TORCHVISION)
def test_torchvision_vgg_gives_the_same_logits_with_the_same_weights(name: str) -> None:
    from torchvision import models

    with torch.device("meta"):
        theirs = getattr(models, name)(init_weights=False).eval()
    state = random_state(theirs)
    theirs.load_state_dict(state, assign=True)
    ours = meta(name).eval()
    ours.load_state_dict(match_state_dict(ours, state), assign=True)

    assert_same_logits(ours, theirs, state, torch.randn(1, 3, 40, 32))


@pytest.mark.parametrize(
    ("init", "std_conv", "std_fc"),
    [
        ("glorot", math.sqrt(2 / (9 * 128 + 9 * 256)), math.sqrt(2 / (64 + 64))),
        ("normal", 0.1, 0.1),
        ("kaiming", math.sqrt(2 / (9 * 256)), 0.01),
    ],
)
def test_initial_weights_follow_the_rule(init: str, std_conv: float, std_fc: float) -> None:
    torch.manual_seed(0)
    state = build("vgg11", hidden_features=64, init=init).state_dict()

    assert state["features.conv3_1.weight"].std() == pytest.approx(std_conv, rel=0.02)
    assert state["classifier.fc7.weight"].std() == pytest.approx(std_fc, rel=0.05)
    assert all(torch.all(tensor == 0) for name, tensor in state.items() if name.endswith("bias"))


def test_unknown_rule_for_the_initial_weights_is_refused() -> None:
    with pytest.raises(ValueError, match="init must be 'glorot', 'normal' or 'kaiming', got 'he'"):
        meta("vgg11", init="he")


@pytest.mark.parametrize("name", ["vgg11", "vgg16_1x1", "vgg19_bn"])
def test_input_too_small_names_the_layer_and_the_smallest_size(name: str) -> None:
    network = meta(name)

    with pytest.raises(ValueError, match=r"input 31x64 is too small: it dies in 'features.pool5' .*works: 32x32$"):
        network(torch.empty(1, 3, 31, 64, device="meta"))
    assert network(torch.empty(2, 3, 32, 45, device="meta")).shape == (2, 1000)


def test_small_vgg_has_the_layers_of_its_source() -> None:
    shapes = output_shapes(meta("vgg16_small"), (3, 224, 224))

    assert [shapes[f"features.pool{n}"] for n in range(1, 6)] == [
        (16, 112, 112), (32, 56, 56), (64, 28, 28), (128, 14, 14), (128, 7, 7),
    ]  # fmt: skip
    assert [shapes[f"classifier.fc{n}"] for n in (6, 7, 8)] == [(100,), (20,), (2,)]
    assert not any("drop" in name for name in shapes)


def test_small_vgg_is_built_for_any_size_from_32_on() -> None:
    assert meta("vgg16_small", input_size=(32, 96))(torch.empty(1, 3, 32, 96, device="meta")).shape == (1, 2)
    with pytest.raises(ValueError, match=r"input 31x31 is too small: it dies in 'pool5' \(MaxPool2d\).*works: 32x32"):
        meta("vgg16_small", input_size=31)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("vgg11_bn", {"hidden_features": 16, "num_classes": 2, "in_channels": 1}),
        ("vgg11_lrn", {"hidden_features": 16, "num_classes": 2, "in_channels": 1}),
        ("vgg16_1x1", {"hidden_features": 16, "num_classes": 2, "in_channels": 1}),
        ("vgg16_small", {"input_size": 32, "base_channels": 8, "in_channels": 1}),
    ],
)
def test_gradients_reach_every_parameter(name: str, options: dict) -> None:
    torch.manual_seed(0)
    assert_gradients_reach_every_parameter(build(name, **options), torch.randn(4, 1, 32, 32))


def test_one_batch_can_be_overfitted() -> None:
    torch.manual_seed(0)
    assert_one_batch_can_be_overfitted(build("vgg16_small", input_size=32), torch.randn(4, 3, 32, 32), num_classes=2)


@pytest.mark.parametrize("name", ["vgg11_bn", "vgg11_lrn"])
def test_channels_last_and_bfloat16_run(name: str) -> None:
    torch.manual_seed(0)
    network = build(name, hidden_features=16)
    assert_channels_last_and_bfloat16_run(network, torch.randn(1, 3, 32, 32))
