"""Batch normalisation over the shares of all processes: the batch is then the same as in one process.

torch's own SyncBatchNorm needs GPUs; this one runs everywhere, with plain sums over the processes.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn


class _Total(torch.autograd.Function):
    """The sum over the processes. Every process's loss depends on it, so the gradients are added up as well."""

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:  # noqa: ARG004
        """The same sum in each process."""
        total = values.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:  # noqa: ARG004
        """What all processes' losses want of this process's part."""
        total = gradient.clone()
        dist.all_reduce(total)
        return total


class SyncedBatchNorm2d(nn.BatchNorm2d):
    """``nn.BatchNorm2d`` whose statistics in training mode are those of all processes' images together.

    (N, C, H, W) -> (N, C, H, W). Ioffe and Szegedy 2015, arXiv:1502.03167, algorithm 1.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Normalise; in training mode also move the running statistics."""
        if not self.training:
            return super().forward(x)
        wide = x.float()
        sums = torch.cat([wide.sum((0, 2, 3)), wide.new_tensor([wide.numel() / wide.shape[1]])])
        totals = _Total.apply(sums)
        count = totals[-1].detach()
        mean = totals[:-1] / count
        centred = wide - mean.view(1, -1, 1, 1)
        variance = _Total.apply(centred.square().sum((0, 2, 3))) / count
        self._move(mean.detach(), variance.detach() * count / (count - 1))
        normalised = centred * (variance + self.eps).rsqrt().view(1, -1, 1, 1)
        if self.affine:
            normalised = normalised * self.weight.view(1, -1, 1, 1) + self.bias.view(1, -1, 1, 1)
        return normalised.to(x.dtype)

    @torch.no_grad()
    def _move(self, mean: Tensor, variance: Tensor) -> None:
        if self.track_running_stats:
            self.num_batches_tracked.add_(1)
            rate = 1 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
            self.running_mean.lerp_(mean, rate)
            self.running_var.lerp_(variance, rate)


def synchronise_norms(model: nn.Module) -> None:
    """Give every ``nn.BatchNorm2d`` of the model statistics over all processes; its weights and buffers stay."""
    for module in model.modules():
        if type(module) is nn.BatchNorm2d:
            module.__class__ = SyncedBatchNorm2d
