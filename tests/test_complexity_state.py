"""An analysis leaves no mark: afterwards a model gives the same bits as a copy that was never analyzed."""

from __future__ import annotations

import copy
import functools
import random
from collections import deque
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.modules import module as torch_module

from course_lib.complexity import analyze

POSITIONS: dict[tuple, Tensor] = {}
FEATURES: list[Tensor] = []


class LazyHooks(nn.Module):
    """Hooks that are installed at the first forward."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)

    def forward(self, x: Tensor) -> Tensor:
        if not getattr(self, "ready", False):
            self.conv.register_forward_hook(lambda _, __, output: output * 2)
            self.conv.register_forward_pre_hook(lambda _, args: (args[0] + 1,))
            self.ready = True
        return self.conv(x)


class ListCache(LazyHooks):
    """Keys of earlier calls, in a list, a nested dictionary and a queue."""

    def __init__(self) -> None:
        super().__init__()
        self.cache, self.nested, self.recent = [], {"deep": [{}]}, deque(maxlen=2)

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv(x)
        self.cache.append(y)
        self.recent.append(y)
        self.nested["deep"][0].setdefault("first", y)
        return sum(self.cache) + self.nested["deep"][0]["first"] + sum(self.recent)


class ClassCache(LazyHooks):
    """A cache that all instances share, one that appears on the class, and one of the file."""

    shared: dict[str, Tensor] = {}  # noqa: RUF012

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv(x)
        if "scale" not in self.shared:
            self.shared["scale"] = y.mean() * 0 + len(POSITIONS)
        if not hasattr(type(self), "late"):
            type(self).late = y[:1] * 0
        POSITIONS.setdefault(tuple(x.shape), y * 0 + 1)
        return y + self.shared["scale"] + type(self).late + POSITIONS[tuple(x.shape)]


class Helper:
    """An object of the user's, no module."""

    __slots__ = ("history", "kept")

    def __init__(self) -> None:
        self.kept, self.history = None, []


class HelperCache(LazyHooks):
    def __init__(self) -> None:
        super().__init__()
        self.helper = Helper()

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv(x)
        if self.helper.kept is None:
            self.helper.kept = y
        self.helper.history.append(y)
        return y + self.helper.kept + len(self.helper.history)


class ClosureCache(LazyHooks):
    """State in the closure of a function, and in a nonlocal variable."""

    def __init__(self) -> None:
        super().__init__()
        first, count = [], 0

        def remembered(y: Tensor) -> Tensor:
            nonlocal count
            count += 1
            first.append(y)
            return first[0] + count

        self.remember = remembered

    def forward(self, x: Tensor) -> Tensor:
        return self.remember(self.conv(x))


@functools.lru_cache
def table(size: int) -> Tensor:
    return torch.linspace(-1, 1, size)


class Rotary(nn.Module):
    """A cache of sines, made when a length is first seen; buffers that are written in place; a generator."""

    def __init__(self) -> None:
        super().__init__()
        self.proj = nn.Linear(8, 8)
        self.register_buffer("rates", 1 / 100 ** (torch.arange(0, 8, 2) / 8))
        self.register_buffer("seen", torch.zeros(1))
        self.register_buffer("keys", torch.zeros(1, 16, 8))
        self.length, self.generator = 0, torch.Generator().manual_seed(1)

    def forward(self, x: Tensor) -> Tensor:
        if x.shape[1] > self.length:
            self.length = x.shape[1]
            angles = torch.arange(self.length, device=x.device)[:, None] * self.rates
            self.cos, self.sin = angles.cos(), angles.sin()
        self.seen += 1
        y = self.proj(x)
        self.keys[:, : x.shape[1]] = y
        noise = torch.rand(8, generator=self.generator) + torch.rand(8) + random.random()
        left, right = y[..., ::2], y[..., 1::2]
        turned = torch.cat([left * self.cos - right * self.sin, left * self.sin + right * self.cos], -1)
        return turned * table(8) + noise + self.seen + self.keys[:, : x.shape[1]].sum()


class Late(nn.Module):
    """Builds a layer when it first sees an input."""

    def __init__(self) -> None:
        super().__init__()
        self.head = None

    def forward(self, x: Tensor) -> Tensor:
        if self.head is None:
            self.head = nn.Linear(x.shape[-1], 3)
            with torch.no_grad():
                self.head.weight.fill_(0.5)
                self.head.bias.zero_()
        return self.head(x)


class Normed(nn.Module):
    """Running statistics and a spectral norm, which training changes."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.utils.parametrizations.spectral_norm(nn.Conv2d(3, 4, 3))
        self.norm = nn.BatchNorm2d(4)

    def forward(self, x: Tensor) -> Tensor:
        self.norm.training = not self.norm.training
        return self.norm(self.conv(x))


IMAGE = (3, 6, 6)
CASES: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "hooks": (LazyHooks, IMAGE),
    "lists and dictionaries": (ListCache, IMAGE),
    "class and file": (ClassCache, IMAGE),
    "helper object": (HelperCache, IMAGE),
    "closure": (ClosureCache, IMAGE),
    "rotary": (Rotary, (5, 8)),
    "late layer": (Late, (4,)),
    "statistics": (Normed, IMAGE),
    "lazy layer": (lambda: nn.Sequential(nn.LazyConv2d(4, 3), nn.Flatten(), nn.LazyLinear(2)), IMAGE),
}


def twice(model: nn.Module, shape: tuple[int, ...]) -> list[Tensor]:
    """Outputs of two calls, from the same seeds; what the call has put into shared caches is taken out again."""
    torch.manual_seed(5)
    random.seed(5)
    generator = getattr(model, "generator", None)
    if generator is not None:
        generator.manual_seed(1)
    outputs = [model(torch.rand(1, *shape)).detach() for _ in range(2)]
    ClassCache.shared.clear()
    POSITIONS.clear()
    if "late" in vars(ClassCache):
        del ClassCache.late
    return outputs


@pytest.mark.parametrize("values", ["auto", "always"])
@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("name", CASES)
def test_analyzed_model_gives_the_bits_of_an_untouched_copy(name: str, training: bool, values: Any) -> None:
    make, shape = CASES[name]
    model = make()
    remember = vars(model).pop("remember", None)  # a closure is shared by copies
    untouched = copy.deepcopy(model)
    if remember:
        model.remember, untouched.remember = remember, ClosureCache().remember
    modes = [module.training for module in model.modules()]

    for _ in range(2):
        analyze(model, shape, training=training, values=values)

    assert [module.training for module in model.modules()] == modes
    assert [len(module._forward_hooks) for module in model.modules()] == [0] * len(modes) or name == "lazy layer"
    expected = twice(untouched, shape)
    assert all(torch.equal(a, b) for a, b in zip(twice(model, shape), expected, strict=True))


@pytest.mark.parametrize("values", ["auto", "always"])
def test_users_hook_collects_nothing_and_generators_stay(values: Any) -> None:
    model, own = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Dropout()), []
    model[0].register_forward_hook(lambda _, __, output: own.append(output))
    model[0].register_forward_hook(lambda _, __, output: FEATURES.append(output))
    states = torch.get_rng_state(), random.getstate()

    analyze(model, IMAGE, training=True, values=values)

    assert (own, FEATURES) == ([], [])
    assert torch.equal(torch.get_rng_state(), states[0])
    assert random.getstate() == states[1]


def test_hook_for_all_modules_that_a_model_registers_is_gone() -> None:
    class Global(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            torch_module.register_module_forward_hook(lambda _, __, output: output + 1)
            return x

    analyze(Global(), IMAGE)

    assert not torch_module._global_forward_hooks


def test_frozen_parameters_stay_frozen_and_others_trainable() -> None:
    model = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    model[0].requires_grad_(False)

    for values in ("auto", "always"):
        analyze(model, (3,), values=values)

    assert [parameter.requires_grad for parameter in model.parameters()] == [False, False, True, True]
    assert all(parameter.grad is None for parameter in model.parameters())


def test_value_that_was_lost_to_the_input_is_not_read() -> None:
    class Written(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            table = torch.zeros(4)
            view = table[:2]
            view.copy_(x[0, :2])
            return x * 2 if table.sum() > 0 else x

    found = analyze(Written(), torch.ones(1, 5000))

    assert found.ran_on == "values"
    assert found.rows[0].activation_bytes >= 4 * 5000  # of the product
