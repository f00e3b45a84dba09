"""Random crops and flips of whole batches at once, on the device where the images are."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Generator, Tensor


def random_crop(images: Tensor, padding: int, generator: Generator) -> Tensor:
    """Each image shifted by up to ``padding`` pixels each way: (N, C, H, W) -> (N, C, H, W); what comes in is black.

    He et al. 2015, arXiv:1512.03385, section 4.2, with a padding of 4 on 32x32.
    """
    count, _, height, width = images.shape
    windows = F.pad(images, (padding,) * 4).unfold(2, height, 1).unfold(3, width, 1)  # (N, C, 2p+1, 2p+1, H, W)
    down, right = _put(torch.randint(0, 2 * padding + 1, (2, count), generator=generator), images.device)
    return windows[torch.arange(count, device=images.device), :, down, right]


def random_flip(images: Tensor, generator: Generator) -> Tensor:
    """Each image mirrored left to right with a chance of one half: (N, C, H, W) -> (N, C, H, W)."""
    flipped = _put(torch.rand(len(images), generator=generator).lt(0.5), images.device)
    return torch.where(flipped.view(-1, 1, 1, 1), images.flip(3), images)


def _put(values: Tensor, device: torch.device) -> Tensor:
    """Values on the device; on a GPU, without waiting for what it has to do first."""
    return values.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else values


@dataclass(frozen=True)
class Augment:
    """What ``fit(augment=...)`` does to each training batch: uint8 (N, C, H, W) -> uint8 (N, C, H, W).

    Args:
        crop: shift by up to so many pixels each way; 0 for none.
        flip: mirror half of the images. Not for digits or letters.

    Raises:
        ValueError: ``crop`` is below 0.
    """

    crop: int = 0
    flip: bool = False

    def __post_init__(self) -> None:
        if self.crop < 0:
            raise ValueError(f"crop must be at least 0, got {self.crop}")

    def __call__(self, images: Tensor, generator: Generator) -> Tensor:
        """The batch, changed by chance; the generator is the only source of it."""
        if self.crop:
            images = random_crop(images, self.crop, generator)
        return random_flip(images, generator) if self.flip else images
