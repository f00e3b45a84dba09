from itertools import pairwise

import pytest
import torch
from model_checks import (
    assert_channels_last_and_bfloat16_run,
    assert_gradients_reach_every_parameter,
    assert_same_logits,
    random_state,
)
from torch import nn

from course_lib.models import build
from course_lib.models.blocks import match_state_dict
from course_lib.models.efficientnet import B0, SCALES, scaled_stages
from course_lib.models.mbconv import MBConv, SqueezeExcitation, Stage, StochasticDepth

# Table 1 as printed, stages 2 to 8: MBConv's expansion, kernel size, pixels in, channels out, layers.
PRINTED = [
    (1, 3, 112, 16, 1),
    (6, 3, 112, 24, 2),
    (6, 5, 56, 40, 2),
    (6, 3, 28, 80, 3),
    (6, 5, 14, 112, 3),
    (6, 5, 14, 192, 4),
    (6, 3, 7, 320, 1),
]
# Table 2 as printed: millions of parameters.
TABLE_2 = {"b0": 5.3, "b1": 7.8, "b2": 9.2, "b3": 12, "b4": 19, "b5": 30, "b6": 43, "b7": 66}


def meta(name: str, **options: object) -> nn.Module:
    with torch.device("meta"):
        return build(name, **options)


def theirs_on_meta(name: str) -> nn.Module:
    from torchvision import models

    with torch.device("meta"):
        return models.get_model(name)


def num_parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def test_b0_is_the_printed_table() -> None:
    rows = [(s.expansion, s.kernel_size, s.out_channels, s.num_blocks) for s in B0]

    assert rows == [(t, k, c, n) for t, k, _, c, n in PRINTED]
    assert scaled_stages(SCALES["efficientnet_b0"]) == B0


@pytest.mark.parametrize("name", SCALES)
def test_widths_of_every_member_chain(name: str) -> None:
    stages = scaled_stages(SCALES[name])

    assert all(stage.out_channels == following.in_channels for stage, following in pairwise(stages))


def test_maps_have_the_sizes_of_table_1() -> None:
    network = meta("efficientnet_b0")
    sizes = []
    for stage in network.features.children():
        stage.register_forward_hook(lambda _, __, out: sizes.append(tuple(out.shape[1:])))

    network(torch.empty(1, 3, 224, 224, device="meta"))

    entering = [32, *(c for *_, c, _ in PRINTED)]
    pixels = [*(size for _, _, size, _, _ in PRINTED), 7]
    assert sizes == [(c, size, size) for c, size in zip(entering, pixels, strict=True)] + [(1280, 7, 7)]


@pytest.mark.parametrize("name", SCALES)
def test_member_has_torchvisions_tensors_normalisation_and_drop_probabilities(name: str) -> None:
    from torchvision.ops import StochasticDepth as TheirStochasticDepth

    ours, theirs = meta(name), theirs_on_meta(name)

    def norms(network: nn.Module) -> list[tuple]:
        return [(n.eps, n.momentum) for n in network.modules() if isinstance(n, nn.BatchNorm2d)]

    assert len(match_state_dict(ours, theirs.state_dict())) == len(theirs.state_dict())
    assert norms(ours) == norms(theirs)
    assert [s.probability for s in ours.modules() if isinstance(s, StochasticDepth)] == pytest.approx(
        [s.p for s in theirs.modules() if isinstance(s, TheirStochasticDepth)]
    )
    assert ours.dropout.p == theirs.classifier[0].p


@pytest.mark.parametrize("member", TABLE_2)
def test_parameters_round_to_table_2_except_b2s(member: str) -> None:
    millions = num_parameters(meta(f"efficientnet_{member}")) / 1e6
    printed = TABLE_2[member]

    assert round(millions, 0 if printed > 10 else 1) == (9.1 if member == "b2" else printed)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"num_classes": 10, "in_channels": 1}, 5_288_548 - 1281 * 990 - 18 * 32),
        ({"dropout": 0.0, "drop_probability": 0.0}, 5_288_548),
    ],
)
def test_options_have_exactly_the_parameters_derived_by_hand(options: dict, expected: int) -> None:
    assert num_parameters(meta("efficientnet_b0", **options)) == expected


def test_torchvision_efficientnet_gives_the_same_logits_with_the_same_weights() -> None:
    theirs = theirs_on_meta("efficientnet_b0").eval()
    state = random_state(theirs)
    theirs.load_state_dict(state, assign=True)
    ours = meta("efficientnet_b0").eval()
    ours.load_state_dict(match_state_dict(ours, state), assign=True)

    assert_same_logits(ours, theirs, state, torch.randn(2, 3, 64, 48))


def test_gate_is_the_formula_of_squeeze_and_excitation() -> None:
    gate = SqueezeExcitation(6, 2)
    x = torch.randn(2, 6, 4, 5)
    w1, b1, w2, b2 = (
        parameter.detach().flatten(1) if p % 2 == 0 else parameter.detach()
        for p, parameter in enumerate(gate.parameters())
    )

    hidden = x.mean((2, 3)) @ w1.T + b1
    hidden = hidden * torch.sigmoid(hidden)
    expected = x * torch.sigmoid(hidden @ w2.T + b2)[:, :, None, None]

    torch.testing.assert_close(gate(x), expected)


def test_gate_squeezes_to_a_quarter_of_the_blocks_input() -> None:
    block = MBConv(Stage(6, 3, 1, 16, 24, 1), first=True, norm=nn.BatchNorm2d, drop_probability=0)

    assert block.branch.se.squeeze.conv.weight.shape == (4, 96, 1, 1)


def test_block_with_a_zeroed_last_norm_is_the_identity() -> None:
    block = MBConv(Stage(6, 5, 1, 4, 4, 1), first=True, norm=nn.BatchNorm2d, drop_probability=0.5)
    nn.init.zeros_(block.last_norm.weight)
    x = torch.randn(2, 4, 5, 6)

    assert torch.equal(block(x), x)


def test_stochastic_depth_drops_whole_images_and_keeps_the_mean() -> None:
    torch.manual_seed(0)
    layer = StochasticDepth(0.25)
    x = torch.ones(4000, 2, 3)

    out = layer(x)

    kept = out[:, 0, 0] != 0
    assert torch.equal(out, kept[:, None, None] * x / 0.75)
    assert kept.float().mean() == pytest.approx(0.75, abs=0.03)
    assert torch.equal(layer.eval()(x), x)


@pytest.mark.parametrize("size", [(1, 1), (33, 65)])
def test_every_size_gives_one_logit_per_class(size: tuple[int, int]) -> None:
    network = meta("efficientnet_b0", num_classes=5, in_channels=2)

    assert network(torch.empty(2, 2, *size, device="meta")).shape == (2, 5)


def test_gradients_reach_every_parameter() -> None:
    torch.manual_seed(0)
    network = build("efficientnet_b0", num_classes=4, drop_probability=0.0)
    assert_gradients_reach_every_parameter(network, torch.randn(4, 3, 64, 64))


def test_channels_last_and_bfloat16_run() -> None:
    torch.manual_seed(0)
    assert_channels_last_and_bfloat16_run(build("efficientnet_b0", num_classes=4), torch.randn(2, 3, 64, 64))
