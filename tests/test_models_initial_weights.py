"""Initial weights of the networks that draw He's: their spread layer by layer, against the formula by hand."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from course_lib.models import build

SIGMAS = 5  # a chance of 1 in 2 million for each layer


def layers(network: nn.Module, kinds) -> dict[str, nn.Module]:
    return {name: layer for name, layer in network.named_modules() if isinstance(layer, kinds)}


def fan_in(weight: torch.Tensor) -> int:
    return weight[0].numel()


def fan_out(weight: torch.Tensor) -> int:
    """As torch takes it, which does not know of groups."""
    return weight.shape[0] * weight[0, 0].numel()


def has_spread(weight: torch.Tensor, std: float) -> bool:
    """Whether normal values have this standard deviation and mean 0, as far as so many values can tell."""
    count = weight.numel()
    tolerance = SIGMAS / math.sqrt(2 * count)
    return abs(weight.std().item() / std - 1) < tolerance and abs(weight.mean().item()) < SIGMAS * std / math.sqrt(
        count
    )


@pytest.fixture(scope="module")
def built():
    """Networks by name, each built once, from a fixed seed."""
    networks = {}

    def get(name: str) -> nn.Module:
        if name not in networks:
            torch.manual_seed(0)
            networks[name] = build(name)
        return networks[name]

    return get


@pytest.mark.parametrize(
    ("name", "fan"),
    [
        ("googlenet", fan_in),
        ("resnet18", fan_out),
        ("resnet20", fan_out),
        ("plain20", fan_out),
        ("mobilenet_v1", fan_out),
        ("mobilenet_v2", fan_out),
        ("efficientnet_b0", fan_out),
    ],
)
def test_convolutions_are_normal_with_he_s_variance(built, name, fan):
    convolutions = layers(built(name), nn.Conv2d)

    assert len(convolutions) > 15
    wrong = [key for key, conv in convolutions.items() if not has_spread(conv.weight, math.sqrt(2 / fan(conv.weight)))]
    assert wrong == []


@pytest.mark.parametrize("name", ["googlenet", "resnet18", "mobilenet_v1", "mobilenet_v2", "efficientnet_b0"])
def test_biases_are_zero_and_norms_change_nothing(built, name):
    network = built(name)

    for layer in layers(network, nn.Conv2d | nn.Linear).values():
        assert layer.bias is None or not layer.bias.any()
    for norm in layers(network, nn.BatchNorm2d).values():
        assert bool((norm.weight == 1).all())
        assert not norm.bias.any()


def test_googlenet_s_linear_layers_are_normal_with_he_s_variance(built):
    linear = layers(built("googlenet"), nn.Linear).values()

    assert len(linear) == 5
    assert all(has_spread(layer.weight, math.sqrt(2 / layer.in_features)) for layer in linear)


def test_mobilenet_v2_s_last_layer_has_a_spread_of_a_hundredth(built):
    assert has_spread(built("mobilenet_v2").fc.weight, 0.01)


def test_efficientnet_s_last_layer_is_uniform_within_one_over_the_root_of_the_classes(built):
    weight, bound = built("efficientnet_b0").fc.weight, 1 / math.sqrt(1000)

    assert weight.abs().max().item() == pytest.approx(bound, rel=1e-3)
    assert weight.abs().max().item() <= bound
    assert weight.std().item() == pytest.approx(bound / math.sqrt(3), rel=1e-2)
