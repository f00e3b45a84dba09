from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
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
from course_lib.models.blocks import match_state_dict, round_channels
from course_lib.models.mobilenet_v1 import TABLE_1
from course_lib.models.mobilenet_v2 import TABLE_2, InvertedResidual

# Table 1 of v1 as printed: channels and pixels that enter each pair of rows (depthwise, 1x1).
V1_INPUTS = [
    (32, 112),
    (64, 112),
    (128, 56),
    (128, 56),
    (256, 28),
    (256, 28),
    *[(512, 14)] * 6,
    (1024, 7),
]
# Table 2 of v2 as printed: pixels and channels in, t, c, n, s.
V2_PRINTED = [
    (112, 32, 1, 16, 1, 1),
    (112, 16, 6, 24, 2, 2),
    (56, 24, 6, 32, 3, 2),
    (28, 32, 6, 64, 4, 2),
    (14, 64, 6, 96, 3, 1),
    (14, 96, 6, 160, 3, 2),
    (7, 160, 6, 320, 1, 1),
]


def meta(name: str, **options: object) -> nn.Module:
    with torch.device("meta"):
        return build(name, **options)


def num_parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def v1_by_hand(width: float = 1, *, shallow: bool = False, separable: bool = True) -> int:
    """A convolution and two parameters per filter behind it, layer by layer; then the linear layer."""
    channels = [32, 64, 128, 128, 256, 256] + [512] * (1 if shallow else 6) + [1024, 1024]
    scaled = [int(width * c) for c in channels]
    total = (27 + 2) * scaled[0] + (scaled[-1] + 1) * 1000
    for c_in, c_out in pairwise(scaled):
        total += (9 + 2) * c_in + (c_in + 2) * c_out if separable else (9 * c_in + 2) * c_out
    return total


def test_widths_of_both_tables_chain() -> None:
    assert all(row.out_channels == following.in_channels for row, following in pairwise(TABLE_1))
    assert all(row.out_channels == following.in_channels for row, following in pairwise(TABLE_2))


def test_v1_maps_have_the_printed_sizes_so_the_last_depthwise_stride_is_one() -> None:
    shapes = output_shapes(meta("mobilenet_v1"), (3, 224, 224))

    entering = [shapes["features.conv1.act"], *(shapes[f"features.block{n}.pointwise.act"] for n in range(1, 14))]

    assert entering == [(c, size, size) for c, size in [*V1_INPUTS, (1024, 7)]]
    assert len(TABLE_1) == 13


@pytest.mark.parametrize(
    ("options", "expected", "millions"),
    [
        ({}, v1_by_hand(), 4.2),
        ({"width": 0.75}, v1_by_hand(0.75), 2.6),
        ({"width": 0.5}, v1_by_hand(0.5), 1.3),
        ({"width": 0.25}, v1_by_hand(0.25), 0.5),
        ({"resolution": 4 / 7}, v1_by_hand(), 4.2),
        ({"shallow": True}, v1_by_hand(shallow=True), 2.9),
        ({"separable": False}, v1_by_hand(separable=False), 29.3),
        ({"num_classes": 10, "in_channels": 1}, v1_by_hand() - 1025 * 990 - 18 * 32, 3.2),
    ],
)
def test_v1_options_have_the_parameters_derived_by_hand_and_printed(
    options: dict, expected: int, millions: float
) -> None:
    assert num_parameters(meta("mobilenet_v1", **options)) == expected
    assert round(expected / 1e6, 1) == millions


@pytest.mark.parametrize(("resolution", "pixels"), [(6 / 7, 192), (5 / 7, 160), (4 / 7, 128), (0.714, 160)])
def test_v1_resolution_multiplier_makes_the_sizes_of_table_7(resolution: float, pixels: int) -> None:
    shapes = output_shapes(meta("mobilenet_v1", resolution=resolution), (3, 224, 224))

    assert shapes["features.resolution"] == (3, pixels, pixels)
    assert shapes["features.block13.pointwise.act"] == (1024, pixels // 32, pixels // 32)


def test_v1_resolution_multiplier_keeps_a_flat_image_flat_and_the_network_the_same() -> None:
    torch.manual_seed(0)
    network = build("mobilenet_v1", width=0.25).eval()
    smaller = build("mobilenet_v1", width=0.25, resolution=0.5).eval()
    smaller.load_state_dict(network.state_dict())

    with torch.no_grad():
        torch.testing.assert_close(smaller(torch.ones(1, 3, 64, 64)), network(torch.ones(1, 3, 32, 32)))


def test_v1_depthwise_convolution_sees_one_channel_each() -> None:
    convs = [layer for layer in meta("mobilenet_v1").modules() if isinstance(layer, nn.Conv2d)]

    assert len(convs) + 1 == 28  # with the linear layer: the paper's count
    assert [conv.groups for conv in convs[1::2]] == [c for c, _ in V1_INPUTS]


def test_v2_rows_are_the_printed_ones() -> None:
    rows = [(r.in_channels, r.expansion, r.out_channels, r.num_blocks, r.stride) for r in TABLE_2]

    assert rows == [printed[1:] for printed in V2_PRINTED]
    assert sum(row.num_blocks for row in TABLE_2) == 17  # section 4 says 19


def test_v2_maps_have_the_sizes_of_table_2() -> None:
    network = meta("mobilenet_v2")
    sizes = []
    for layer in network.features.children():
        layer.register_forward_hook(lambda _, __, out: sizes.append(tuple(out.shape[1:])))

    network(torch.empty(1, 3, 224, 224, device="meta"))

    assert sizes == [(c, size, size) for size, c, *_ in V2_PRINTED] + [(320, 7, 7), (1280, 7, 7)]


@pytest.mark.parametrize("width", [0.1, 0.35, 0.5, 0.75, 1.0, 1.3, 1.4, 1.99])
@pytest.mark.parametrize("round_to", [8, 1])
def test_v2_has_torchvisions_shapes_at_any_width(width: float, round_to: int) -> None:
    from torchvision.models import MobileNetV2

    with torch.device("meta"):
        theirs = MobileNetV2(width_mult=width, round_nearest=round_to)

    ours = meta("mobilenet_v2", width=width, round_to=round_to)

    assert [p.shape for p in ours.parameters()] == [p.shape for p in theirs.parameters()]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, 3_504_872),
        ({"num_classes": 10, "in_channels": 1}, 3_504_872 - 1281 * 990 - 18 * 32),
        ({"dropout": 0.0}, 3_504_872),
        ({"width": 1.4}, 6_108_776),  # table 4 prints 6.9 million
    ],
)
def test_v2_options_have_exactly_the_parameters_expected(options: dict, expected: int) -> None:
    assert num_parameters(meta("mobilenet_v2", **options)) == expected


@given(st.floats(0.01, 5000), st.integers(1, 64))
def test_rounding_of_channels_is_torchvisions(channels: float, multiple: int) -> None:
    from torchvision.models._utils import _make_divisible

    assert round_channels(channels, multiple) == _make_divisible(channels, multiple)


@pytest.mark.parametrize("width", [1.0, 0.35])
def test_torchvision_mobilenet_v2_gives_the_same_logits_with_the_same_weights(width: float) -> None:
    from torchvision.models import mobilenet_v2

    with torch.device("meta"):
        theirs = mobilenet_v2(width_mult=width).eval()
    state = random_state(theirs)
    theirs.load_state_dict(state, assign=True)
    ours = meta("mobilenet_v2", width=width).eval()
    ours.load_state_dict(match_state_dict(ours, state), assign=True)

    assert_same_logits(ours, theirs, state, torch.randn(2, 3, 64, 48))


def test_inverted_residual_with_a_zeroed_last_norm_is_the_identity() -> None:
    block = InvertedResidual(4, 4, expansion=6, stride=1)
    nn.init.zeros_(block.last_norm.weight)
    x = torch.randn(2, 4, 5, 6)

    assert torch.equal(block(x), x)


@pytest.mark.parametrize(("out_channels", "stride", "residual"), [(4, 1, True), (6, 1, False), (4, 2, False)])
def test_inverted_residual_adds_its_input_only_where_the_shapes_agree(
    out_channels: int, stride: int, residual: bool
) -> None:
    block = InvertedResidual(4, out_channels, expansion=2, stride=stride).eval()
    x = torch.randn(2, 4, 5, 6)

    torch.testing.assert_close(block(x), block.branch(x) + x if residual else block.branch(x))


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("mobilenet_v1", {"width": 0}, "width multiplier must be positive, got 0"),
        ("mobilenet_v1", {"resolution": -1.0}, "resolution multiplier must be positive, got -1.0"),
        ("mobilenet_v2", {"width": -0.5}, "width multiplier must be positive, got -0.5"),
    ],
)
def test_multiplier_that_is_not_positive_is_refused(name: str, options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build(name, **options)


@pytest.mark.parametrize("name", ["mobilenet_v1", "mobilenet_v2"])
@pytest.mark.parametrize("size", [(1, 1), (33, 65)])
def test_every_size_gives_one_logit_per_class(name: str, size: tuple[int, int]) -> None:
    assert meta(name, num_classes=5, in_channels=2)(torch.empty(2, 2, *size, device="meta")).shape == (2, 5)


SMALL = [
    ("mobilenet_v1", {"width": 0.25, "num_classes": 4}),
    ("mobilenet_v1", {"width": 0.25, "num_classes": 4, "resolution": 0.75, "shallow": True}),
    ("mobilenet_v1", {"width": 0.25, "num_classes": 4, "separable": False}),
    ("mobilenet_v2", {"width": 0.35, "num_classes": 4}),
]


@pytest.mark.parametrize(("name", "options"), SMALL)
def test_gradients_reach_every_parameter(name: str, options: dict) -> None:
    torch.manual_seed(0)
    assert_gradients_reach_every_parameter(build(name, **options), torch.randn(4, 3, 64, 64))


@pytest.mark.parametrize(("name", "options"), SMALL[:1])
def test_one_batch_can_be_overfitted(name: str, options: dict) -> None:
    torch.manual_seed(0)
    assert_one_batch_can_be_overfitted(build(name, **options), torch.randn(8, 3, 64, 64), num_classes=4, lr=1e-2)


@pytest.mark.parametrize(("name", "options"), SMALL)
def test_channels_last_and_bfloat16_run(name: str, options: dict) -> None:
    torch.manual_seed(0)
    assert_channels_last_and_bfloat16_run(build(name, **options), torch.randn(2, 3, 64, 64))
