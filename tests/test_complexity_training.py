"""A training step: its multiply-adds against torch's counter, and its memory against what autograd saves."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
from complexity_cases import CASES
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode
from torchvision import models

from course_lib.complexity import analyze


def saved_bytes(model: nn.Module, x: Tensor) -> int:
    """What autograd keeps of one forward pass, each storage once, the model's own aside."""
    own = {tensor.untyped_storage()._cdata for tensor in (*model.parameters(), *model.buffers())}
    seen = {}

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage._cdata not in own:
            seen[storage._cdata] = storage
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        output = model(x)
        total = sum(storage.nbytes() for storage in seen.values())
    del output
    return total


class SelfAttention(nn.Module):
    def __init__(self, *, weights: bool) -> None:
        super().__init__()
        self.layer, self.weights = nn.MultiheadAttention(64, 4, batch_first=True), weights

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x, x, x, need_weights=self.weights)[0]


def encoder() -> nn.Module:
    return nn.TransformerEncoder(
        nn.TransformerEncoderLayer(64, 4, 128, batch_first=True), 2, enable_nested_tensor=False
    )


def frozen() -> nn.Module:
    model = models.resnet18().requires_grad_(False)
    model.fc.requires_grad_(True)
    return model


MODELS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "resnet18": (models.resnet18, (3, 64, 64)),
    "resnet18, frozen": (frozen, (3, 64, 64)),
    "densenet121": (models.densenet121, (3, 32, 32)),
    "vgg11": (models.vgg11, (3, 32, 32)),
    "mobilenet_v2": (models.mobilenet_v2, (3, 64, 64)),
    "mobilenet_v3": (models.mobilenet_v3_small, (3, 64, 64)),
    "efficientnet_b0": (models.efficientnet_b0, (3, 64, 64)),
    "shufflenet": (models.shufflenet_v2_x0_5, (3, 64, 64)),
    "squeezenet": (models.squeezenet1_1, (3, 64, 64)),
    "convnext_tiny": (models.convnext_tiny, (3, 64, 64)),
    "swin_t": (models.swin_t, (3, 64, 64)),
    "vision transformer": (lambda: models.VisionTransformer(64, 16, 3, 4, 96, 192), (3, 64, 64)),
    "attention with weights": (lambda: SelfAttention(weights=True), (40, 64)),
    "attention": (lambda: SelfAttention(weights=False), (40, 64)),
    "transformer encoder": (encoder, (40, 64)),
    "LSTM": (lambda: nn.LSTM(64, 64, 2, batch_first=True), (40, 64)),
    "GRU": (lambda: nn.GRU(16, 32, 2, batch_first=True), (20, 16)),
    "RNN": (lambda: nn.RNN(16, 32, batch_first=True), (20, 16)),
}


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("name", MODELS)
def test_memory_kept_is_what_autograd_saves(name: str, training: bool) -> None:
    make, shape = MODELS[name]
    model = make()

    found = analyze(model, shape, batch_size=2, training=training)

    expected = saved_bytes(model.train(training), torch.rand(2, *shape))
    assert found.training_activation_bytes == pytest.approx(expected, rel=0.1)


def backward_of_counter(model: nn.Module, x: Tensor) -> int:
    """Multiply-adds of a backward pass by torch's counter."""
    output = copy.deepcopy(model).eval()(x)
    output = output[0] if isinstance(output, tuple) else output
    with FlopCounterMode(display=False) as counter:
        output.float().sum().backward()
    return counter.get_total_flops() // 2


# torch's counter takes the backward pass of a grouped convolution for that of a whole one, and one operation of
# torch's libraries, whole, for none.
BY_COUNTER = [
    name for name, case in CASES.items() if "grouped" not in name and "depthwise" not in name and case.params
    and name not in ("autograd function", "GRU", "x @ w.data", "weight normalisation")
    and not isinstance(case.input_shape, list)
]  # fmt: skip


@pytest.mark.parametrize("name", BY_COUNTER)
def test_gradients_take_what_torchs_counter_says(name: str) -> None:
    module, shape, _, _ = CASES[name]

    found = analyze(module, shape)

    assert found.backward_macs == backward_of_counter(module, torch.randn(1, *shape))
    assert found.training_macs == found.macs + found.backward_macs


@pytest.mark.parametrize("name", ["resnet18", "vgg11", "densenet121", "squeezenet", "resnet18, frozen"])
def test_gradients_of_networks_take_what_torchs_counter_says(name: str) -> None:
    make, _ = MODELS[name]
    model = make()

    assert analyze(model, (3, 64, 64)).backward_macs == backward_of_counter(model, torch.rand(1, 3, 64, 64))


def test_gradients_of_grouped_convolutions_by_hand() -> None:
    model = nn.Sequential(nn.Conv2d(4, 6, 1), nn.Conv2d(6, 6, 3, groups=6))

    first, second = analyze(model, (4, 8, 8)).rows

    assert first.backward_macs == first.macs == 64 * 4 * 6  # of the weights alone: the image is not trained
    assert (second.macs, second.backward_macs) == (36 * 6 * 9, 2 * 36 * 6 * 9)


def test_gradients_of_attention_by_hand() -> None:
    model = SelfAttention(weights=False)

    found = analyze(model, (40, 64))

    projections, pairs = 40 * 4 * 64 * 64, 2 * 40 * 40 * 64
    assert found.macs == projections + pairs
    into = 40 * 3 * 64 * 64  # of the weights; the input itself is not trained
    assert found.backward_macs == into + 2 * 40 * 64 * 64 + pairs * 5 // 2


def test_frozen_parts_take_no_gradient_and_no_slot() -> None:
    model = frozen()

    found = analyze(model, (3, 64, 64))

    assert (found.params, found.trainable_params) == (11_689_512, 513_000)
    assert found.backward_macs == 512_000
    assert found.training_bytes(optimizer_slots=2) == (
        found.param_bytes + 3 * 4 * 513_000 + found.buffer_bytes + 4 * 512
    )


def test_detached_and_ungraded_parts_take_no_gradient() -> None:
    class Target(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.student, self.teacher = nn.Linear(4, 5), nn.Linear(4, 5)

        def forward(self, x: Tensor) -> Tensor:
            with torch.no_grad():
                target = self.teacher(x)
            return self.student(x) - target - self.student(x).detach()

    found = analyze(Target(), (4,))

    assert [row.backward_macs for row in found.rows if row.type == "Linear"] == [0, 20, 20]
