import math

import pytest
import torch
import torch.nn.functional as F
from model_checks import (
    assert_channels_last_and_bfloat16_run,
    assert_gradients_reach_every_parameter,
    assert_one_batch_can_be_overfitted,
    output_shapes,
)
from torch import nn

from course_lib.models import build
from course_lib.models.deconvnet import deconvolve, filter_back, project, record, strongest, unpool

SMALL = {"input_size": 47, "hidden_features": 32, "num_classes": 4, "dropout": 0.0}


def small_zfnet() -> nn.Module:
    torch.manual_seed(0)
    return build("zfnet", **SMALL)


def test_maps_have_the_sizes_of_figure_3() -> None:
    with torch.device("meta"):
        shapes = output_shapes(build("zfnet"), (3, 224, 224))

    sizes = {name: shapes[f"features.{name}"][1] for name in ("conv1", "pool1", "conv2", "pool2", "conv3", "pool5")}

    assert sizes == {"conv1": 110, "pool1": 55, "conv2": 26, "pool2": 13, "conv3": 13, "pool5": 6}
    assert math.prod(shapes["features.pool5"]) == 9216


def test_changes_of_section_4_1_and_table_3_are_in_the_kernels() -> None:
    with torch.device("meta"):
        features, wide = build("zfnet").features, build("zfnet_512").features

    assert (features.conv1.kernel_size, features.conv1.stride) == ((7, 7), (2, 2))
    assert all(layer.groups == 1 for layer in features if isinstance(layer, nn.Conv2d))
    assert [wide.get_submodule(f"conv{n}").out_channels for n in range(1, 6)] == [96, 256, 512, 1024, 512]


def test_first_two_layers_pool_and_then_normalise() -> None:
    names = [name for name, _ in small_zfnet().features.named_children()]

    assert names[:8] == ["conv1", "relu1", "pool1", "norm1", "conv2", "relu2", "pool2", "norm2"]


def test_initial_weights_have_a_standard_deviation_of_a_hundredth_and_no_bias() -> None:
    state = small_zfnet().state_dict()

    assert all(torch.all(t == 0) for name, t in state.items() if name.endswith("bias"))
    assert state["features.conv4.weight"].std() == pytest.approx(0.01, rel=0.02)


def test_size_out_of_the_window_is_refused_and_the_ends_of_the_window_fit() -> None:
    network = build("zfnet", hidden_features=8)

    with pytest.raises(
        ValueError, match=r"input 206x206 is too small: .*fc6.*works: 207x207; built for input_size=224"
    ):
        network(torch.zeros(1, 3, 206, 206))
    assert network(torch.zeros(1, 3, 207, 238)).shape == (1, 1000)


def test_input_size_too_small_to_build_for_is_refused() -> None:
    with pytest.raises(ValueError, match=r"input 20x20 is too small: it dies in 'conv2' \(Conv2d\).*size that works: "):
        build("zfnet", input_size=20)


@pytest.mark.parametrize("name", ["zfnet", "zfnet_512"])
def test_gradients_reach_every_parameter(name: str) -> None:
    torch.manual_seed(0)
    assert_gradients_reach_every_parameter(build(name, **SMALL, in_channels=1), 60 * torch.randn(4, 1, 47, 47))


def test_one_batch_can_be_overfitted() -> None:
    torch.manual_seed(0)
    network = build("zfnet", input_size=47, hidden_features=256, num_classes=2, dropout=0.0)

    assert_one_batch_can_be_overfitted(network, 60 * torch.randn(2, 3, 47, 47), num_classes=2)


def test_channels_last_and_bfloat16_run() -> None:
    assert_channels_last_and_bfloat16_run(small_zfnet(), 60 * torch.randn(2, 3, 47, 47))


@pytest.mark.parametrize(
    "conv",
    [
        nn.Conv2d(3, 5, 3),
        nn.Conv2d(3, 5, 3, padding=1, bias=False),
        nn.Conv2d(3, 6, (7, 5), stride=2, padding=1),
        nn.Conv2d(4, 6, 3, stride=3, groups=2),
        nn.Conv2d(2, 4, 3, dilation=2, stride=2),
    ],
)
@pytest.mark.parametrize("size", [(12, 13), (14, 15)])
def test_projection_through_one_convolution_is_torchs_transposed_convolution(
    conv: nn.Conv2d, size: tuple[int, int]
) -> None:
    images = torch.randn(2, conv.in_channels, *size, requires_grad=True)
    outputs = conv(images)
    maps = torch.randn_like(outputs)
    (expected,) = torch.autograd.grad(outputs, images, maps)
    features = nn.Sequential(conv)

    pixels = project(features, record(features, images), "0", maps)

    torch.testing.assert_close(pixels, expected)
    torch.testing.assert_close(filter_back(maps, conv, size), expected)


def test_projection_at_stride_1_is_conv_transpose2d_without_bias() -> None:
    conv = nn.Conv2d(3, 4, 5, padding=2)
    features = nn.Sequential(conv)
    images, maps = torch.randn(1, 3, 9, 9), torch.randn(1, 4, 9, 9)

    pixels = project(features, record(features, images), "0", maps)

    torch.testing.assert_close(pixels, F.conv_transpose2d(maps, conv.weight, padding=2))


@pytest.mark.parametrize(("kernel_size", "size"), [(2, (6, 8)), (3, (6, 9)), (2, (5, 7))])
def test_unpooling_is_torchs_where_windows_do_not_overlap(kernel_size: int, size: tuple[int, int]) -> None:
    x = torch.randn(2, 3, *size)
    pooled, switches = F.max_pool2d(x, kernel_size, return_indices=True)

    torch.testing.assert_close(
        unpool(pooled, switches, size), F.max_unpool2d(pooled, switches, kernel_size, output_size=size)
    )


@pytest.mark.parametrize("size", [(7, 7), (8, 10)])
def test_unpooling_puts_each_maximum_back_where_it_was_and_zeros_elsewhere(size: tuple[int, int]) -> None:
    x = torch.randn(2, 3, *size) - 3  # most maxima are negative: zero must not win over them
    pooled, switches = F.max_pool2d(x, 3, stride=2, ceil_mode=True, return_indices=True)

    back = unpool(pooled, switches, size)

    is_maximum = torch.zeros(2, 3, math.prod(size), dtype=torch.bool).scatter(2, switches.flatten(2), True).view_as(x)
    assert torch.equal(back, torch.where(is_maximum, x, torch.zeros(())))


def test_value_shared_by_two_windows_is_the_larger_of_the_two() -> None:
    switches = torch.tensor([[[[1, 1]]]])

    back = unpool(torch.tensor([[[[2.0, 5.0]]]]), switches, (1, 3))

    assert back.tolist() == [[[[0.0, 5.0, 0.0]]]]


def test_rectifier_on_the_way_down_keeps_positive_signals_only() -> None:
    features = nn.Sequential(nn.ReLU())
    images = torch.tensor([[[[-1.0, 2.0, 3.0]]]])

    pixels = project(features, record(features, images), "0", torch.tensor([[[[5.0, -4.0, 6.0]]]]))

    assert pixels.tolist() == [[[[5.0, 0.0, 6.0]]]]  # the way up does not gate: its -1 lets the 5 through


def test_strongest_keeps_one_value_per_image() -> None:
    maps = torch.tensor([[[[1.0, 9.0], [2.0, 3.0]], [[5.0, 4.0], [7.0, 6.0]]]])

    assert strongest(maps, channel=1).tolist() == [[[[0.0, 0.0], [0.0, 0.0]], [[0.0, 0.0], [7.0, 0.0]]]]


def test_what_excites_a_filter_of_the_first_layer_is_the_filter_itself() -> None:
    features = small_zfnet().features
    image = torch.randn(1, 3, 47, 47)
    with torch.no_grad():
        maps = features.conv1(image)[0, 10]
    row, column = divmod(int(maps.argmax()), maps.shape[1])
    expected = torch.zeros(1, 3, 49, 49)
    expected[0, :, 2 * row : 2 * row + 7, 2 * column : 2 * column + 7] = maps.max() * features.conv1.weight[10].detach()

    pixels = deconvolve(features, image, "relu1", channel=10)

    torch.testing.assert_close(pixels, expected[:, :, 1:-1, 1:-1])


def test_projection_of_the_second_layer_stays_inside_its_receptive_field() -> None:
    features = small_zfnet().features
    image = torch.randn(1, 3, 95, 95)
    trace = record(features, image)
    maps = torch.zeros_like(trace.maps["relu2"])
    maps[0, 0, 4, 5] = 1.0

    rows, columns = project(features, trace, "relu2", maps).abs().sum((0, 1)).nonzero().unbind(1)

    # conv2 sees rows 8 to 12 of pool1; these see 16 to 26 of conv1, and these 31 to 57 of the image.
    assert 31 <= rows.min() <= rows.max() <= 57
    assert 39 <= columns.min() <= columns.max() <= 65


def test_projection_follows_the_switches_of_the_image_that_went_up() -> None:
    features = nn.Sequential(nn.MaxPool2d(2))
    images = torch.tensor([[[[1.0, 0.0], [0.0, 0.0]]], [[[0.0, 0.0], [0.0, 1.0]]]])

    pixels = project(features, record(features, images), "0", torch.full((2, 1, 1, 1), 3.0))

    assert pixels.flatten(1).tolist() == [[3.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 3.0]]


@pytest.mark.parametrize(
    ("name", "options", "size"),
    [
        ("zfnet", SMALL, 47),
        ("alexnet", SMALL | {"input_size": 67}, 67),
        ("vgg16_small", {"input_size": 32}, 32),
        ("nin_cifar", {"second_pool": "max"}, 16),
    ],
)
def test_every_layer_of_every_chain_comes_back_to_pixels(name: str, options: dict, size: int) -> None:
    torch.manual_seed(0)
    features = build(name, **options).features
    images = 60 * torch.randn(2, 3, size, size)
    trace = record(features, images)

    for layer, maps in trace.maps.items():
        pixels = project(features, trace, layer, strongest(maps, channel=0))
        assert pixels.shape == images.shape
        assert pixels.isfinite().all()


def test_record_gives_the_activations_of_the_network() -> None:
    features = small_zfnet().features
    images = torch.randn(2, 3, 47, 47)

    with torch.no_grad():
        expected = features(images)

    torch.testing.assert_close(record(features, images).maps["pool5"], expected)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda f, x: deconvolve(f, x, "conv9", 0), r"layer must be one of conv1, relu1, .*, got 'conv9'"),
        (lambda f, x: project(f, record(f, x), "conv9", x), r"layer must be one of conv1, .*, got 'conv9'"),
        (lambda f, x: deconvolve(f, x, "conv1", 96), r"channel must be 0 to 95, got 96"),
        (lambda f, x: project(f, record(f, x), "conv1", x), r"maps of conv1 must be \(1, 96, 22, 22\), got \(1, 3, 47"),
        (lambda _, x: record(nn.Sequential(nn.BatchNorm2d(3)), x), r"cannot undo layer '0', a BatchNorm2d"),
    ],
)
def test_what_cannot_be_projected_is_refused_in_words(call: object, message: str) -> None:
    features = small_zfnet().features

    with pytest.raises(ValueError, match=message):
        call(features, torch.zeros(1, 3, 47, 47))
