"""Adaptive average pooling that gives the same bits each time on a CUDA GPU.

torch's own adds up its gradients there in a varying order, and refuses to in deterministic mode.
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


@contextlib.contextmanager
def deterministic_pools(model: nn.Module, device: torch.device, enabled: bool) -> Iterator[None]:
    """On a CUDA device, let the model's adaptive average pools be deterministic for a while, if ``enabled``."""
    changed = []
    if enabled and device.type == "cuda":
        changed = [module for module in model.modules() if type(module) is nn.AdaptiveAvgPool2d]
    for module in changed:
        module.__class__ = DeterministicAdaptiveAvgPool2d
    try:
        yield
    finally:
        for module in changed:
            module.__class__ = nn.AdaptiveAvgPool2d
