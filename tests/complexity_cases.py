"""Modules whose multiply-adds and parameters are known by hand: the cases of the tests of exactness."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Function(nn.Module):
    """A module of one function, with a parameter for each of ``shapes``."""

    def __init__(self, function: Callable[..., Any], **shapes: tuple[int, ...]) -> None:
        super().__init__()
        self.function = function
        for name, shape in shapes.items():
            self.register_parameter(name, nn.Parameter(torch.randn(shape)))

    def forward(self, *inputs: Tensor) -> Any:
        return self.function(self, *inputs)


class TwoBranches(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.left = nn.Conv2d(3, 4, 3, padding=1)
        self.right = nn.Conv2d(3, 5, 5, padding=2, bias=False)
        self.last = nn.Conv2d(9, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(torch.cat([self.left(x), self.right(x)], dim=1))


class Shared(nn.Module):
    """One convolution that is called twice, on maps of two sizes."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(self.conv(x))


class SelfAttention(nn.Module):
    def __init__(self, **options: bool) -> None:
        super().__init__()
        self.layer = nn.MultiheadAttention(8, 2, batch_first=True)
        self.options = options

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(query=x, key=x, value=x, **self.options)[0]


class Square(torch.autograd.Function):
    @staticmethod
    def forward(_: Any, x: Tensor) -> Tensor:
        return x @ x

    @staticmethod
    def backward(_: Any, gradient: Tensor) -> Tensor:
        return gradient


def branching(_: nn.Module, x: Tensor) -> Tensor:
    return x @ x if x.shape[-1] > 4 else x


class Case(NamedTuple):
    module: nn.Module
    input_shape: Any
    macs: int
    params: int


CASES = {
    "conv without bias": Case(nn.Conv2d(3, 8, 3, bias=False), (3, 9, 11), 8 * 7 * 9 * 3 * 9, 216),
    "conv with bias": Case(nn.Conv2d(3, 8, 3), (3, 9, 11), 8 * 7 * 9 * 3 * 9, 224),
    "conv, strided and padded": Case(nn.Conv2d(3, 8, (3, 5), (2, 1), (1, 0)), (3, 9, 11), 8 * 5 * 7 * 3 * 15, 368),
    "conv, grouped": Case(nn.Conv2d(6, 8, 3, groups=2), (6, 9, 11), 8 * 7 * 9 * 3 * 9, 224),
    "conv, depthwise": Case(nn.Conv2d(6, 12, 3, groups=6), (6, 9, 11), 12 * 7 * 9 * 9, 120),
    "conv, dilated": Case(nn.Conv2d(3, 8, 3, dilation=2), (3, 9, 11), 8 * 5 * 7 * 3 * 9, 224),
    "conv, same size": Case(nn.Conv2d(3, 8, 3, padding="same", dilation=2), (3, 9, 11), 8 * 9 * 11 * 3 * 9, 224),
    "conv, mirrored border": Case(nn.Conv2d(3, 8, 3, padding=1, padding_mode="reflect"), (3, 9, 11), 8 * 99 * 27, 224),
    "conv 1d": Case(nn.Conv1d(3, 8, 3), (3, 9), 8 * 7 * 9, 80),
    "conv 3d": Case(nn.Conv3d(3, 8, 3), (3, 5, 6, 7), 8 * 3 * 4 * 5 * 81, 656),
    "transposed conv": Case(nn.ConvTranspose2d(4, 6, 3, 2, 1, 1), (4, 5, 7), 35 * 4 * 6 * 9, 222),
    "transposed conv, grouped": Case(nn.ConvTranspose2d(4, 6, 3, 2, groups=2), (4, 5, 7), 35 * 4 * 3 * 9, 114),
    "functional conv": Case(Function(lambda m, x: F.conv2d(x, m.w), w=(8, 3, 3, 3)), (3, 9, 11), 8 * 7 * 9 * 27, 216),
    "functional conv, named arguments": Case(
        Function(lambda m, x: F.conv2d(input=x, weight=m.w, stride=2), w=(8, 3, 3, 3)), (3, 9, 11), 8 * 4 * 5 * 27, 216
    ),
    "torch's inner operation": Case(
        Function(
            lambda m, x: torch.ops.aten.convolution(x, m.w, None, [1, 1], [0, 0], [1, 1], False, [0, 0], 1),
            w=(8, 3, 3, 3),
        ),
        (3, 9, 11),
        8 * 7 * 9 * 27,
        216,
    ),
    "x @ w": Case(Function(lambda m, x: x @ m.w, w=(4, 5)), (3, 4), 3 * 4 * 5, 20),
    "x @ w.T": Case(Function(lambda m, x: x @ m.w.t(), w=(5, 4)), (3, 4), 3 * 4 * 5, 20),
    "x @ w.data": Case(Function(lambda m, x: x @ m.w.data, w=(4, 5)), (3, 4), 3 * 4 * 5, 20),
    "w.__rmatmul__(x)": Case(Function(lambda m, x: m.w.__rmatmul__(x), w=(4, 5)), (3, 4), 3 * 4 * 5, 20),
    "linear with bias": Case(nn.Linear(4, 5), (4,), 20, 25),
    "linear without bias": Case(nn.Linear(4, 5, bias=False), (3, 4), 60, 20),
    "addmm": Case(Function(lambda m, x: torch.addmm(m.b, x, m.w), w=(4, 5), b=(5,)), (4,), 20, 25),
    "bmm": Case(Function(lambda _, x: torch.bmm(x, x.mT)), (3, 4), 36, 0),
    "baddbmm": Case(Function(lambda m, x: torch.baddbmm(m.b, x, x.mT), b=(1, 1, 3)), (3, 4), 36, 3),
    "einsum": Case(Function(lambda m, x: torch.einsum("bij,jk->bik", x, m.w), w=(4, 5)), (3, 4), 60, 20),
    "einsum of three": Case(
        Function(lambda m, x: torch.einsum("bij,jk,kl->bil", x, m.w, m.v), w=(4, 5), v=(5, 2)), (3, 4), 60 + 30, 30
    ),
    "einsum without a sum": Case(Function(lambda m, x: torch.einsum("bi,i->bi", x, m.w), w=(4,)), (4,), 0, 4),
    "tensordot": Case(Function(lambda m, x: torch.tensordot(x, m.w, dims=1), w=(4, 2)), (3, 4), 24, 8),
    "unfold and multiply": Case(Function(lambda m, x: m.w @ F.unfold(x, 3), w=(5, 27)), (3, 8, 8), 5 * 27 * 36, 135),
    "two branches": Case(TwoBranches(), (3, 6, 8), 48 * (4 * 27 + 5 * 75 + 2 * 9), 112 + 375 + 20),
    "called twice": Case(Shared(), (3, 8, 9), 81 * (6 * 7 + 4 * 5), 84),
    "conv and batch norm": Case(
        nn.Sequential(nn.Conv2d(3, 4, 3, bias=False), nn.BatchNorm2d(4)), (3, 8, 9), 4 * 42 * 27, 108 + 8
    ),
    "functional activations and poolings": Case(
        Function(lambda m, x: F.avg_pool2d(F.max_pool2d(F.relu(F.conv2d(x, m.w)), 2).sigmoid(), 2), w=(4, 3, 3, 3)),
        (3, 10, 12),
        4 * 80 * 27,
        108,
    ),
    "squeeze and excitation": Case(
        Function(lambda m, x: x * (x.mean((2, 3)) @ m.w)[:, :, None, None].sigmoid(), w=(3, 3)), (3, 8, 9), 9, 9
    ),
    "autograd function": Case(Function(lambda _, x: Square.apply(x)), (4, 4), 64, 0),
    "vmap": Case(Function(lambda m, x: torch.vmap(lambda row: row @ m.w)(x), w=(4, 5)), (3, 4), 60, 20),
    "control flow by shape": Case(Function(branching), (5, 5), 125, 0),
    "several inputs": Case(Function(lambda _, x, y: x @ y), [(3, 4), (4, 5)], 60, 0),
    "weight normalisation": Case(
        nn.utils.parametrizations.weight_norm(nn.Conv2d(3, 4, 3)), (3, 8, 8), 4 * 36 * 27, 108 + 4 + 4
    ),
    "GRU": Case(nn.GRU(5, 7, batch_first=True), (9, 5), 9 * 3 * 7 * (5 + 7), 3 * (7 * 12 + 14)),
}

# On a CPU, torch runs these in one piece, into which its counter does not see: sums by hand only.
LAYER = 4 * 7  # gates of an LSTM with 7 units
ATTENTION = 9 * 4 * 8 * 8 + 2 * 9 * 9 * 8  # 9 tokens of 8 features: four projections, scores and mixtures
BY_HAND = {
    "LSTM, two layers, both ways": Case(
        nn.LSTM(5, 7, num_layers=2, bidirectional=True, batch_first=True),
        (9, 5),
        9 * 2 * (LAYER * (5 + 7) + LAYER * (14 + 7)),
        2 * (LAYER * (5 + 7 + 2) + LAYER * (14 + 7 + 2)),
    ),
    "attention function": Case(
        Function(lambda _, x: F.scaled_dot_product_attention(x, x[:, :, :5], x[:, :, :5, :3])), (2, 6, 4), 2 * 30 * 7, 0
    ),
    "attention, grouped heads": Case(
        Function(lambda _, x: F.scaled_dot_product_attention(x, x[:, :1], x[:, :1], enable_gqa=True)), (2, 6, 4), 576, 0
    ),
    "attention layer": Case(SelfAttention(), (9, 8), ATTENTION, 4 * (8 * 8 + 8)),
    "attention layer without weights": Case(SelfAttention(need_weights=False), (9, 8), ATTENTION, 4 * (8 * 8 + 8)),
    "transformer layer": Case(
        nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), (9, 8), ATTENTION + 9 * 2 * 8 * 16, 288 + 32 + 280
    ),
    "matrix and vector": Case(Function(lambda m, x: x[0] @ m.w, w=(4,)), (3, 4), 12, 4),
    "sum of products of a batch": Case(Function(lambda m, x: torch.addbmm(m.b, x, x.mT), b=(4, 4)), (4, 3), 48, 16),
}
