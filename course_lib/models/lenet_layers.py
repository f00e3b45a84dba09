"""The layers that LeNet-5 had in 1998 and torch has not: LeCun et al. 1998, section II-B and appendix A."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class ScaledTanh(nn.Module):
    """The paper's squashing function, appendix A: 1.7159 tanh(2x / 3), so that 1 goes to 1 and -1 to -1."""

    elementwise = True

    def forward(self, x: Tensor) -> Tensor:
        """Any shape, unchanged."""
        return 1.7159 * torch.tanh(x * (2 / 3))


class Subsampling(nn.Module):
    """Trainable subsampling: the sum of each 2x2 square, times one coefficient per map, plus one bias per map.

    (N, C, H, W) -> (N, C, H // 2, W // 2). LeCun et al. 1998, section II-B, layer S2. The squashing that follows in
    the paper is a layer of its own here.
    """

    def __init__(self, num_maps: int) -> None:
        super().__init__()
        self.coefficient = nn.Parameter(torch.empty(num_maps).uniform_(-2.4 / 4, 2.4 / 4))
        self.bias = nn.Parameter(torch.empty(num_maps).uniform_(-2.4 / 4, 2.4 / 4))

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, H // 2, W // 2)."""
        sums = F.avg_pool2d(x, 2, divisor_override=1)
        return sums * self.coefficient[:, None, None] + self.bias[:, None, None]


class SparseConv2d(nn.Module):
    """A convolution in which each output map sees only the input maps that a table gives it.

    (N, C_in, H, W) -> (N, len(table), H - K + 1, W - K + 1). Only the kernels that exist are parameters, one per pair
    in the table: (pairs, K, K). LeCun et al. 1998, section II-B, layer C3.

    Raises:
        ValueError: a row of the table is empty, or names a map that does not exist or names one twice.
    """

    def __init__(self, in_channels: int, table: Sequence[Sequence[int]], kernel_size: int) -> None:
        super().__init__()
        for row in table:
            if not row or len(set(row)) < len(row) or not set(row) <= set(range(in_channels)):
                raise ValueError(f"table rows must hold different maps out of 0 to {in_channels - 1}, got {tuple(row)}")
        pairs = [(out_map, in_map) for out_map, row in enumerate(table) for in_map in row]
        self.dense_shape = (len(table), in_channels, kernel_size, kernel_size)
        self.register_buffer("pairs", torch.tensor(pairs).T.contiguous(), persistent=False)
        bound = torch.tensor([2.4 / (len(row) * kernel_size**2) for row in table])
        self.weight = nn.Parameter(torch.empty(len(pairs), kernel_size, kernel_size).uniform_(-1, 1))
        self.bias = nn.Parameter(torch.empty(len(table)).uniform_(-1, 1) * bound)
        with torch.no_grad():
            self.weight *= bound[self.pairs[0]][:, None, None]

    def dense_weight(self) -> Tensor:
        """The kernels at their places, zeros elsewhere: (len(table), C_in, K, K)."""
        return self.weight.new_zeros(self.dense_shape).index_put(tuple(self.pairs), self.weight)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C_in, H, W) -> (N, len(table), H - K + 1, W - K + 1)."""
        return F.conv2d(x, self.dense_weight(), self.bias)
