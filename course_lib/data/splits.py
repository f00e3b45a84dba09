"""What a data set is here: splits of resident images, the names of the classes, and one hash over all of it."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from course_lib.data.transforms import ChannelStats, channel_stats


@dataclass(frozen=True)
class Split:
    """Images with their labels.

    Args:
        images: (N, C, H, W) uint8, 0 is black and 255 is white.
        labels: (N,) int64, the index of the class.
        stats: mean and standard deviation of each channel of the *training* images. ``ImageData`` fills it in; it
            stays None for a split that stands alone.

    Raises:
        ValueError: a shape or a type is not as above.
    """

    images: Tensor
    labels: Tensor
    stats: ChannelStats | None = None

    def __post_init__(self) -> None:
        images, labels = self.images, self.labels
        if images.dtype != torch.uint8 or images.ndim != 4:
            raise ValueError(f"images must be uint8 (N, C, H, W), got {images.dtype} {tuple(images.shape)}")
        if labels.dtype != torch.int64 or labels.shape != images.shape[:1]:
            raise ValueError(
                f"labels must be int64 ({len(images)},), one per image, got {labels.dtype} {tuple(labels.shape)}"
            )

    def __len__(self) -> int:
        return len(self.labels)

    def to(self, device: torch.device | str) -> Split:
        """The split with its images and labels on the device."""
        return dataclasses.replace(self, images=self.images.to(device), labels=self.labels.to(device))

    def take(self, count: int) -> Split:
        """The first images, ``count`` in all and spread evenly over the classes; in their old order.

        Raises:
            ValueError: ``count`` is below 1 or above the number of images.
        """
        if not 1 <= count <= len(self):
            raise ValueError(f"count must be between 1 and the {len(self)} images of the split, got {count}")
        turn = torch.empty(len(self), dtype=torch.int64)  # an image's place among the images of its class
        for label in self.labels.unique():
            members = (self.labels == label).nonzero().squeeze(1)
            turn[members] = torch.arange(len(members))
        chosen = turn.argsort(stable=True)[:count].sort().values
        return dataclasses.replace(self, images=self.images[chosen], labels=self.labels[chosen])


@dataclass(frozen=True)
class ImageData:
    """A data set: a training split and a test split of one shape, the names of the classes, perhaps a validation split.

    All splits carry the channel statistics of the training images, so that whatever is trained or evaluated on them
    is normalised alike. ``sha256`` covers the images and labels of all splits, with their shapes. Rates, widths and
    numbers of epochs are chosen on the validation split; the test images are for the result. See ``hold_out``. Give
    ``pixels``, such as ``pixel_scale("unit", 1)``, to normalise by fixed numbers instead.

    Raises:
        ValueError: the splits differ in image shape, a split is empty, or a label has no class.
    """

    name: str
    train: Split
    test: Split
    classes: tuple[str, ...]
    sha256: str = ""
    validation: Split | None = None
    pixels: ChannelStats | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        splits = self._splits()
        shape = splits["train"].images.shape[1:]
        for part, split in splits.items():
            if split.images.shape[1:] != shape:
                raise ValueError(
                    f"train and {part} images must have one shape, got {tuple(shape)} "
                    f"and {tuple(split.images.shape[1:])}"
                )
            if not len(split):
                raise ValueError(f"{part} must hold at least one image, got none")
            if int(split.labels.min()) < 0 or int(split.labels.max()) >= len(self.classes):
                raise ValueError(f"{part} labels must lie in 0..{len(self.classes) - 1}, the classes that have a name")
        stats = self.pixels or channel_stats(self.train.images)
        for part, split in splits.items():
            object.__setattr__(self, part, dataclasses.replace(split, stats=stats))
        object.__setattr__(self, "sha256", _sha256(*splits.values()))

    def _splits(self) -> dict[str, Split]:
        """The splits that there are, by the names of the fields."""
        parts = {"train": self.train, "test": self.test, "validation": self.validation}
        return {part: split for part, split in parts.items() if split is not None}

    @property
    def stats(self) -> ChannelStats:
        """What images are normalised by: mean and deviation of each channel of the training images, or ``pixels``."""
        return self.train.stats

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(C, H, W) of one image."""
        return tuple(self.train.images.shape[1:])

    def map(self, transform: Callable[[Tensor], Tensor]) -> ImageData:
        """The data set with ``transform`` applied to the images of all splits: uint8 (N, C, H, W) in, the same out.

        ``load("digits").map(lambda images: pad_to(images, 32))`` gives digits of 32x32.
        """
        changed = {part: Split(transform(split.images), split.labels) for part, split in self._splits().items()}
        return dataclasses.replace(self, **changed)

    def take(self, train: int, test: int) -> ImageData:
        """A smaller data set: so many training and test images, spread evenly over the classes."""
        return dataclasses.replace(self, train=self.train.take(train), test=self.test.take(test))

    def hold_out(self, share: float = 0.1) -> ImageData:
        """Set a share of the training images aside as the validation split; the test images stay as they are.

        The images are sorted by class and taken at even distances, so that each class gives its share, give or take
        one, and no chance is involved.

        Raises:
            ValueError: ``share`` leaves a split empty, or there is a validation split already.
        """
        if self.validation is not None:
            raise ValueError(f"{self.name} has a validation split of {len(self.validation)} images already")
        total = len(self.train)
        count = round(share * total)
        if not 1 <= count < total:
            raise ValueError(f"share must leave an image in each part of the {total}, got {share}")
        places = ((2 * torch.arange(count) + 1) * total) // (2 * count)
        held = torch.zeros(total, dtype=torch.bool)
        held[self.train.labels.argsort(stable=True)[places]] = True
        train, validation = (Split(self.train.images[part], self.train.labels[part]) for part in (~held, held))
        return dataclasses.replace(self, train=train, validation=validation)

    def for_choosing(self, share: float = 0.1) -> ImageData:
        """What a search may see: the validation images stand in the place of the test, and the test is out of reach.

        ``share`` is held out first where the data set has no validation split.
        """
        data = self if self.validation is not None else self.hold_out(share)
        return dataclasses.replace(data, test=data.validation, validation=None)


def _sha256(*splits: Split) -> str:
    """SHA-256, in hexadecimal, of the shapes, images and labels of the splits."""
    digest = hashlib.sha256()
    for split in splits:
        digest.update(repr(tuple(split.images.shape)).encode())
        digest.update(split.images.contiguous().numpy())
        digest.update(split.labels.contiguous().numpy().astype("<i8", copy=False))
    return digest.hexdigest()
