"""One pass over the training images."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Generator, Tensor, nn, optim
from tqdm import tqdm

from course_lib.data import Normaliser, Split
from course_lib.training.evaluation import autocast
from course_lib.training.group import Group
from course_lib.training.keeper import Keeper
from course_lib.training.optimisers import set_learning_rate
from course_lib.training.outputs import Criterion, logits_of, training_loss
from course_lib.training.recipe import Mix


class Epoch(NamedTuple):
    """What one pass gave: means over its images, the loss of each step, and wall seconds."""

    loss: float
    accuracy: float
    step_loss: list[float]
    seconds: float


@dataclass(frozen=True)
class Loop:
    """The parts of a training step, all on one device.

    Args:
        forward: the model as it is called, perhaps compiled.
        train: images and labels on the device.
        classes: how many the model must score.
        generator: the source of the order and of the augmentation.
        prepare, augment, criterion, aux_weight, precision: as in ``fit``.
        group: the processes that share each batch.
        keeper: takes the weights after each step.
        clip_norm, parts: as in ``Recipe``.
        mix: changes the normalised images and the labels of a batch; None for neither.
    """

    forward: Callable[[Tensor], Tensor | tuple]
    optimiser: optim.Optimizer
    train: Split
    classes: int
    generator: Generator
    prepare: Normaliser
    augment: Callable[[Tensor, Generator], Tensor] | None
    criterion: Criterion
    aux_weight: float
    precision: str
    group: Group
    keeper: Keeper
    clip_norm: float | None = None
    parts: int = 1
    mix: Mix | None = None

    def epoch(self, batch_size: int, rates: Sequence[float], bar: tqdm) -> Epoch:
        """Take each training image once, in a random order, with the learning rate ``rates[step]``."""
        started, losses, sizes, correct = time.perf_counter(), [], [], 0
        groups = batches(len(self.train), batch_size, self.generator, self.group.size, self.train.labels.device)
        for rate, chosen in zip(rates, groups, strict=True):
            set_learning_rate(self.optimiser, rate)
            loss, right = self.step(chosen)
            losses.append(loss)
            sizes.append(len(chosen))
            correct += right
            bar.update()
        step_loss = self.group.total(torch.stack(losses)).tolist()
        mean = math.fsum(size * loss for size, loss in zip(sizes, step_loss, strict=True)) / sum(sizes)
        accuracy = self.group.total(correct).item() / sum(sizes)
        return Epoch(mean, accuracy, step_loss, time.perf_counter() - started)

    def step(self, chosen: Tensor) -> tuple[Tensor, Tensor]:
        """One update from the images of these numbers: their loss before it, and how many were classified rightly.

        In a group both are this process's share of it: the sum over the processes is the batch's.
        """
        # the same as images[chosen], and many times faster on a CPU
        images, labels = self.train.images.index_select(0, chosen), self.train.labels.index_select(0, chosen)
        if self.augment is not None:
            images = self.augment(images, self.generator)
        images, labels = self.prepare(self.group.share(images)), self.group.share(labels)
        targets = labels
        if self.mix is not None:
            images, targets = self.mix(images, labels)
        self.optimiser.zero_grad()
        parts = [values.tensor_split(min(self.parts, len(labels))) for values in (images, labels, targets)]
        done = [
            self.backward(*part, len(chosen), last=number == len(parts[0]))
            for number, part in enumerate(zip(*parts, strict=True), start=1)
        ]
        if self.clip_norm is not None:
            nn.utils.clip_grad_norm_(self.keeper.model.parameters(), self.clip_norm)
        self.optimiser.step()
        self.keeper.after_step()
        return tuple(map(sum, zip(*done, strict=True)))

    def backward(
        self, images: Tensor, labels: Tensor, targets: Tensor, total: int, *, last: bool
    ) -> tuple[Tensor, Tensor]:
        """Add the gradients of some of a step's ``total`` images: their part of its loss, and how many are right."""
        share = len(labels) / total
        with self.group.alone(self.forward, until=last):
            with autocast(images.device, self.precision):
                output = self.forward(images)
                scores = logits_of(output)
                if scores.shape[1] < self.classes:
                    raise ValueError(f"model must score at least {self.classes} classes, got {scores.shape[1]}")
                loss = training_loss(output, targets, self.criterion, self.aux_weight)
            (loss * (share * self.group.size)).backward()  # a group averages the gradients of its processes
        return loss.detach() * share, (scores.argmax(1) == labels).sum()


def batches(
    count: int, batch_size: int, generator: Generator, processes: int = 1, device: torch.device | str = "cpu"
) -> list[Tensor]:
    """The numbers 0..count-1 in a random order, in groups of ``batch_size``, put on the device at once.

    A last group of one is left out, and one that is too small to give each process an image.
    """
    groups = torch.randperm(count, generator=generator).to(device).split(batch_size)
    return list(groups[:-1] if len(groups) > 1 and len(groups[-1]) < max(2, processes) else groups)
