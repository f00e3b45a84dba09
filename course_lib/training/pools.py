"""Average pools of our own: one that gives the same bits each time on a CUDA GPU, one that is quick in bfloat16.

torch's own adaptive pool adds up its gradients on CUDA in a varying order, and refuses to in deterministic mode. Its
average pool takes longer than the convolutions beside it on a CPU in bfloat16.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class DeterministicAdaptiveAvgPool2d(nn.AdaptiveAvgPool2d):
    """``nn.AdaptiveAvgPool2d`` as plain average pooling where the sizes divide, else as two matrix products.

    (N, C, H, W) -> (N, C, *output_size). A window is a block of rows times a block of columns, so its mean is the mean
    over the columns of the means over the rows. The sums are of float32, as torch's are.
    """

    def forward(self, x: Tensor) -> Tensor:
        """The same means as torch's, up to rounding."""
        size = self.output_size
        wanted = (size, size) if isinstance(size, int) else size
        given = tuple(x.shape[-2:])
        height, width = (here if there is None else there for here, there in zip(given, wanted, strict=True))
        if given[0] % height == 0 and given[1] % width == 0:
            return F.avg_pool2d(x, (given[0] // height, given[1] // width))
        with torch.autocast(x.device.type, enabled=False):
            rows = averages(given[0], height, x.device)
            columns = averages(given[1], width, x.device)
            return (rows @ x.float() @ columns.T).to(x.dtype)


@lru_cache(maxsize=64)
def averages(size: int, num_windows: int, device: torch.device) -> Tensor:
    """The (num_windows, size) matrix that averages each window of adaptive pooling along one axis.

    Window i holds the places from floor(i * size / num_windows) up to, without it, ceil((i + 1) * size / num_windows).
    """
    with torch.inference_mode(False):  # what is kept may be used in training as well
        place = torch.arange(size, device=device)
        window = torch.arange(num_windows, device=device)[:, None]
        inside = (place >= window * size // num_windows) & (place < -(-(window + 1) * size // num_windows))
        return inside / inside.sum(1, keepdim=True)


class QuickAvgPool2d(nn.AvgPool2d):
    """``nn.AvgPool2d(2)`` as a sum of rows and a matrix product: (N, C, H, W) -> (N, C, H / 2, W / 2)."""

    def forward(self, x: Tensor) -> Tensor:
        """The same means as torch's, up to rounding; torch's own where the sizes are odd."""
        if x.shape[-1] % 2 or x.shape[-2] % 2:
            return super().forward(x)
        return (x[..., ::2, :] + x[..., 1::2, :]) @ quarters(x.shape[-1], x.dtype)


@lru_cache(maxsize=64)
def quarters(size: int, dtype: torch.dtype) -> Tensor:
    """The (size, size / 2) matrix that adds up a quarter of each of two neighbours."""
    with torch.inference_mode(False):
        return (averages(size, size // 2, torch.device("cpu")).T / 2).contiguous().to(dtype)


@contextlib.contextmanager
def own_pools(model: nn.Module, device: torch.device, *, deterministic: bool, precision: str) -> Iterator[None]:
    """Let the model's average pools be ours for a while where torch's own cannot be used, or are slow."""
    changed: dict[nn.Module, type[nn.Module]] = {}
    for module in model.modules():
        if deterministic and device.type == "cuda" and type(module) is nn.AdaptiveAvgPool2d:
            changed[module] = DeterministicAdaptiveAvgPool2d
        elif precision == "bf16" and device.type == "cpu" and type(module) is nn.AvgPool2d and _halves(module):
            changed[module] = QuickAvgPool2d
    before = {module: type(module) for module in changed}
    for module, ours in changed.items():
        module.__class__ = ours
    try:
        yield
    finally:
        for module, theirs in before.items():
            module.__class__ = theirs


def _halves(pool: nn.AvgPool2d) -> bool:
    sizes = {pool.kernel_size, pool.stride} if isinstance(pool.kernel_size, int) else {*pool.kernel_size, *pool.stride}
    return sizes == {2} and pool.padding in (0, (0, 0)) and pool.divisor_override is None
