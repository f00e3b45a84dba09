"""Pure functions on image tensors: statistics, normalisation, padding, resizing."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor


class ChannelStats(NamedTuple):
    """Mean and standard deviation of each channel, on the scale 0 (black) to 1 (white)."""

    mean: tuple[float, ...]
    std: tuple[float, ...]


# Fixed scales, by the values that black and white get: those of LeCun et al. 1998, section III-A, and 0 to 1.
PIXELS = {"lecun1998": (-0.1, 1.175), "unit": (0.0, 1.0)}
# What torchvision's networks were trained with: the statistics of ImageNet's training images, red, green, blue.
IMAGENET = ChannelStats((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


def pixel_scale(name: str, num_channels: int) -> ChannelStats:
    """The mean and deviation that give black and white the values of this scale; see ``PIXELS`` and ``IMAGENET``.

    Raises:
        ValueError: the name is not known, or it is of another number of channels.
    """
    if name == "imagenet":
        if num_channels != 3:
            raise ValueError(
                f"pixels='imagenet' needs images of 3 channels, got {num_channels}: load them with channels=3"
            )
        return IMAGENET
    if name not in PIXELS:
        raise ValueError(f"pixels must be one of {', '.join(PIXELS)}, imagenet, got {name!r}")
    black, white = PIXELS[name]
    return ChannelStats((-black / (white - black),) * num_channels, (1 / (white - black),) * num_channels)


def channel_stats(images: Tensor) -> ChannelStats:
    """Mean and standard deviation of each channel over all images and pixels: uint8 (N, C, H, W) -> C numbers each.

    Exact: computed from the counts of the 256 grey values. A channel of one value has the deviation 1, so that
    dividing by it is harmless.
    """
    levels = torch.arange(256, dtype=torch.float64) / 255
    means, stds = [], []
    for channel in range(images.shape[1]):
        counts = torch.zeros(256, dtype=torch.int64)
        for part in images.split(4096):  # in parts: counting takes eight bytes a pixel
            counts += torch.bincount(part[:, channel].flatten().cpu(), minlength=256)
        weights = counts.double() / counts.sum()
        mean = (weights * levels).sum()
        std = (weights * (levels - mean).square()).sum().sqrt()
        means.append(mean.item())
        stds.append(std.item() or 1.0)
    return ChannelStats(tuple(means), tuple(stds))


class Normaliser:
    """``normalise`` for many batches: the constants are put on the device once."""

    def __init__(self, stats: ChannelStats, device: torch.device | str = "cpu") -> None:
        self.mean, self.std = (
            torch.tensor(values, dtype=torch.float64, device="cpu").mul(255).float().view(1, -1, 1, 1).to(device)
            for values in stats
        )

    def __call__(self, images: Tensor) -> Tensor:
        """Uint8 (N, C, H, W) -> float32 (N, C, H, W).

        Raises:
            ValueError: the images and the statistics differ in the number of channels.
        """
        if images.shape[1] != self.mean.shape[1]:
            raise ValueError(f"images must have {self.mean.shape[1]} channels as stats has, got {images.shape[1]}")
        return images.float().sub_(self.mean).div_(self.std)


def normalise(images: Tensor, stats: ChannelStats) -> Tensor:
    """Images as a network takes them: uint8 (N, C, H, W) -> float32 of mean 0 and deviation 1 in each channel.

    ``normalise(data.test.images[:8], data.stats)`` is what ``fit`` and ``evaluate`` feed to the network.

    Raises:
        ValueError: the images and the statistics differ in the number of channels.
    """
    return Normaliser(stats, images.device)(images)


def pad_to(images: Tensor, size: int | tuple[int, int], value: int = 0) -> Tensor:
    """Images in the middle of a larger, plain one: (N, C, H, W) -> (N, C, size, size); an odd rest goes below, right.

    LeCun et al. 1998 (Gradient-based learning applied to document recognition), section II.B, set the digits so in
    a field of 32x32. Give (height, width) for a field that is not square.

    Raises:
        ValueError: ``size`` is smaller than the images.
    """
    height, width = (size, size) if isinstance(size, int) else size
    down, right = height - images.shape[2], width - images.shape[3]
    if down < 0 or right < 0:
        raise ValueError(f"size must be at least the images' {tuple(images.shape[2:])}, got {(height, width)}")
    return F.pad(images, (right // 2, right - right // 2, down // 2, down - down // 2), value=value)


def resize(images: Tensor, size: int | tuple[int, int]) -> Tensor:
    """Images scaled bilinearly, with antialiasing when they shrink: uint8 (N, C, H, W) -> uint8 (N, C, size, size).

    Give (height, width) for a result that is not square.
    """
    size = (size, size) if isinstance(size, int) else size
    if min(size) < 1:
        raise ValueError(f"size must be at least 1 pixel, got {size}")
    parts = [
        F.interpolate(part.float(), size, mode="bilinear", align_corners=False, antialias=True)
        .round_()
        .clamp_(0, 255)
        .to(torch.uint8)
        for part in images.split(4096)  # in parts: the float copy of a whole data set would need gigabytes
    ]
    return torch.cat(parts)
