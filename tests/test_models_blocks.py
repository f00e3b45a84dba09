import copy
from collections import OrderedDict

import pytest
import torch
from torch import Tensor, nn

from course_lib.models.blocks import (
    LocalResponseNorm,
    checks_input_size,
    conv_norm_act,
    conv_relu,
    feature_shape,
    match_state_dict,
    smallest_input_size,
)

CHAINS = {
    "convolutions": lambda: nn.Sequential(nn.Conv2d(2, 4, 5, 2), nn.ReLU(), nn.Conv2d(4, 3, (3, 1), padding=(0, 1))),
    "floor": lambda: nn.Sequential(nn.Conv2d(2, 4, 3, dilation=2), nn.MaxPool2d(3, 2), nn.AvgPool2d(2)),
    "ceil": lambda: nn.Sequential(nn.MaxPool2d(3, 2, ceil_mode=True), nn.MaxPool2d(2, 2, ceil_mode=True)),
    "ceil with padding": lambda: nn.Sequential(nn.AvgPool2d(2, 3, padding=1, ceil_mode=True), nn.Conv2d(2, 5, 2)),
    "dilated pooling": lambda: nn.Sequential(nn.MaxPool2d(2, 1, dilation=3), nn.Sequential(nn.Conv2d(2, 2, 1))),
}


class Chain(nn.Module):
    def __init__(self, features: nn.Sequential) -> None:
        super().__init__()
        self.features = features

    @checks_input_size
    def forward(self, x: Tensor) -> Tensor:
        return self.features(x)


def real_shape(features: nn.Module, height: int, width: int) -> tuple[int, ...] | None:
    try:
        with torch.no_grad():
            return tuple(features(torch.zeros(1, 2, height, width)).shape[1:])
    except RuntimeError:
        return None


@pytest.mark.parametrize("chain", CHAINS)
def test_feature_shape_is_what_torch_makes_or_an_error_where_torch_refuses(chain: str) -> None:
    features = CHAINS[chain]()

    for height in range(1, 21):
        for width in (height, 23):
            real = real_shape(features, height, width)
            if real is None:
                with pytest.raises(
                    ValueError, match=rf"input {height}x{width} is too small: it dies in '.*works: \d+x"
                ):
                    feature_shape(features, 2, (height, width))
            else:
                assert feature_shape(features, 2, (height, width)) == real


@pytest.mark.parametrize("chain", CHAINS)
def test_smallest_size_is_the_first_that_torch_takes(chain: str) -> None:
    features = CHAINS[chain]()

    smallest = smallest_input_size(features, in_channels=2)

    assert smallest == next(size for size in range(1, 30) if real_shape(features, size, size))


def test_network_that_takes_one_size_of_maps_has_a_smallest_size_too() -> None:
    network = nn.Sequential(nn.Conv2d(2, 1, 3, stride=4), nn.Flatten(), nn.Linear(9, 1))

    assert smallest_input_size(network, in_channels=2) == 11
    assert smallest_input_size(network, in_channels=3) is None


def test_input_that_does_not_fit_is_refused_and_leaves_the_network_as_it_was() -> None:
    network = Chain(nn.Sequential(OrderedDict(bn=nn.BatchNorm2d(2), deep=nn.Sequential(nn.Conv2d(2, 1, 4)))))
    network.eval()
    before = copy.deepcopy(network.state_dict())

    with pytest.raises(ValueError, match=r"^input 9x3 is too small: it dies in 'features.deep.0' \(Conv2d\).*: 4x4$"):
        network(torch.zeros(1, 2, 9, 3))

    assert not network.training
    assert {name: str(t.device) for name, t in network.state_dict().items()} == dict.fromkeys(before, "cpu")
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (torch.zeros(1, 3, 9, 9), "to have 2 channels, but got 3 channels"),
        (torch.zeros(1, 2, 9, 9, dtype=torch.float64), "should be the same"),
        (torch.zeros(2, 9), "but got input of size"),
    ],
)
def test_other_errors_stay_torchs(x: Tensor, message: str) -> None:
    with pytest.raises(RuntimeError, match=message):
        Chain(nn.Sequential(nn.Conv2d(2, 1, 4)))(x)


def test_checked_network_can_be_traced() -> None:
    network = Chain(nn.Sequential(nn.Conv2d(2, 1, 4), nn.ReLU()))
    x = torch.randn(1, 2, 9, 9)

    torch.testing.assert_close(torch.fx.symbolic_trace(network)(x), network(x))


def test_block_has_a_bias_only_where_no_norm_follows() -> None:
    plain = conv_relu(3, 4, 3, padding=1)
    normed = conv_norm_act(3, 4, 3, stride=2, padding=1, norm=nn.BatchNorm2d, act=nn.ReLU6)
    linear = conv_norm_act(4, 4, 1, groups=4, norm=nn.BatchNorm2d, bias=True, act=None)

    assert [name for name, _ in plain.named_children()] == ["conv", "act"]
    assert [name for name, _ in normed.named_children()] == ["conv", "norm", "act"]
    assert [name for name, _ in linear.named_children()] == ["conv", "norm"]
    assert [block.conv.bias is not None for block in (plain, normed, linear)] == [True, False, True]
    assert normed(torch.zeros(2, 3, 8, 8)).shape == (2, 4, 4, 4)


@pytest.mark.parametrize("size", [1, 3, 4, 5])
def test_response_norm_is_torchs_with_alpha_times_size(size: int) -> None:
    x = 10 * torch.randn(2, 7, 3, 4, dtype=torch.float64)

    ours = LocalResponseNorm(size, alpha=1e-2, beta=0.5, k=1.5)(x)

    torch.testing.assert_close(ours, nn.LocalResponseNorm(size, alpha=1e-2 * size, beta=0.5, k=1.5)(x))


def test_state_dict_is_renamed_in_order() -> None:
    theirs = OrderedDict(x=torch.ones(1, 2, 4, 4), y=torch.zeros(1))
    network = Chain(nn.Sequential(nn.Conv2d(2, 1, 4)))

    network.load_state_dict(match_state_dict(network, theirs))

    assert torch.equal(network.features[0].weight, theirs["x"])
