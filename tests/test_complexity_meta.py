"""Building without values, and the shortcuts past torch's own answers on the meta device."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torchvision import models

from course_lib.complexity import analyze, build_meta, on_meta
from course_lib.complexity.shortcuts import SHORTCUTS

META = torch.device("meta")


def described(tensor: Tensor) -> tuple:
    """What matters of a tensor without values; the stride of an axis of size 1 does not."""
    strides = [stride for stride, size in zip(tensor.stride(), tensor.shape, strict=True) if size > 1]
    return tuple(tensor.shape), strides, tensor.dtype, tensor.device


def assert_as_torch(name: str, function: Callable[..., Tensor], args: tuple, **kwargs: Any) -> bool:
    """Where there is a shortcut, torch gives the same; where torch refuses, there is none. True if there is one."""
    try:
        short = SHORTCUTS[name](args, kwargs)
    except RuntimeError:
        short = RuntimeError
    try:
        expected = function(*args, **kwargs)
    except (RuntimeError, IndexError):
        assert short in (None, RuntimeError)
        return False
    assert short is not RuntimeError
    assert short is None or described(short) == described(expected)
    return short is not None


sizes = st.integers(1, 7)
shapes = st.lists(st.integers(1, 4), min_size=1, max_size=5).map(tuple)
pairs = st.tuples(st.integers(1, 3), st.integers(1, 3))


@settings(max_examples=300, deadline=None)
@given(
    batch=st.integers(1, 2), groups=st.integers(1, 3), group_channels=sizes, group_filters=sizes,
    extra=st.integers(0, 1), size=st.tuples(sizes, sizes), kernel=pairs, stride=pairs,
    padding=st.tuples(st.integers(0, 2), st.integers(0, 2)), dilation=pairs, bias=st.booleans(),
)  # fmt: skip
def test_conv_has_the_shape_that_torch_gives(
    batch: int, groups: int, group_channels: int, group_filters: int, extra: int, size: tuple[int, int],
    kernel: tuple[int, int], stride: tuple[int, int], padding: tuple[int, int], dilation: tuple[int, int], bias: bool,
) -> None:  # fmt: skip
    x = torch.empty(batch, groups * group_channels + extra, *size, device=META)
    filters = groups * group_filters
    weight, offsets = torch.empty(filters, group_channels, *kernel, device=META), torch.empty(filters, device=META)

    args = (x, weight, offsets if bias else None, stride, padding, dilation, groups)
    assert_as_torch("conv2d", torch.conv2d, args)


@settings(max_examples=200, deadline=None)
@given(left=shapes, right=shapes, turned=st.booleans(), half=st.booleans())
def test_sums_have_the_shape_that_torch_gives(left: tuple, right: tuple, turned: bool, half: bool) -> None:
    a = torch.empty(left, device=META)
    a = a.transpose(0, -1) if turned else a
    b = torch.empty(right, device=META, dtype=torch.float16 if half else torch.float32)

    for name in ("add", "sub", "mul", "div"):
        assert_as_torch(name, getattr(torch, name), (a, b))
    assert_as_torch("add_", torch.Tensor.add_, (a, b))
    assert assert_as_torch("add", torch.add, (a, 2))
    assert assert_as_torch("mul", torch.mul, (a, torch.empty(a.shape, device=META)))


@settings(max_examples=200, deadline=None)
@given(tensors=st.lists(shapes, min_size=1, max_size=3), dim=st.integers(-4, 4))
def test_stacks_have_the_shape_that_torch_gives(tensors: list[tuple], dim: int) -> None:
    assert_as_torch("cat", torch.cat, ([torch.empty(shape, device=META) for shape in tensors], dim))


def test_stack_of_like_tensors_takes_the_shortcut() -> None:
    assert assert_as_torch("cat", torch.cat, ([torch.empty(2, 3, 4, device=META)] * 2,), dim=1)


@pytest.mark.parametrize("layout", [lambda x: x, lambda x: x.transpose(1, 2), lambda x: x.long()])
@pytest.mark.parametrize(
    ("name", "function", "rest"),
    [
        ("relu", F.relu, ()),
        ("silu", F.silu, ()),
        ("gelu", F.gelu, ()),
        ("hardtanh", F.hardtanh, ()),
        ("sigmoid", torch.sigmoid, ()),
        ("layer_norm", F.layer_norm, ((5, 6),)),
        ("layer_norm", F.layer_norm, ((6, 5),)),
        ("batch_norm", F.batch_norm, (torch.empty(4, device=META), torch.empty(4, device=META))),
        ("batch_norm", F.batch_norm, (torch.empty(3, device=META), torch.empty(3, device=META))),
        ("adaptive_avg_pool2d", F.adaptive_avg_pool2d, (3,)),
        ("max_pool2d", F.max_pool2d, (2,)),
        ("max_pool2d", F.max_pool2d, ((3, 2), (2, 1), (1, 0))),
        ("max_pool2d", F.max_pool2d, (2, 1, 0, 2)),
        ("max_pool2d", F.max_pool2d, (2, 1, 2)),
        ("max_pool2d", F.max_pool2d, (2, 3, 0, 1, True)),
        ("linear", F.linear, (torch.empty(3, 6, device=META), torch.empty(3, device=META))),
        ("linear", F.linear, (torch.empty(3, 6, device=META), None)),
        ("linear", F.linear, (torch.empty(3, 5, device=META), None)),
        ("linear", F.linear, (torch.empty(3, 6, device=META, dtype=torch.half), None)),
        ("adaptive_avg_pool2d", F.adaptive_avg_pool2d, ((2, 4),)),
    ],
)
def test_activations_and_normalisations_have_the_shape_that_torch_gives(
    name: str, function: Callable[..., Tensor], rest: tuple, layout: Callable[[Tensor], Tensor]
) -> None:
    assert_as_torch(name, function, (layout(torch.empty(2, 4, 5, 6, device=META)), *rest))


def test_modules_made_on_meta_have_shapes_and_no_values() -> None:
    with on_meta():
        made = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Linear(4, 2), nn.LSTM(2, 3))

    expected = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Linear(4, 2), nn.LSTM(2, 3))
    assert all(parameter.is_meta and parameter.requires_grad for parameter in made.parameters())
    assert {n: (t.shape, t.dtype) for n, t in made.state_dict().items()} == {
        n: (t.shape, t.dtype) for n, t in expected.state_dict().items()
    }
    assert not torch.empty(3).is_meta


def test_values_for_the_construction_and_tensors_with_a_device_stay() -> None:
    with on_meta():
        rates = torch.linspace(0, 1, 3).tolist()
        asked = torch.zeros(3, device="cpu")
        together = torch.arange(3) * torch.ones(3)
        filled = torch.zeros(3).add_(torch.arange(3))

    assert rates == [0, 0.5, 1]
    assert torch.equal(asked, torch.tensor([0.0, 0.0, 0.0]))
    assert together.is_meta
    assert filled.is_meta


def test_only_the_thread_that_asks_is_concerned() -> None:
    made = []

    with on_meta():
        thread = threading.Thread(target=lambda: made.append(nn.Linear(2, 2)))
        thread.start()
        thread.join()

    assert not made[0].weight.is_meta
    assert float(made[0].weight.detach().abs().sum()) > 0


def test_initialisers_are_torchs_own_again_afterwards() -> None:
    before = dict(vars(nn.init))

    with on_meta(), on_meta():
        real = nn.init.ones_(torch.zeros(3, device="cpu"))
        inside = vars(nn.init)["ones_"]

    assert real.tolist() == [1, 1, 1]
    assert inside is not before["ones_"]
    assert vars(nn.init) == before


def test_network_whose_construction_reads_values_is_built() -> None:
    with on_meta():
        model = models.regnet_y_400mf()

    assert analyze(model, (3, 224, 224)).params == 4_344_144


def test_build_meta_takes_the_options_of_the_network() -> None:
    model = build_meta("resnet18", num_classes=7)

    assert all(tensor.is_meta for tensor in model.state_dict().values())
    assert model.fc.out_features == 7


def test_unknown_network_is_an_error() -> None:
    with pytest.raises(ValueError, match="unknown network 'resnet19'; known: "):
        build_meta("resnet19")
