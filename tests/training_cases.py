"""Small networks and data for the tests of training."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from course_lib.data import ImageData, Split
from course_lib.training import seeded


def small_net(dropout=0.0):
    """A convolution, a batch norm and a linear layer for 8x8 grey images, with the same first weights each time."""
    with seeded(1):
        return nn.Sequential(
            nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
            nn.Dropout(dropout), nn.Linear(128, 10),
        )  # fmt: skip


class Heads(NamedTuple):
    logits: Tensor
    aux: tuple[Tensor, ...] | None


class NetWithHeads(nn.Module):
    """A linear classifier with two auxiliary heads while it trains."""

    def __init__(self):
        super().__init__()
        with seeded(2):
            self.main, self.first, self.second = (nn.Linear(64, 10) for _ in range(3))

    def forward(self, images):
        flat = images.flatten(1)
        return Heads(self.main(flat), (self.first(flat), self.second(flat)) if self.training else None)


def noise(train=90, test=30, seed=0):
    """Random 8x8 images with random labels of ten classes: nothing to learn, and made in no time."""
    generator = torch.Generator().manual_seed(seed)
    splits = [
        Split(
            torch.randint(0, 256, (count, 1, 8, 8), dtype=torch.uint8, generator=generator),
            torch.randint(0, 10, (count,), generator=generator),
        )
        for count in (train, test)
    ]
    return ImageData("noise", *splits, tuple("0123456789"))


def numbers(history):
    """All of a history that must be the same in an equal run: everything but the seconds."""
    return {name: values for name, values in history.to_dict().items() if name != "seconds"}


def same_weights(first, second):
    """Whether two models have the same parameters and buffers, bit for bit."""
    pairs = zip(first.state_dict().items(), second.state_dict().items(), strict=True)
    return all(name == other and torch.equal(mine, theirs) for (name, mine), (other, theirs) in pairs)
