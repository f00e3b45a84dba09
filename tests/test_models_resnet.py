from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F
from model_checks import (
    assert_channels_last_and_bfloat16_run,
    assert_gradients_reach_every_parameter,
    assert_one_batch_can_be_overfitted,
    assert_same_logits,
    random_state,
)
from torch import nn

from course_lib.models import build
from course_lib.models.blocks import match_state_dict
from course_lib.models.residual import (
    PreActivationBlock,
    ResidualBlock,
    ZeroPadShortcut,
    basic_convs,
    bottleneck_convs,
)
from course_lib.models.resnet import TABLE_1, imagenet_stages
from course_lib.models.resnet_article_004 import STAGES as ARTICLE_004_STAGES
from course_lib.models.resnet_cifar import cifar_stages

# Table 1 as printed: depth, layers per block, channels out of a block of width 1, blocks per stage.
PRINTED = {
    18: (2, 1, (2, 2, 2, 2)),
    34: (2, 1, (3, 4, 6, 3)),
    50: (3, 4, (3, 4, 6, 3)),
    101: (3, 4, (3, 4, 23, 3)),
    152: (3, 4, (3, 8, 36, 3)),
}
TABLE_6 = {20: 0.27, 32: 0.46, 44: 0.66, 56: 0.85, 110: 1.7, 1202: 19.4}
SMALL = {"depth": 8, "num_classes": 4, "widths": (4, 6, 8)}


def meta(name: str, **options: object) -> nn.Module:
    with torch.device("meta"):
        return build(name, **options)


def num_parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def by_hand(
    blocks: tuple[int, ...], widths: tuple[int, ...], stem: int, *, layers: int, expansion: int, shortcut: str
) -> int:
    """Weights of the convolutions, and two per channel behind each: everything but the linear layer."""
    total = stem * widths[0] + 2 * widths[0]
    c_in = widths[0]
    for stage, (count, width) in enumerate(zip(blocks, widths, strict=True)):
        for number in range(count):
            c_out = width * expansion
            chain = [(c_in, width, 9), (width, width, 9)]
            if layers == 3:
                chain = [(c_in, width, 1), (width, width, 9), (width, c_out, 1)]
            total += sum(a * b * area + 2 * b for a, b, area in chain)
            changes = c_in != c_out or (stage > 0 and number == 0)
            if shortcut == "C" or (shortcut == "B" and changes):
                total += c_in * c_out + 2 * c_out
            c_in = c_out
    return total


def imagenet_by_hand(depth: int, shortcut: str) -> int:
    layers, expansion, blocks = PRINTED[depth]
    widths = (64, 128, 256, 512)
    features = by_hand(blocks, widths, 147, layers=layers, expansion=expansion, shortcut=shortcut)
    return features + (512 * expansion + 1) * 1000


def cifar_by_hand(depth: int, shortcut: str) -> int:
    blocks = ((depth - 2) // 6,) * 3
    return by_hand(blocks, (16, 32, 64), 27, layers=2, expansion=1, shortcut=shortcut) + 65 * 10


def test_table_of_blocks_is_the_printed_one() -> None:
    blocks = {depth: tuple(row[1:]) for depth, row in TABLE_1.items()}

    assert blocks == {depth: blocks for depth, (_, _, blocks) in PRINTED.items()}
    for depth, (layers, _, counts) in PRINTED.items():
        assert layers * sum(counts) + 2 == depth
        assert TABLE_1[depth].block == ("basic" if layers == 2 else "bottleneck")


@pytest.mark.parametrize("stages", [*map(imagenet_stages, TABLE_1), cifar_stages(20), cifar_stages(20, (4, 5, 6))])
def test_widths_of_the_stages_chain(stages: tuple) -> None:
    assert all(stage.out_channels == following.in_channels for stage, following in pairwise(stages))
    assert [stage.stride for stage in stages] == [1] + [2] * (len(stages) - 1)
    assert all(stage.out_channels == stage.width * (4 if stage.block == "bottleneck" else 1) for stage in stages)


def test_widths_of_article_004_chain() -> None:
    assert all(stage.out_channels == following.in_channels for stage, following in pairwise(ARTICLE_004_STAGES))


@pytest.mark.parametrize("shortcut", ["A", "B", "C", "none"])
@pytest.mark.parametrize("depth", PRINTED)
def test_imagenet_networks_have_the_parameters_derived_by_hand(depth: int, shortcut: str) -> None:
    assert num_parameters(meta(f"resnet{depth}", shortcut=shortcut)) == imagenet_by_hand(depth, shortcut)


@pytest.mark.parametrize("shortcut", ["A", "B", "C", "none"])
@pytest.mark.parametrize("depth", [8, 20, 26, 56])
def test_cifar_networks_have_the_parameters_derived_by_hand(depth: int, shortcut: str) -> None:
    assert num_parameters(meta("resnet_cifar", depth=depth, shortcut=shortcut)) == cifar_by_hand(depth, shortcut)


@pytest.mark.parametrize("depth", TABLE_6)
def test_cifar_networks_round_to_the_parameters_of_table_6(depth: int) -> None:
    digits = 2 if TABLE_6[depth] < 1 else 1

    assert round(cifar_by_hand(depth, "A") / 1e6, digits) == TABLE_6[depth]


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("resnet18", {"preactivation": True}, imagenet_by_hand(18, "B") - 2 * (128 + 256 + 512)),
        ("resnet50", {"stride_in": "1x1"}, 25_557_032),
        ("resnet50", {"zero_init": True}, 25_557_032),
        ("resnet50", {"num_classes": 10, "in_channels": 1}, 25_557_032 - 2049 * 990 - 98 * 64),
        ("resnet20", {"preactivation": True}, cifar_by_hand(20, "A") + 2 * (64 - 16 - 16 - 32)),
        ("resnet20", {"preactivation": True, "shortcut": "B"}, cifar_by_hand(20, "B") - 2 * (32 + 64)),
        ("resnet20", {"num_classes": 100, "in_channels": 1}, cifar_by_hand(20, "A") + 65 * 90 - 18 * 16),
        ("plain20", {"num_classes": 100}, cifar_by_hand(20, "none") + 65 * 90),
        ("plain_cifar", {"depth": 110}, cifar_by_hand(110, "A")),
        ("plain34", {"in_channels": 1}, imagenet_by_hand(34, "none") - 98 * 64),
    ],
)
def test_options_have_exactly_the_parameters_derived_by_hand(name: str, options: dict, expected: int) -> None:
    assert num_parameters(meta(name, **options)) == expected


def test_option_c_has_thirteen_projections_more_than_b_on_34_layers() -> None:
    counts = [
        sum(isinstance(block.shortcut, nn.Sequential) for block in meta("resnet34", shortcut=option).blocks())
        for option in ("B", "C")
    ]

    assert counts == [3, 16]


@pytest.mark.parametrize(("stride_in", "kernel_size"), [("1x1", (1, 1)), ("3x3", (3, 3))])
def test_stride_of_a_bottleneck_stands_where_it_is_asked_for(stride_in: str, kernel_size: tuple[int, int]) -> None:
    convs = [layer for block in meta("resnet50", stride_in=stride_in).blocks() for layer in block.branch.modules()]

    assert [c.kernel_size for c in convs if isinstance(c, nn.Conv2d) and c.stride == (2, 2)] == [kernel_size] * 3


def test_maps_have_the_sizes_of_table_1() -> None:
    network = meta("resnet50")
    sizes = []
    for stage in (network.stem.act, *network.stages):
        stage.register_forward_hook(lambda _, __, out: sizes.append(tuple(out.shape[1:])))

    network(torch.empty(1, 3, 224, 224, device="meta"))

    assert sizes == [(64, 112, 112), (256, 56, 56), (512, 28, 28), (1024, 14, 14), (2048, 7, 7)]


@pytest.mark.parametrize("name", ["resnet18", "resnet50"])
def test_torchvision_resnet_gives_the_same_logits_with_the_same_weights(name: str) -> None:
    from torchvision import models

    with torch.device("meta"):
        theirs = models.get_model(name).eval()
    state = random_state(theirs)
    theirs.load_state_dict(state, assign=True)
    ours = meta(name).eval()
    ours.load_state_dict(match_state_dict(ours, state), assign=True)

    assert_same_logits(ours, theirs, state, torch.randn(2, 3, 64, 48))


@pytest.mark.parametrize("name", ["resnet34", "resnet101", "resnet152"])
def test_torchvision_weights_of_the_other_depths_fit_by_shape(name: str) -> None:
    from torchvision import models

    with torch.device("meta"):
        theirs = models.get_model(name).state_dict()

    renamed = match_state_dict(meta(name), theirs)

    expected = {"conv": "conv", "bn": "norm", "downsample.0": "conv", "downsample.1": "norm", "fc": "fc"}
    for ours, name_there in zip(renamed, theirs, strict=True):
        kind = next(kind for part, kind in expected.items() if part in name_there)
        assert kind in ours
        assert ours.rsplit(".", 1)[1] == name_there.rsplit(".", 1)[1]


@pytest.mark.parametrize(
    "block",
    [ResidualBlock(basic_convs(6, 6, 1), "A"), ResidualBlock(bottleneck_convs(8, 2, 1), "B")],
    ids=["basic", "bottleneck"],
)
def test_block_with_a_zeroed_last_norm_is_the_identity_on_non_negative_input(block: ResidualBlock) -> None:
    nn.init.zeros_(block.last_norm.weight)
    x = torch.rand(2, block.branch[0].conv.in_channels, 5, 6)

    assert torch.equal(block(x), x)


def test_preactivated_block_with_a_zeroed_last_norm_is_the_identity_on_any_input() -> None:
    block = PreActivationBlock(bottleneck_convs(8, 2, 1), "B")
    nn.init.zeros_(block.last_norm.weight)
    x = torch.randn(2, 8, 5, 6)

    assert torch.equal(block(x), x)


@pytest.mark.parametrize("preactivation", [False, True])
def test_zero_init_starts_each_branch_at_zero_and_touches_nothing_else(preactivation: bool) -> None:
    network = build("resnet_cifar", **SMALL, zero_init=True, preactivation=preactivation)

    zeroed = [name for name, p in network.named_parameters() if name.endswith("weight") and not p.any()]

    assert len(zeroed) == len(network.blocks()) == 3
    assert all(
        not block.branch(torch.randn(2, *shape)).any()
        for block, shape in zip(network.blocks(), [(4, 8, 8), (4, 8, 8), (6, 4, 4)], strict=True)
    )


def test_shortcut_a_keeps_every_second_pixel_and_adds_channels_of_zeros() -> None:
    x = torch.randn(2, 3, 5, 6)
    expected = torch.zeros(2, 5, 3, 3)
    for row in range(3):
        for column in range(3):
            expected[:, :3, row, column] = x[:, :, 2 * row, 2 * column]

    assert torch.equal(ZeroPadShortcut(extra_channels=2, stride=2)(x), expected)


@pytest.mark.parametrize("shortcut", ["A", "B", "none"])
def test_residual_block_is_the_formula_of_section_3(shortcut: str) -> None:
    block = ResidualBlock(basic_convs(4, 6, 2), shortcut).eval()
    state = random_state(block)
    block.load_state_dict(state)
    x = torch.randn(2, 4, 7, 8)

    def conv_norm(x: torch.Tensor, name: str, stride: int, padding: int) -> torch.Tensor:
        weights = [state[f"{name}.norm.{part}"] for part in ("running_mean", "running_var", "weight", "bias")]
        return F.batch_norm(F.conv2d(x, state[f"{name}.conv.weight"], None, stride, padding), *weights)

    out = conv_norm(conv_norm(x, "branch.conv1", 2, 1).clamp(min=0), "branch.conv2", 1, 1)
    if shortcut == "A":
        out[:, :4] += x[:, :, ::2, ::2]
    if shortcut == "B":
        out = out + conv_norm(x, "shortcut", 2, 0)

    torch.testing.assert_close(block(x), out.clamp(min=0))


@pytest.mark.parametrize(("shortcut", "first"), [("A", False), ("B", False), ("B", True)])
def test_preactivated_block_is_the_formula_of_the_later_paper(shortcut: str, first: bool) -> None:
    block = PreActivationBlock(basic_convs(4, 6, 2), shortcut, first=first).eval()
    state = random_state(block)
    block.load_state_dict(state)
    x = torch.randn(2, 4, 7, 8)

    def norm_relu(x: torch.Tensor, name: str) -> torch.Tensor:
        weights = [state[f"{name}.{part}"] for part in ("running_mean", "running_var", "weight", "bias")]
        return F.batch_norm(x, *weights).clamp(min=0)

    activated = x if first else norm_relu(x, "preact.norm")
    out = F.conv2d(activated, state["branch.conv1.conv.weight"], None, 2, 1)
    out = F.conv2d(norm_relu(out, "branch.norm2"), state["branch.conv2.conv.weight"], None, 1, 1)
    if shortcut == "A":
        out[:, :4] += x[:, :, ::2, ::2]
    else:
        out = out + F.conv2d(activated, state["shortcut.conv.weight"], None, 2)

    torch.testing.assert_close(block(x), out)


def test_preactivation_ends_with_a_norm_and_its_first_block_has_none_in_front() -> None:
    network = meta("resnet_cifar", **SMALL, preactivation=True)

    assert [type(layer).__name__ for layer in network.final] == ["BatchNorm2d", "ReLU"]
    assert [len(block.preact) for block in network.blocks()] == [0, 2, 2]


@pytest.mark.parametrize(("name", "twin"), [("plain20", "resnet20"), ("plain18", "resnet18")])
def test_plain_network_has_its_twins_layers_and_no_shortcut(name: str, twin: str) -> None:
    plain, residual = meta(name), meta(twin, shortcut="A")

    assert [p.shape for p in plain.parameters()] == [p.shape for p in residual.parameters()]
    assert {block.shortcut for block in plain.blocks()} == {None}


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("resnet_cifar", {"depth": 21}, r"depth must be 6n \+ 2 with n >= 1, got 21; nearest: 20 and 26"),
        ("plain_cifar", {"depth": 2}, r"depth must be 6n \+ 2 with n >= 1, got 2; nearest: 8"),
        ("resnet20", {"widths": (16, 32)}, r"widths must be three numbers of channels, got \(16, 32\)"),
        ("resnet20", {"widths": (32, 16, 8)}, "shortcut 'A' can add channels only, got 32 -> 16 channels"),
        ("resnet18", {"shortcut": "D"}, "shortcut must be 'A', 'B', 'C' or 'none', got 'D'"),
        ("resnet50", {"stride_in": "2x2"}, r"stride_in must be '1x1' \(as published\) or '3x3' .*, got '2x2'"),
        ("resnet20", {"shortcut": "none", "zero_init": True}, "zero_init needs a shortcut"),
        (
            "resnet50_article_004",
            {"equaliser": "never"},
            "equaliser must be one of 'as_written', 'in_every_block', 'as_meant', got 'never'",
        ),
    ],
)
def test_option_that_cannot_be_is_refused(name: str, options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        meta(name, **options)


@pytest.mark.parametrize("name", ["resnet20", "plain20", "resnet18", "resnet50", "resnet50_article_004"])
@pytest.mark.parametrize("size", [(1, 1), (33, 65)])
def test_every_size_gives_one_logit_per_class(name: str, size: tuple[int, int]) -> None:
    logits = meta(name, num_classes=5, in_channels=2)(torch.empty(2, 2, *size, device="meta"))

    assert logits.shape == (2, 5)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("resnet_cifar", SMALL),
        ("resnet_cifar", {**SMALL, "shortcut": "C"}),
        ("resnet_cifar", {**SMALL, "preactivation": True, "shortcut": "B"}),
        ("plain_cifar", SMALL),
        ("resnet18", {"num_classes": 4}),
        ("resnet50", {"num_classes": 4, "preactivation": True, "stride_in": "1x1"}),
        ("resnet50_article_004", {"equaliser": "as_written"}),
        ("resnet50_article_004", {"equaliser": "as_meant"}),
    ],
)
def test_gradients_reach_every_parameter(name: str, options: dict) -> None:
    torch.manual_seed(0)
    assert_gradients_reach_every_parameter(build(name, **options), torch.randn(4, 3, 32, 32))


@pytest.mark.parametrize("options", [{}, {"shortcut": "B", "preactivation": True}, {"zero_init": True}])
def test_one_batch_can_be_overfitted(options: dict) -> None:
    torch.manual_seed(0)
    network = build("resnet_cifar", depth=8, num_classes=4, widths=(8, 16, 32), **options)
    assert_one_batch_can_be_overfitted(network, torch.randn(8, 3, 16, 16), num_classes=4, lr=1e-2)


@pytest.mark.parametrize(("name", "options"), [("resnet_cifar", SMALL), ("resnet18", {}), ("resnet50_article_004", {})])
def test_channels_last_and_bfloat16_run(name: str, options: dict) -> None:
    torch.manual_seed(0)
    assert_channels_last_and_bfloat16_run(build(name, **options), torch.randn(2, 3, 32, 32))


def test_sizes_are_never_the_same_object_so_the_article_always_equalises() -> None:
    x = torch.zeros(1, 2, 3, 3)

    assert x.size() == x.size()
    assert x.size() is not x.size()


def test_article_004_with_an_equaliser_in_every_block_holds_three_that_get_no_gradient() -> None:
    network = build("resnet50_article_004", equaliser="in_every_block")
    assert sum(p.numel() for p in network.parameters()) == 39_423_874  # counted on a public copy of the program
    network(torch.zeros(1, 3, 64, 64)).sum().backward()
    idle = [p for p in network.parameters() if p.grad is None]
    assert sum(p.numel() for p in idle) == 1_378_048


def test_article_004_as_meant_has_equalisers_only_where_the_channels_change() -> None:
    network = meta("resnet50_article_004", equaliser="as_meant")
    shortcuts = [block.shortcut for stage in network.stages for block in stage]
    idle = 256 * 257 + 2 * (512 * 513) + 4 * (1024 * 1025) + 2 * (2048 * 2049)

    strides = [layer.stride[0] if isinstance(layer, nn.Conv2d) else 0 for layer in shortcuts]

    assert strides == [*(1, 0, 2), *(1, 0, 0, 2), *(1, 0, 0, 0, 0, 2), *(1, 0, 0)]
    assert num_parameters(network) == 38_045_826 - idle


def test_article_004_halves_the_size_in_the_last_block_of_a_stage() -> None:
    network = meta("resnet50_article_004")
    sizes = []
    for stage in (network.stem, *network.stages):
        stage.register_forward_hook(lambda _, __, out: sizes.append(tuple(out.shape[1:])))

    network(torch.empty(1, 3, 224, 224, device="meta"))

    assert sizes == [(64, 56, 56), (256, 28, 28), (512, 14, 14), (1024, 7, 7), (2048, 7, 7)]
