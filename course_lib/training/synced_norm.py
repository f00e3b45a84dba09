"""Batch normalisation over the shares of all processes: the batch is then the same as in one process.

torch's own SyncBatchNorm needs GPUs; this one runs everywhere. The processes talk once on the way forward, with the
moments of their shares, and once on the way back, with the two sums of the gradient.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor, nn


def moments_of_all(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Mean and variance of each channel over all processes' (N, C, H, W), and the number of values of a channel.

    The moments are joined without a difference of squares: Chan, Golub, LeVeque 1979, Updating formulae and a pairwise
    algorithm for computing sample variances, equation 2.1.
    """
    mean, variance = torch.batch_norm_update_stats(x, None, None, 0.0)
    count = float(x.numel() // x.shape[1])
    own = torch.cat([mean, variance, mean.new_full((1,), count)])
    every = [torch.empty_like(own) for _ in range(dist.get_world_size())]
    dist.all_gather(every, own)
    table = torch.stack(every).double()
    means, variances, counts = table[:, : len(mean)], table[:, len(mean) : -1], table[:, -1:]
    total = counts.sum()
    joint = (counts * means).sum(0) / total
    spread = (counts * (variances + (means - joint).square())).sum(0) / total
    return joint.to(mean.dtype), spread.to(mean.dtype), total.to(mean.dtype)


class _Normalise(torch.autograd.Function):
    """Batch normalisation by given moments, which depend on the images of all processes."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, mean: Tensor, variance: Tensor, count: Tensor, eps: float
    ) -> Tensor:
        """Ioffe and Szegedy 2015, arXiv:1502.03167, algorithm 1, second half."""
        ctx.save_for_backward(x, weight, mean, variance)
        ctx.count, ctx.eps = count, eps
        return F.batch_norm(x, mean, variance, weight, bias, training=False, eps=eps)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """The gradient as if the moments were constants, less what flows through them."""
        x, weight, mean, variance = ctx.saved_tensors
        direct, by_weight, by_bias = torch.ops.aten.native_batch_norm_backward(
            gradient, x, weight, mean, variance, None, None, False, ctx.eps, [True, True, True]
        )
        sums = torch.cat([by_bias, by_weight])
        dist.all_reduce(sums)
        of_bias, of_weight = sums.chunk(2)
        scale = (variance + ctx.eps).rsqrt()
        slope = weight * scale.square() * of_weight / ctx.count
        offset = weight * scale * of_bias / ctx.count - slope * mean
        through = F.batch_norm(x, torch.zeros_like(mean), torch.ones_like(mean), slope, offset, training=False, eps=0.0)
        return direct.sub_(through), by_weight, by_bias, None, None, None, None


class SyncedBatchNorm2d(nn.BatchNorm2d):
    """``nn.BatchNorm2d`` whose statistics in training mode are those of all processes' images together.

    (N, C, H, W) -> (N, C, H, W). Ioffe and Szegedy 2015, arXiv:1502.03167, algorithm 1.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Normalise; in training mode also move the running statistics."""
        if not self.training:
            return super().forward(x)
        with torch.no_grad():
            mean, variance, count = moments_of_all(x)
            self._move(mean, variance * count / (count - 1))
        weight = self.weight if self.affine else torch.ones_like(mean)
        bias = self.bias if self.affine else torch.zeros_like(mean)
        return _Normalise.apply(x, weight, bias, mean, variance, count, self.eps)

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
