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
from course_lib.models.alexnet import ONE_TOWER, ONE_WEIRD_TRICK, TWO_GROUPS
from course_lib.models.blocks import local_response_norm, match_state_dict

SMALL = {"input_size": 67, "hidden_features": 32, "num_classes": 4, "dropout": 0.0}


def meta(name: str, **options: object) -> nn.Module:
    with torch.device("meta"):
        return build(name, **options)


def test_maps_have_the_sizes_that_figure_2_counts_except_where_it_misprints() -> None:
    shapes = output_shapes(meta("alexnet"), (3, 227, 227))

    neurons = {name: math.prod(shapes[f"features.{name}"]) for name in ("conv1", "conv2", "conv3", "conv4", "conv5")}

    assert neurons == {
        "conv1": 55 * 55 * 96,  # the paper prints 253,440, which is 55 x 48 x 96
        "conv2": 186_624,
        "conv3": 64_896,
        "conv4": 64_896,
        "conv5": 43_264,
    }
    assert [shapes[f"features.pool{n}"][1] for n in (1, 2, 5)] == [27, 13, 6]
    assert [shapes[f"classifier.fc{n}"] for n in (6, 7, 8)] == [(4096,), (4096,), (1000,)]


def test_kernels_have_the_shapes_of_section_3_5() -> None:
    network = meta("alexnet")

    kernels = [tuple(network.features.get_submodule(f"conv{n}").weight.shape) for n in range(1, 6)]

    assert kernels == [(96, 3, 11, 11), (256, 48, 5, 5), (384, 256, 3, 3), (384, 192, 3, 3), (256, 192, 3, 3)]


@pytest.mark.parametrize("table", [TWO_GROUPS, ONE_TOWER, ONE_WEIRD_TRICK])
def test_each_row_keeps_its_groups_even(table: tuple) -> None:
    widths = [3] + [row.out_channels for row in table]

    assert all(widths[i] % row.groups == 0 == row.out_channels % row.groups for i, row in enumerate(table))


def test_second_group_of_a_grouped_layer_does_not_see_the_first_groups_maps() -> None:
    network = build("alexnet", hidden_features=1)
    maps = torch.randn(1, 96, 5, 5)
    changed = maps.clone()
    changed[:, :48] += 1

    with torch.no_grad():
        before, after = network.features.conv2(maps), network.features.conv2(changed)

    assert torch.equal(before[:, 128:], after[:, 128:])
    assert not torch.equal(before[:, :128], after[:, :128])


def test_response_norm_is_the_formula_of_section_3_3() -> None:
    a = torch.randn(2, 12, 3, 3, dtype=torch.float64)
    expected = torch.empty_like(a)
    for i in range(12):
        window = a[:, max(0, i - 2) : min(11, i + 2) + 1]
        expected[:, i] = a[:, i] / (2 + 1e-4 * (window**2).sum(1)) ** 0.75

    torch.testing.assert_close(local_response_norm()(a), expected)


def test_norm_and_pool_stand_where_section_3_5_puts_them() -> None:
    layers = [name for name, _ in meta("alexnet").features.named_children() if not name.startswith(("conv", "relu"))]

    assert layers == ["norm1", "pool1", "norm2", "pool2", "pool5"]


def test_initial_weights_are_those_of_section_5() -> None:
    torch.manual_seed(0)
    network = build("alexnet", hidden_features=64)
    state = network.state_dict()

    ones = {name for name, tensor in state.items() if name.endswith("bias") and torch.all(tensor == 1)}

    assert ones == {f"{place}.bias" for place in ("features.conv2", "features.conv4", "features.conv5")} | {
        "classifier.fc6.bias",
        "classifier.fc7.bias",
    }
    assert all(torch.all(t == 0) for name, t in state.items() if name.endswith("bias") and name not in ones)
    for name in ("features.conv3.weight", "classifier.fc6.weight"):
        assert state[name].std() == pytest.approx(0.01, rel=0.02)
        assert state[name].mean() == pytest.approx(0, abs=1e-3)


def test_torchvision_alexnet_gives_the_same_logits_with_the_same_weights() -> None:
    from torchvision.models import alexnet

    with torch.device("meta"):
        theirs = alexnet().eval()
    state = random_state(theirs)
    theirs.load_state_dict(state, assign=True)
    ours = meta("alexnet_owt").eval()
    ours.load_state_dict(match_state_dict(ours, state), assign=True)

    assert_same_logits(ours, theirs, state, torch.randn(2, 3, 96, 80))


@pytest.mark.parametrize("change", ["fewer", "shape"])
def test_weights_of_another_network_are_refused(change: str) -> None:
    ours = build("alexnet", **SMALL)
    state = dict(ours.state_dict())
    if change == "fewer":
        state.popitem()
        message = "state_dict of AlexNet must hold 16 tensors, got 15"
    else:
        state["features.conv1.bias"] = torch.zeros(95)
        message = (
            r"state_dict\['features.conv1.bias'\] must have the shape of 'features.conv1.bias', \(96,\), got \(95,\)"
        )

    with pytest.raises(ValueError, match=message):
        match_state_dict(ours, state)


@pytest.mark.parametrize("name", ["alexnet", "alexnet_one_tower"])
@pytest.mark.parametrize("options", [{}, {"in_channels": 1, "input_size": (80, 120), "num_classes": 7}])
def test_logits_have_one_value_per_class(name: str, options: dict) -> None:
    network = build(name, hidden_features=8, **options)
    size = options.get("input_size", (227, 227))

    logits = network(torch.zeros(2, options.get("in_channels", 3), *size))

    assert logits.shape == (2, options.get("num_classes", 1000))


@pytest.mark.parametrize("size", [227, 258])
def test_sizes_that_give_the_same_maps_fit_the_classifier(size: int) -> None:
    assert meta("alexnet")(torch.empty(1, 3, size, size, device="meta")).shape == (1, 1000)


@pytest.mark.parametrize(("size", "verdict"), [((226, 226), "is too small"), ((259, 259), "does not fit")])
def test_size_that_the_classifier_was_not_built_for_is_refused(size: tuple[int, int], verdict: str) -> None:
    message = (
        rf"input {size[0]}x{size[1]} {verdict}: it dies in 'classifier.fc6' \(Linear\); "
        "smallest size that works: 227x227; built for input_size=227"
    )
    with pytest.raises(ValueError, match=message):
        build("alexnet", hidden_features=8)(torch.zeros(1, 3, *size))


def test_network_of_two_sides_names_them_when_another_size_is_refused() -> None:
    network = build("alexnet", hidden_features=8, input_size=(67, 130))

    with pytest.raises(ValueError, match=r"input 67x67 does not fit: it dies in .*built for input_size=\(67, 130\)"):
        network(torch.zeros(1, 3, 67, 67))


def test_input_size_too_small_to_build_for_is_refused() -> None:
    with pytest.raises(ValueError, match=r"input 66x66 is too small: it dies in 'pool5' \(MaxPool2d\).*works: 67x67"):
        build("alexnet", input_size=66)
    assert build("alexnet", **SMALL)(torch.zeros(1, 3, 67, 67)).shape == (1, 4)


def test_input_too_small_for_the_convolutions_names_the_layer() -> None:
    network = meta("alexnet_owt")

    with pytest.raises(ValueError, match=r"input 62x90 is too small: it dies in 'features.pool5' .*works: 63x63$"):
        network(torch.empty(1, 3, 62, 90, device="meta"))
    assert network(torch.empty(1, 3, 63, 63, device="meta")).shape == (1, 1000)


def test_error_that_has_nothing_to_do_with_the_size_stays_as_it_is() -> None:
    with pytest.raises(RuntimeError, match=r"expected input.* to have 3 channels"):
        build("alexnet", **SMALL)(torch.zeros(1, 1, 67, 67))


@pytest.mark.parametrize("name", ["alexnet", "alexnet_one_tower"])
def test_gradients_reach_every_parameter(name: str) -> None:
    torch.manual_seed(0)
    assert_gradients_reach_every_parameter(build(name, **SMALL), torch.randn(4, 3, 67, 67))


def test_one_batch_can_be_overfitted() -> None:
    torch.manual_seed(0)
    network = build("alexnet", input_size=67, hidden_features=256, num_classes=2, dropout=0.0)
    pixels = 60 * torch.randn(2, 3, 67, 67)  # the initial weights are small, for pixels of 0 to 255 less their mean

    assert_one_batch_can_be_overfitted(network, pixels, num_classes=2)


def test_channels_last_and_bfloat16_run() -> None:
    torch.manual_seed(0)
    assert_channels_last_and_bfloat16_run(build("alexnet", **SMALL), torch.randn(2, 3, 67, 67))


def test_dropout_is_as_given_and_stands_behind_the_hidden_layers() -> None:
    layers = [name for name, _ in meta("alexnet").classifier.named_children()]

    assert layers == ["flatten", "fc6", "relu6", "drop6", "fc7", "relu7", "drop7", "fc8"]
    assert meta("alexnet", dropout=0.25).classifier.drop7.p == 0.25
