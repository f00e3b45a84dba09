import inspect
from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F
from model_checks import (
    assert_channels_last_and_bfloat16_run,
    assert_gradients_reach_every_parameter,
    output_shapes,
    random_state,
)
from torch import Tensor, nn

from course_lib.models import build
from course_lib.models.blocks import match_state_dict
from course_lib.models.googlenet import TABLE_1, GoogLeNetOutput
from course_lib.models.inception import AuxiliaryHead, Inception, InceptionWidths, NaiveInception, NaiveInceptionWidths

# Table 1 as the paper prints it: #1x1, #3x3 reduce, #3x3, #5x5 reduce, #5x5, pool proj, output maps and size, K, M ops.
PRINTED = {
    "3a": (64, 96, 128, 16, 32, 32, 256, 28, 159, 128),
    "3b": (128, 128, 192, 32, 96, 64, 480, 28, 380, 304),
    "4a": (192, 96, 208, 16, 48, 64, 512, 14, 364, 73),
    "4b": (160, 112, 224, 24, 64, 64, 512, 14, 437, 88),
    "4c": (128, 128, 256, 24, 64, 64, 512, 14, 463, 100),
    "4d": (112, 144, 288, 32, 64, 64, 528, 14, 580, 119),
    "4e": (256, 160, 320, 32, 128, 128, 832, 14, 840, 170),
    "5a": (256, 160, 320, 32, 128, 128, 832, 7, 1072, 54),
    "5b": (384, 192, 384, 48, 128, 128, 1024, 7, 1388, 71),
}
INPUTS = dict(zip(PRINTED, [192, *(row[6] for row in PRINTED.values())], strict=False))
FILTERS = {name: sum(row[:6]) for name, row in PRINTED.items()}
STEM = 147 * 64 + 64 * 64 + 9 * 64 * 192  # weights
HEAD_FC = (2048 + 1) * 1024


def module_weights(name: str) -> int:
    b1, b3_reduce, b3, b5_reduce, b5, pool_proj = PRINTED[name][:6]
    return INPUTS[name] * (b1 + b3_reduce + b5_reduce + pool_proj) + 9 * b3_reduce * b3 + 25 * b5_reduce * b5


WEIGHTS = STEM + sum(map(module_weights, PRINTED))
BIASES = 64 + 64 + 192 + sum(FILTERS.values())


def meta(name: str, **options: object) -> nn.Module:
    with torch.device("meta"):
        return build(name, **options)


def num_parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


class SumOfOutputs(nn.Module):
    """All logits of a network with auxiliary heads in one tensor, so that one loss reaches every part."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        output = self.network(x)
        return output.logits + sum(output.aux) if isinstance(output, GoogLeNetOutput) else output


def conv_sizes(module: nn.Module) -> list[int]:
    return [num_parameters(layer) for layer in module.modules() if isinstance(layer, nn.Conv2d)]


def test_naive_module_has_the_parameters_that_article_000_states() -> None:
    module = NaiveInception(192, NaiveInceptionWidths(b1=64, b3=128, b5=32, pool_proj=32))

    assert conv_sizes(module) == [12352, 221312, 153632, 6176]
    assert num_parameters(module) == 393_472
    assert module(torch.zeros(1, 192, 28, 28)).shape == (1, 256, 28, 28)


def test_reduced_module_has_the_parameters_that_article_000_states() -> None:
    widths = InceptionWidths(b1=64, b3_reduce=96, b3=128, b5_reduce=16, b5=32, pool_proj=32)
    module = Inception(192, widths)

    assert conv_sizes(module) == [12352, 18528, 110720, 3088, 12832, 6176]
    assert num_parameters(module) == 163_696
    assert module(torch.zeros(1, 192, 28, 28)).shape == (1, 256, 28, 28)


def test_naive_module_of_figure_2a_stacks_the_pooled_input_itself() -> None:
    widths = NaiveInceptionWidths(b1=2, b3=3, b5=4)
    x = torch.randn(1, 6, 5, 7)

    out = NaiveInception(6, widths)(x)

    assert widths.out_channels(6) == 15 == out.shape[1]
    torch.testing.assert_close(out[:, 9:], F.max_pool2d(x, 3, stride=1, padding=1))


def test_module_stacks_four_branches_in_the_order_of_table_1() -> None:
    module = Inception(6, InceptionWidths(b1=2, b3_reduce=3, b3=4, b5_reduce=1, b5=2, pool_proj=3))
    x = torch.randn(2, 6, 5, 7)
    weights = iter([parameter.detach() for parameter in module.parameters()])

    def conv(x: Tensor, padding: int = 0) -> Tensor:
        return F.conv2d(x, next(weights), next(weights), padding=padding).clamp(min=0)

    expected = [conv(x), conv(conv(x), 1), conv(conv(x), 2), conv(F.max_pool2d(x, 3, stride=1, padding=1))]

    torch.testing.assert_close(module(x), torch.cat(expected, 1))


def test_rows_of_the_table_are_the_printed_ones_and_their_widths_chain() -> None:
    rows = list(TABLE_1.values())

    assert {name: tuple(row.widths) for name, row in TABLE_1.items()} == {n: row[:6] for n, row in PRINTED.items()}
    assert [row.widths.out_channels for row in rows] == [row[6] for row in PRINTED.values()]
    assert rows[0].in_channels == 192
    assert all(row.widths.out_channels == following.in_channels for row, following in pairwise(rows))
    assert [name for name, row in TABLE_1.items() if row.pool] == ["3b", "4e"]
    assert [name for name, row in TABLE_1.items() if row.aux] == ["4a", "4d"]


def test_printed_parameters_that_do_not_fit_the_printed_widths_are_those_the_docstring_names() -> None:
    errors = {name: row[8] / (module_weights(name) / 1024) - 1 for name, row in PRINTED.items()}

    assert {name for name, error in errors.items() if abs(error) < 0.02} == set(PRINTED) - {"4c", "5a"}
    assert errors["4c"] == pytest.approx(-0.07, abs=0.005)
    assert errors["5a"] == pytest.approx(0.053, abs=0.005)


def test_printed_operations_fit_the_printed_widths_but_for_5a() -> None:
    computed = {name: round(module_weights(name) * row[7] ** 2 / 1e6) for name, row in PRINTED.items()}
    off = {name: (computed[name], row[9]) for name, row in PRINTED.items() if computed[name] != row[9]}

    assert off == {"4a": (74, 73), "5a": (51, 54)}
    assert round(1072 * 1024 * 7 * 7 / 1e6) == 54
    assert round(2_688 * 112 * 112 / 1e6) == 34  # the first convolution, as if of 2,688 weights


def test_maps_have_the_sizes_of_table_1() -> None:
    network = meta("googlenet").eval()
    sizes = {}
    for name, layer in network.features.named_children():
        layer.register_forward_hook(lambda _, __, out, name=name: sizes.update({name: tuple(out.shape[1:])}))

    network(torch.empty(1, 3, 224, 224, device="meta"))

    assert sizes["conv1"] == (64, 112, 112)
    assert sizes["conv2"] == (192, 56, 56)
    assert [sizes[f"pool{n}"] for n in (1, 2, 3, 4)] == [(64, 56, 56), (192, 28, 28), (480, 14, 14), (832, 7, 7)]
    assert {n: sizes[f"inception{n}"] for n in PRINTED} == {n: (r[6], r[7], r[7]) for n, r in PRINTED.items()}


def test_layers_of_the_stem_stand_in_the_order_of_figure_3() -> None:
    layers = [name for name, _ in meta("googlenet").features.named_children()]

    assert layers[:7] == ["conv1", "pool1", "norm1", "reduce2", "conv2", "norm2", "pool2"]


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("googlenet", {"aux_heads": False}, 6_998_552),
        ("googlenet", {"aux_heads": False}, WEIGHTS + BIASES + 1025 * 1000),
        ("googlenet", {"aux_heads": False, "batch_norm": True}, WEIGHTS + 2 * BIASES + 1025 * 1000),
        ("googlenet", {"batch_norm": True}, 13_385_816),
        ("googlenet", {"aux_heads": False, "num_classes": 10}, WEIGHTS + BIASES + 1025 * 10),
        ("googlenet", {"aux_heads": False, "in_channels": 1}, WEIGHTS - 98 * 64 + BIASES + 1025 * 1000),
        ("googlenet", {"num_classes": 10}, 6_998_552 - 3 * 1025 * 990 + 513 * 128 + 529 * 128 + 2 * HEAD_FC + 2050_000),
        (
            "googlenet",
            {"aux_heads": False, "b5_kernel": 3},
            6_998_552 - 16 * sum(r[3] * r[4] for r in PRINTED.values()),
        ),
        ("googlenet_torchvision", {"aux_heads": False}, 6_624_904),
        ("googlenet_article_002", {"aux_heads": False}, WEIGHTS + 2 * BIASES + 1025 * 1000),
        ("googlenet_article_003", {"aux_heads": False}, WEIGHTS + BIASES + 2 * 256 + 1025 * 256 + 257 * 10),
        ("googlenet_article_004", {"num_classes": 1000}, WEIGHTS - 4096 + BIASES - 64 + 1025 * 1000),
    ],
)
def test_options_have_exactly_the_parameters_derived_by_hand(name: str, options: dict, expected: int) -> None:
    assert num_parameters(meta(name, **options)) == expected


def test_article_003_holds_512_running_statistics_that_are_not_trained() -> None:
    buffers = {name: tensor.numel() for name, tensor in meta("googlenet_article_003").named_buffers()}

    assert sum(count for name, count in buffers.items() if "running" in name) == 2 * (64 + 192)


def test_torchvision_googlenet_gives_the_same_logits_with_the_same_weights() -> None:
    from torchvision.models import googlenet

    with torch.device("meta"):
        theirs = googlenet(aux_logits=True, init_weights=False)
    state = random_state(theirs)
    theirs.load_state_dict(state, assign=True)
    ours = meta("googlenet_torchvision")
    ours.load_state_dict(match_state_dict(ours, state), assign=True)
    for network in (ours, theirs):
        for layer in network.modules():
            if isinstance(layer, nn.Dropout):
                layer.p = 0.0
    x = torch.randn(2, 3, 64, 80)

    with torch.no_grad():
        evaluated, expected = ours.eval()(x), theirs.eval()(x)
        output, trained = ours.train()(x), theirs.train()(x)

    pairs = [(evaluated.logits, expected), (output.logits, trained.logits)]
    pairs += zip(output.aux, (trained.aux_logits1, trained.aux_logits2), strict=True)
    assert evaluated.aux == ()
    for logits, target in pairs:
        assert target.std() > 1e-3
        assert (logits - target).abs().max() <= 1e-5 * max(1, target.abs().max())


def test_heads_logits_come_in_order_of_depth_and_in_training_only() -> None:
    network = build("googlenet", num_classes=3, aux_pool="adaptive")
    for value, head in enumerate(network.aux_heads.values(), start=1):
        nn.init.zeros_(head.fc2.weight)
        nn.init.constant_(head.fc2.bias, value)
    x = torch.randn(2, 3, 32, 32)

    with torch.no_grad():
        output = network(x)
        evaluated = network.eval()(x)

    assert output._fields == ("logits", "aux")
    assert output.logits.shape == (2, 3)
    assert [aux.tolist() for aux in output.aux] == [[[1.0] * 3] * 2, [[2.0] * 3] * 2]
    assert evaluated.aux == ()


@pytest.mark.parametrize(
    ("name", "num_classes", "aux"),
    [
        ("googlenet", 1000, 2),
        ("googlenet_torchvision", 1000, 2),
        ("googlenet_article_002", 1000, 2),
        ("googlenet_article_003", 10, 2),
        ("googlenet_article_004", 2, None),
    ],
)
@pytest.mark.parametrize("batch_size", [1, 3])
def test_every_form_takes_224_pixels_and_any_batch(
    name: str, num_classes: int, aux: int | None, batch_size: int
) -> None:
    output = meta(name)(torch.empty(batch_size, 3, 224, 224, device="meta"))

    logits = output if aux is None else output.logits
    assert logits.shape == (batch_size, num_classes)
    assert aux is None or [head.shape for head in output.aux] == [logits.shape] * aux


@pytest.mark.parametrize("name", ["googlenet_article_002", "googlenet_article_004"])
def test_forms_whose_poolings_pad_take_any_size(name: str) -> None:
    output = meta(name).eval()(torch.empty(1, 3, 1, 5, device="meta"))

    assert getattr(output, "logits", output).shape[0] == 1


def test_network_without_heads_returns_a_tensor() -> None:
    assert meta("googlenet", aux_heads=False)(torch.empty(1, 3, 64, 96, device="meta")).shape == (1, 1000)


@pytest.mark.parametrize(
    ("name", "smallest", "layer"),
    [("googlenet", 31, r"'features.pool4' \(MaxPool2d\)"), ("googlenet_torchvision", 15, r"'features.pool3' .*")],
)
def test_input_that_is_too_small_names_the_layer_and_the_size_that_works(name: str, smallest: int, layer: str) -> None:
    network = meta(name).eval()

    with pytest.raises(ValueError, match=rf"is too small: it dies in {layer}; .*works: {smallest}x{smallest}$"):
        network(torch.empty(1, 3, smallest - 1, 40, device="meta"))
    assert network(torch.empty(1, 3, smallest, smallest, device="meta")).logits.shape == (1, 1000)


@pytest.mark.parametrize(("name", "first", "last"), [("googlenet", 223, 270), ("googlenet_article_002", 209, 256)])
def test_published_heads_take_the_sizes_that_the_docstring_states(name: str, first: int, last: int) -> None:
    network = meta(name)
    forward = inspect.unwrap(type(network).forward)

    for size in (first, last):
        assert len(forward(network, torch.empty(1, 3, size, size, device="meta")).aux) == 2
    for size in (first - 1, last + 1):
        with pytest.raises(RuntimeError):
            forward(network, torch.empty(1, 3, size, size, device="meta"))


def test_head_pools_to_4x4_as_published() -> None:
    head = AuxiliaryHead(512, 10)

    shapes = output_shapes(head, (512, 14, 14))

    assert [shapes[n] for n in ("pool", "conv.conv", "flatten", "fc1")] == [(512, 4, 4), (128, 4, 4), (2048,), (1024,)]
    assert head.dropout.p == 0.7


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"b5_kernel": 7}, "b5_kernel must be 5, or 3 for torchvision's variant, got 7"),
        ({"aux_pool": "max"}, "aux_pool must be 'window' or 'adaptive', got 'max'"),
    ],
)
def test_unknown_option_is_refused(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        meta("googlenet", **options)


def test_article_003_pads_two_zeros_before_and_three_behind_as_same_does_at_224() -> None:
    features = build("googlenet_article_003").features
    x = torch.randn(1, 3, 8, 8)
    kernel, bias = features.conv1.conv.weight, features.conv1.conv.bias

    out = features.conv1(features.pad1(x))

    assert out.shape[2:] == (4, 4)
    corner = (kernel[:, :, 2:, 2:] * x[:, :, :5, :5]).sum((1, 2, 3)) + bias
    torch.testing.assert_close(out[0, :, 0, 0], corner.clamp(min=0))


def test_article_003_normalises_where_the_paper_does_and_article_004_does_not() -> None:
    published, keras, plain = (
        meta(name).features for name in ("googlenet", "googlenet_article_003", "googlenet_article_004")
    )

    names = [name for name, _ in keras.named_children() if name != "pad1"]
    assert names == [name for name, _ in published.named_children()]
    assert [type(keras.get_submodule(n)).__name__ for n in ("norm1", "norm2")] == ["BatchNorm2d"] * 2
    assert [name for name, _ in plain.named_children()][:4] == ["conv1", "pool1", "conv2", "pool2"]
    assert [name for name, _ in plain.conv2.named_children()] == ["conv"]


def test_batch_norm_replaces_biases_and_response_normalisation() -> None:
    layers = list(meta("googlenet", batch_norm=True).modules())

    convs = [layer for layer in layers if isinstance(layer, nn.Conv2d)]
    assert all(conv.bias is None for conv in convs)
    assert [layer.eps for layer in layers if isinstance(layer, nn.BatchNorm2d)] == [0.001] * len(convs)
    assert not any(isinstance(layer, nn.LocalResponseNorm) for layer in layers)


@pytest.mark.parametrize(
    ("name", "options", "size"),
    [
        ("googlenet", {}, 224),
        ("googlenet", {"batch_norm": True, "aux_pool": "adaptive"}, 48),
        ("googlenet_torchvision", {}, 48),
        ("googlenet_article_003", {}, 224),
        ("googlenet_article_004", {}, 64),
    ],
)
def test_gradients_reach_every_parameter(name: str, options: dict, size: int) -> None:
    torch.manual_seed(0)
    network = SumOfOutputs(build(name, num_classes=4, **options))
    assert_gradients_reach_every_parameter(network, torch.randn(2, 3, size, size))


def test_channels_last_and_bfloat16_run() -> None:
    torch.manual_seed(0)
    network = build("googlenet", num_classes=4, aux_heads=False)
    assert_channels_last_and_bfloat16_run(network, torch.randn(2, 3, 48, 48))
