"""What a run may add to the plain loop: each is off unless it is asked for."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torchvision.transforms import v2

MIXES = {"mixup": v2.MixUp, "cutmix": v2.CutMix}

Mix = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]


@dataclass(frozen=True)
class Recipe:
    """``fit(..., recipe=Recipe(clip_norm=1.0, ema=0.999))``.

    Args:
        clip_norm: the gradients of a step are scaled down so that their norm, over all weights, is at most this.
            Pascanu et al. 2013, arXiv:1211.5063, algorithm 1.
        parts: each batch goes through the network in so many parts, whose gradients are added up: the step is that of
            the whole batch, batch normalisation apart, and the feature maps of one part alone take memory.
        ema: what a moving average of the weights keeps of itself at each step, such as 0.999. The average is tested,
            and is what the run gives. Polyak and Juditsky 1992; torch.optim.swa_utils.
        mix: "mixup" (Zhang et al. 2017, arXiv:1710.09412) or "cutmix" (Yun et al. 2019, arXiv:1905.04899): each image
            is mixed with another one of its batch, and its target with that one's. torchvision.transforms.v2.
        mix_alpha: of the Beta distribution that the share of each is drawn from.
        class_weights: "balanced" for the inverse of each class's share of the training images, or a number for each
            class: what its images count in the loss.
        patience: early stopping: end when the validation loss has had no new minimum for so many epochs, and give the
            weights of the epoch with the lowest. It needs a validation split; see ``ImageData.hold_out``.
        lr_scale: parts of the model that learn at another rate: how the names of their parameters begin, and the
            multiple, such as ``{"features": 0.1}`` for features that are trained already, below a new head.

    Raises:
        ValueError: a value is out of its range.
    """

    clip_norm: float | None = None
    parts: int = 1
    ema: float | None = None
    mix: str | None = None
    mix_alpha: float = 1.0
    class_weights: str | tuple[float, ...] | None = None
    patience: int | None = None
    lr_scale: Mapping[str, float] | None = None

    def __post_init__(self) -> None:
        if self.clip_norm is not None and not 0 < self.clip_norm < math.inf:
            raise ValueError(f"clip_norm must be above 0 and finite, got {self.clip_norm}")
        if self.parts < 1:
            raise ValueError(f"parts must be at least 1, got {self.parts}")
        if self.ema is not None and not 0 < self.ema < 1:
            raise ValueError(f"ema must be between 0 and 1, such as 0.999, got {self.ema}")
        if self.mix is not None and self.mix not in MIXES:
            raise ValueError(f"mix must be one of {', '.join(MIXES)}, got {self.mix!r}")
        if not 0 < self.mix_alpha < math.inf:
            raise ValueError(f"mix_alpha must be above 0 and finite, got {self.mix_alpha}")
        if self.patience is not None and self.patience < 1:
            raise ValueError(f"patience must be at least 1 epoch, got {self.patience}")
        for part, scale in (self.lr_scale or {}).items():
            if not 0 < scale < math.inf:
                raise ValueError(f"lr_scale must be above 0 and finite, got {scale} for {part!r}")
        weights = self.class_weights
        if weights is not None and weights != "balanced" and (isinstance(weights, str) or min(weights) < 0):
            raise ValueError(f'class_weights must be "balanced" or numbers of at least 0, got {weights!r}')

    def mixer(self, num_classes: int) -> Mix | None:
        """What mixes a batch: images (N, C, H, W) and classes (N,) to images and targets (N, K)."""
        return None if self.mix is None else MIXES[self.mix](alpha=self.mix_alpha, num_classes=num_classes)

    def weights_of(self, labels: Tensor, num_classes: int) -> Tensor | None:
        """What each class counts, (K,) float32 where the labels are; a class without images counts 1.

        Raises:
            ValueError: there is not one weight for each class.
        """
        if self.class_weights is None:
            return None
        if self.class_weights == "balanced":
            counts = torch.bincount(labels, minlength=num_classes)
            return torch.where(counts > 0, len(labels) / (num_classes * counts.clamp(min=1)), 1.0)
        return _as_many(self.class_weights, num_classes).to(labels.device)


def _as_many(weights: Sequence[float], num_classes: int) -> Tensor:
    if len(weights) != num_classes:
        raise ValueError(f"class_weights must be one for each of the {num_classes} classes, got {len(weights)}")
    return torch.tensor(weights, dtype=torch.float32)
