import pytest
import torch
from model_checks import (
    assert_channels_last_and_bfloat16_run,
    assert_gradients_reach_every_parameter,
    assert_one_batch_can_be_overfitted,
    output_shapes,
)
from torch import nn

from course_lib.models import build
from course_lib.models.nin import CIFAR, mlpconv


def test_maps_halve_twice_and_end_as_one_value_per_class() -> None:
    with torch.device("meta"):
        shapes = output_shapes(build("nin_cifar", num_classes=7), (3, 32, 32))

    assert shapes["features.mlpconv1.mlp2.act"] == (96, 32, 32)
    assert shapes["features.pool1"] == (96, 16, 16)
    assert shapes["features.pool2"] == (192, 8, 8)
    assert shapes["features.mlpconv3.mlp2.act"] == (7, 8, 8)
    assert shapes["flatten"] == (7,)


def test_widths_of_the_table_chain() -> None:
    convs = [layer for layer in build("nin_cifar").modules() if isinstance(layer, nn.Conv2d)]

    assert [conv.out_channels for conv in convs] == [192, 160, 96, 192, 192, 192, 192, 192, 10]
    assert [conv.in_channels for conv in convs] == [3, 192, 160, 96, 192, 192, 192, 192, 192]
    assert [conv.kernel_size[0] for conv in convs] == [5, 1, 1, 5, 1, 1, 3, 1, 1]


def test_an_mlpconv_layer_is_a_perceptron_at_each_position() -> None:
    block = mlpconv(3, CIFAR[0])
    x = torch.randn(1, 3, 9, 9)
    first, second, third = (layer for layer in block.modules() if isinstance(layer, nn.Conv2d))
    patch = x[0, :, 2:7, 3:8].flatten()

    with torch.no_grad():
        hidden = torch.relu(first.weight.flatten(1) @ patch + first.bias)
        hidden = torch.relu(second.weight.flatten(1) @ hidden + second.bias)
        expected = torch.relu(third.weight.flatten(1) @ hidden + third.bias)
        maps = block(x)

    torch.testing.assert_close(maps[0, :, 4, 5], expected)


def test_logits_are_the_means_of_the_last_maps() -> None:
    torch.manual_seed(0)
    network = build("nin_cifar").eval()
    x = torch.randn(2, 3, 20, 12)

    with torch.no_grad():
        expected = network.features(x).mean((2, 3))
        logits = network(x)

    torch.testing.assert_close(logits, expected)


def test_second_pooling_is_average_as_released_or_maximum_as_printed() -> None:
    assert isinstance(build("nin_cifar").features.pool2, nn.AvgPool2d)
    assert isinstance(build("nin_cifar", second_pool="max").features.pool2, nn.MaxPool2d)
    with pytest.raises(ValueError, match="second_pool must be 'avg' or 'max', got 'mean'"):
        build("nin_cifar", second_pool="mean")


@pytest.mark.parametrize("last_relu", [True, False])
def test_logits_are_rectified_unless_told_otherwise(last_relu: bool) -> None:
    torch.manual_seed(0)
    network = build("nin_cifar", last_relu=last_relu).eval()

    with torch.no_grad():
        logits = network(torch.randn(8, 3, 16, 16))

    assert bool((logits >= 0).all()) == last_relu


def test_dropout_follows_all_but_the_last_mlpconv_layer() -> None:
    names = [name for name, _ in build("nin_cifar", dropout=0.3).features.named_children()]

    assert names == ["mlpconv1", "pool1", "drop1", "mlpconv2", "pool2", "drop2", "mlpconv3"]
    assert build("nin_cifar", dropout=0.3).features.drop2.p == 0.3


def test_initial_weights_are_as_released() -> None:
    torch.manual_seed(0)
    state = build("nin_cifar").state_dict()

    assert state["features.mlpconv2.conv.conv.weight"].std() == pytest.approx(0.05, rel=0.02)
    assert all(torch.all(tensor == 0) for name, tensor in state.items() if name.endswith("bias"))


@pytest.mark.parametrize("second_pool", ["avg", "max"])
def test_input_below_4_pixels_is_refused_and_4_is_taken(second_pool: str) -> None:
    network = build("nin_cifar", second_pool=second_pool)

    with pytest.raises(ValueError, match=r"input 3x5 is too small: it dies in 'features.pool2' \(.*works: 4x4$"):
        network(torch.zeros(1, 3, 3, 5))
    assert network(torch.zeros(2, 3, 4, 4)).shape == (2, 10)


def test_gradients_reach_every_parameter() -> None:
    torch.manual_seed(0)
    network = build("nin_cifar", num_classes=2, in_channels=1)
    assert_gradients_reach_every_parameter(network, torch.randn(4, 1, 8, 8))


def test_one_batch_can_be_overfitted() -> None:
    torch.manual_seed(0)
    network = build("nin_cifar", num_classes=2, dropout=0.0, last_relu=False)
    assert_one_batch_can_be_overfitted(network, torch.randn(4, 3, 8, 8), num_classes=2)


def test_channels_last_and_bfloat16_run() -> None:
    torch.manual_seed(0)
    assert_channels_last_and_bfloat16_run(build("nin_cifar"), torch.randn(2, 3, 16, 16))
