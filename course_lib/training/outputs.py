"""What a network returns: class scores, and perhaps the scores of auxiliary heads."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch.nn.functional as F
from torch import Tensor

Criterion = Callable[[Tensor, Tensor], Tensor]


def logits_of(output: Any) -> Tensor:
    """The class scores (N, K) of a network that returns them alone, or as ``logits`` beside auxiliary heads."""
    return output if isinstance(output, Tensor) else output.logits


def make_criterion(
    criterion: Criterion | None, label_smoothing: float, class_weights: Tensor | None = None, mixed: bool = False
) -> Criterion:
    """The loss of (logits, labels): the given function, else cross-entropy with label smoothing and class weights.

    Raises:
        ValueError: a function is given, and something that is for cross-entropy.
    """
    if criterion is None:
        return partial(F.cross_entropy, weight=class_weights, label_smoothing=label_smoothing)
    if class_weights is not None or mixed:
        raise ValueError("class_weights and mix are for cross-entropy; with a criterion leave them out")
    if label_smoothing:
        raise ValueError(f"label_smoothing is for cross-entropy; with a criterion it must be 0, got {label_smoothing}")
    return criterion


def training_loss(output: Any, labels: Tensor, criterion: Criterion, aux_weight: float) -> Tensor:
    """The criterion of the class scores, plus ``aux_weight`` times that of each auxiliary head.

    Szegedy et al. 2015, arXiv:1409.4842, section 5: the auxiliary losses of GoogLeNet count 0.3 each.
    """
    loss = criterion(logits_of(output).float(), labels)
    for aux in () if isinstance(output, Tensor) else output.aux or ():
        loss = loss + aux_weight * criterion(aux.float(), labels)
    return loss
