"""How good a network is on a split: loss, accuracy, confusion and calibration, over each image exactly once."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from sklearn.metrics import precision_recall_fscore_support
from torch import Tensor, nn

from course_lib.data import ChannelStats, Normaliser, Split
from course_lib.training.outputs import logits_of
from course_lib.training.pools import own_pools

TEST_BATCH = 500  # images at a time


class Calibration(NamedTuple):
    """How confidence compares with accuracy, in bins of equal width from 0 to 1.

    ``ece`` is the expected calibration error: the mean distance between the two, weighted by the images in each bin.
    ``confidence``, ``accuracy`` and ``count`` have one value per bin; an empty bin has NaN, NaN and 0.
    """

    ece: float
    confidence: Tensor
    accuracy: Tensor
    count: Tensor


class ClassResult(NamedTuple):
    """How good a network is on one class.

    Args:
        precision: share of the images said to be of the class that are.
        recall: share of the class's images that are said to be.
        f1: harmonic mean of the two.
        num_images: of the class.
    """

    precision: float
    recall: float
    f1: float
    num_images: int


@dataclass(frozen=True)
class Evaluation:
    """Results on one split of N images, K classes; all tensors are on the CPU.

    Args:
        loss: mean cross-entropy.
        accuracy: share of images whose most probable class is the right one.
        confusion: (K, K) int64, rows are true classes, columns are predicted ones.
        probabilities: (N, K) float32, in the order of the split.
        labels: (N,) int64, the true classes.
    """

    loss: float
    accuracy: float
    confusion: Tensor
    probabilities: Tensor
    labels: Tensor

    @property
    def predictions(self) -> Tensor:
        """(N,) int64, the most probable class of each image."""
        return self.probabilities.argmax(1)

    def most_wrong(self, count: int) -> Tensor:
        """The places in the split of ``count`` images that are classified wrongly, the surest of the wrong first."""
        own = self.probabilities.gather(1, self.labels[:, None]).squeeze(1)
        wrong = (self.predictions != self.labels).nonzero().squeeze(1)
        return wrong[own[wrong].argsort(stable=True)][:count]

    def per_class(self) -> list[ClassResult]:
        """Precision, recall and F1 of each class, by scikit-learn; 0 where there is nothing to divide by."""
        found = precision_recall_fscore_support(
            self.labels, self.predictions, labels=range(self.probabilities.shape[1]), zero_division=0
        )
        return [ClassResult(*map(float, row[:3]), int(row[3])) for row in zip(*found, strict=True)]

    def calibration(self, bins: int = 15) -> Calibration:
        """Expected calibration error and reliability bins.

        Guo et al. 2017, On calibration of modern neural networks, arXiv:1706.04599, section 2; a bin holds its upper
        edge, not its lower one.

        Raises:
            ValueError: ``bins`` is below 1.
        """
        if bins < 1:
            raise ValueError(f"bins must be at least 1, got {bins}")
        confidence, predicted = self.probabilities.double().max(1)
        right = (predicted == self.labels).double()
        place = (confidence * bins).ceil().long().clamp(1, bins) - 1
        count = torch.bincount(place, minlength=bins)
        mean_confidence = torch.bincount(place, confidence, minlength=bins) / count
        mean_accuracy = torch.bincount(place, right, minlength=bins) / count
        gap = (mean_confidence - mean_accuracy).abs().nan_to_num(0.0)
        return Calibration((gap * count).sum().item() / len(place), mean_confidence, mean_accuracy, count)


@torch.inference_mode()
def evaluate(
    model: nn.Module,
    split: Split,
    *,
    stats: ChannelStats | None = None,
    batch_size: int = TEST_BATCH,
    precision: str = "fp32",
) -> Evaluation:
    """Run ``model`` over the split, on the device where it is, in evaluation mode; put its modes back afterwards.

    Args:
        model: maps (N, C, H, W) float32 to class scores (N, K), or to a tuple with a field ``logits`` of them.
        split: the images and labels.
        stats: for the normalisation; None takes those that the split carries from its data set.
        batch_size: images at a time; the last batch may be smaller. The results do not depend on it, rounding apart.
        precision: "fp32" or "bf16".

    Raises:
        ValueError: no statistics, no images, ``batch_size`` below 1, or a label for which the model has no score.
    """
    if batch_size < 1 or not len(split):
        raise ValueError(f"batch_size and the split's images must be at least 1, got {batch_size} and {len(split)}")
    stats = stats or split.stats
    if stats is None:
        raise ValueError("stats is needed for a split that stands alone: pass stats=data.stats of the training data")
    device = next(model.parameters()).device
    prepare, scores = Normaliser(stats, device), []
    pools = own_pools(model, device, deterministic=False, precision=precision)  # those of a run in this precision
    with evaluation_mode(model), autocast(device, precision), pools:
        for images in split.images.split(batch_size):
            scores.append(logits_of(model(prepare(images.to(device)))).float())
    logits, labels = torch.cat(scores), split.labels.to(device)
    classes = logits.shape[1]
    if int(labels.max()) >= classes:
        raise ValueError(f"model must score at least {int(labels.max()) + 1} classes for these labels, got {classes}")
    predicted = logits.argmax(1)
    return Evaluation(
        loss=F.cross_entropy(logits.cpu().double(), labels.cpu()).item(),  # some GPUs have no float64
        accuracy=int((predicted == labels).sum()) / len(labels),
        confusion=torch.bincount((labels * classes + predicted).cpu(), minlength=classes**2).view(classes, classes),
        probabilities=logits.softmax(1).cpu(),
        labels=labels.cpu(),
    )


def test_batch(batch_size: int) -> int:
    """Images at a time in the tests of a run that trains on ``batch_size``: as many, so as to need no more memory.

    Between 8 and ``TEST_BATCH``.
    """
    return min(max(batch_size, 8), TEST_BATCH)


@contextlib.contextmanager
def evaluation_mode(model: nn.Module) -> Iterator[None]:
    """Evaluation mode inside the block; afterwards each module has the mode that it had."""
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        yield
    finally:
        for module, training in modes.items():
            module.training = training


def autocast(device: torch.device, precision: str) -> torch.autocast:
    """The context for "fp32" (does nothing) or "bf16" (matrix products and convolutions in bfloat16).

    Raises:
        ValueError: another precision.
    """
    if precision not in ("fp32", "bf16"):
        raise ValueError(f"precision must be fp32 or bf16, got {precision!r}")
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision == "bf16")
