"""Memory of activations, against sums by hand and against what autograd saves: bytes of 32-bit numbers."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from course_lib.complexity import analyze

IMAGE = 4 * 3 * 8 * 8  # bytes of the input (3, 8, 8)
MAPS = 4 * 5 * 8 * 8  # bytes of five maps of that size


class Residual(nn.Module):
    """Two convolutions and a shortcut round them."""

    def __init__(self, *, in_place: bool) -> None:
        super().__init__()
        self.first, self.second = (nn.Conv2d(5, 5, 3, padding=1) for _ in range(2))
        self.in_place = in_place

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.first(x), inplace=self.in_place)
        y = self.second(y)
        if self.in_place:
            y += x
            return y
        return y + x


def test_chain_keeps_two_neighbours_alive() -> None:
    chain = nn.Sequential(nn.Conv2d(3, 5, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(320, 10))

    found = analyze(chain, (3, 8, 8))

    assert [row.activation_bytes for row in found.rows] == [MAPS, MAPS, 0, 40]
    assert found.peak_activation_bytes == IMAGE + 2 * MAPS
    assert found.activation_bytes == IMAGE + 2 * MAPS + 40
    assert found.training_activation_bytes == IMAGE + MAPS  # the convolution's input; the linear layer's is a view


def test_activation_in_place_takes_nothing() -> None:
    found = analyze(nn.Sequential(nn.Conv2d(3, 5, 3, padding=1), nn.ReLU(inplace=True)), (3, 8, 8))

    assert [row.activation_bytes for row in found.rows] == [MAPS, 0]
    assert found.peak_activation_bytes == IMAGE + MAPS


def test_shortcut_keeps_its_input_alive() -> None:
    block = nn.Sequential(nn.Conv2d(3, 5, 1), Residual(in_place=False))

    found = analyze(block, (3, 8, 8))

    # the input of the block, the two sides of the second convolution; then the sum and both its terms
    assert found.peak_activation_bytes == IMAGE + 3 * MAPS
    assert found.activation_bytes == IMAGE + 5 * MAPS
    assert [row.activation_bytes for row in found.rows] == [MAPS] * 5


def test_sum_in_place_takes_nothing() -> None:
    found = analyze(nn.Sequential(nn.Conv2d(3, 5, 1), Residual(in_place=True)), (3, 8, 8))

    assert found.activation_bytes == IMAGE + 3 * MAPS
    assert [(row.type, row.activation_bytes) for row in found.rows[-1:]] == [("add", 0)]


def test_views_take_nothing_and_keep_their_source_alive() -> None:
    class Views(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            halves = x.relu().transpose(2, 3)[:, :2].view(1, 2, 8, 8).chunk(2, dim=1)
            del x
            return halves[0] + 1

    found = analyze(Views(), (3, 8, 8))

    assert found.activation_bytes == IMAGE + IMAGE + 4 * 64
    assert found.training_activation_bytes == 0  # nothing is trained
    assert found.peak_activation_bytes == IMAGE + IMAGE + 4 * 64


def test_parameters_and_their_views_are_no_activations() -> None:
    class Turned(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.randn(5, 3))

        def forward(self, x: Tensor) -> Tensor:
            return x @ self.weight.t().contiguous().t().t()

    found = analyze(Turned(), (4, 3))

    assert found.training_activation_bytes == 4 * 12
    assert found.activation_bytes == 4 * (12 + 15 + 20)  # the input, a copy of the weight, the output


def test_copies_by_rearranging_are_rows() -> None:
    class Copies(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 3, 1)

        def forward(self, x: Tensor) -> Tensor:
            return self.conv(x).transpose(1, 2).reshape(1, -1).view(-1).expand(2, -1)

    found = analyze(Copies(), (3, 8, 8))

    assert [(row.type, row.activation_bytes) for row in found.rows] == [("Conv2d", IMAGE), ("reshape", IMAGE)]
    assert sum(row.activation_bytes for row in found.rows) == found.activation_bytes - IMAGE


def test_memory_of_inference_and_training() -> None:
    model = nn.Sequential(nn.Conv2d(3, 5, 3, padding=1), nn.BatchNorm2d(5))

    found = analyze(model, (3, 8, 8), batch_size=2)

    weights = 4 * (5 * 27 + 5 + 10)
    buffers = 4 * 10 + 8  # means, variances, and the number of batches in 64 bits
    assert (found.param_bytes, found.buffer_bytes) == (weights, buffers)
    assert found.forward_bytes == weights + buffers + 2 * (IMAGE + 2 * MAPS)
    assert found.training_bytes() == 3 * weights + buffers + 2 * (IMAGE + MAPS)  # what the two layers take in
    assert found.training_bytes(optimizer_slots=2) == found.training_bytes() + weights


def test_half_precision_takes_half() -> None:
    model = nn.Conv2d(3, 5, 3, padding=1).to(torch.bfloat16)

    assert analyze(model, (3, 8, 8)).peak_activation_bytes == (IMAGE + MAPS) // 2
