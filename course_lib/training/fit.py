"""The one training loop of the course."""

from __future__ import annotations

import dataclasses
import math
import sys
import time
from collections.abc import Callable

import torch
from torch import Generator, Tensor, nn
from tqdm import tqdm

from course_lib.data import ImageData, Normaliser, Split
from course_lib.training.evaluation import autocast, evaluate
from course_lib.training.history import History
from course_lib.training.optimisers import OptimiserMaker, make_optimiser, set_learning_rate
from course_lib.training.outputs import Criterion, logits_of, make_criterion, training_loss
from course_lib.training.reproducible import deterministic_algorithms, seeded
from course_lib.training.schedules import Schedule, find_schedule

DIVERGED = 1e6  # a cross-entropy that no run comes back from


class TrainingError(Exception):
    """Training cannot go on. The message says where it stopped, and what to do."""


def fit(
    model: nn.Module,
    data: ImageData,
    *,
    epochs: int,
    batch_size: int = 64,
    lr: float = 0.05,
    optimizer: str | OptimiserMaker = "sgd",
    momentum: float = 0.9,
    schedule: str | Schedule = "one-cycle",
    weight_decay: float = 0.0,
    label_smoothing: float = 0.0,
    criterion: Criterion | None = None,
    aux_weight: float = 0.3,
    augment: Callable[[Tensor, Generator], Tensor] | None = None,
    seed: int = 0,
    device: str = "auto",
    precision: str = "fp32",
    channels_last: bool = False,
    compile_model: bool = False,
    deterministic: bool = True,
    progress: bool | str = "auto",
) -> History:
    """Train ``model`` on ``data.train``, test it on ``data.test`` after each epoch, and leave it in evaluation mode.

    The images stay on the device; each epoch takes them in a new order. With ``deterministic``, two runs on one
    machine with the same number of threads give the same bits. The model's first weights are the caller's: see
    ``seeded``.

    Args:
        model: maps (N, C, H, W) float32 to class scores (N, K), or to a tuple with the fields ``logits`` and ``aux``.
        data: from ``course_lib.data.load``; normalised with the statistics of its training images.
        epochs: passes over the training images.
        batch_size: images per step. The last step of an epoch takes what is left; one image alone is left out.
        lr: learning rate at the schedule's peak.
        optimizer: "sgd", "adam", "adamw", or a function that makes an optimiser from parameter groups.
        momentum: for "sgd".
        schedule: "one-cycle", "step", "cosine", "constant", or a function of ``(step, total_steps)``.
        weight_decay: of weights; biases and norms have none.
        label_smoothing: share of the target that is spread over all classes.
        criterion: a function of (logits, labels) to minimise in place of cross-entropy.
        aux_weight: what the loss of an auxiliary head counts.
        augment: changes a batch of training images, for instance ``Augment(crop=2)``.
        seed: of the order, the augmentation and dropout. The global random state is put back afterwards.
        device: "auto" (a CUDA GPU if there is one, else the CPU) or a device of torch.
        precision: "fp32", or "bf16" for bfloat16 autocast.
        channels_last: lay weights and feature maps out with the channels last in memory.
        compile_model: run the model through ``torch.compile``.
        deterministic: refuse algorithms whose results vary from run to run.
        progress: show a bar; "auto" shows it in an interactive terminal alone.

    Raises:
        ValueError: an argument is out of its range, or the model scores fewer classes than the data has.
        TrainingError: the loss became NaN, infinite or larger than 1e6.
    """
    _check(epochs=epochs, batch_size=batch_size, lr=lr)
    place = torch.device(("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device)
    model.to(place, memory_format=torch.channels_last if channels_last else torch.preserve_format)
    train, test = _to(data.train, place), _to(data.test, place)
    forward = torch.compile(model) if compile_model else model
    optimiser = make_optimiser(optimizer, model, lr=lr, momentum=momentum, weight_decay=weight_decay)
    factor, prepare = find_schedule(schedule), Normaliser(data.stats, place)
    generator, minimised = Generator().manual_seed(seed), make_criterion(criterion, label_smoothing)
    steps = len(batches(len(train), batch_size, Generator()))
    history = History()
    hidden = not (sys.stderr.isatty() if progress == "auto" else progress)
    with (
        seeded(seed, place),
        deterministic_algorithms(deterministic),
        tqdm(total=epochs * steps, disable=hidden) as bar,
    ):
        while history.epochs < epochs:
            model.train()
            started, losses, sizes, correct = time.perf_counter(), [], [], torch.zeros((), device=place)
            for step, chosen in enumerate(batches(len(train), batch_size, generator)):
                rate = lr * factor(history.epochs * steps + step, epochs * steps)
                set_learning_rate(optimiser, rate)
                images, labels = train.images[chosen.to(place)], train.labels[chosen.to(place)]
                if augment is not None:
                    images = augment(images, generator)
                with autocast(place, precision):
                    output = forward(prepare(images))
                    loss = training_loss(output, labels, minimised, aux_weight)
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
                losses.append(loss.detach())
                sizes.append(len(labels))
                correct += (logits_of(output).argmax(1) == labels).sum()
                bar.update()
            step_loss = torch.stack(losses).tolist()
            seconds = time.perf_counter() - started
            _stop_if_diverged(step_loss, history, rate)
            tested = evaluate(model, test, precision=precision)
            history = history.extended(
                step_loss,
                train_loss=math.fsum(n * value for n, value in zip(sizes, step_loss, strict=True)) / sum(sizes),
                train_accuracy=correct.item() / sum(sizes),
                test_loss=tested.loss,
                test_accuracy=tested.accuracy,
                lr=rate,
                seconds=seconds,
            )
            bar.set_postfix(loss=f"{history.train_loss[-1]:.3f}", test=f"{tested.accuracy:.2%}")
    model.eval()
    return history


def batches(count: int, batch_size: int, generator: Generator) -> list[Tensor]:
    """The numbers 0..count-1 in a random order, in groups of ``batch_size``; a last group of one is left out."""
    groups = torch.randperm(count, generator=generator).split(batch_size)
    return list(groups[:-1] if len(groups) > 1 and len(groups[-1]) == 1 else groups)


def _stop_if_diverged(step_loss: list[float], history: History, lr: float) -> None:
    for step, loss in enumerate(step_loss):
        if not abs(loss) <= DIVERGED:
            raise TrainingError(
                f"training diverged: the loss was {loss} at epoch {history.epochs + 1}, step {step + 1} "
                f"(learning rate {lr:.3g}); try a lower lr, a longer warm-up or label smoothing"
            )


def _to(split: Split, device: torch.device) -> Split:
    """The split with its images and labels on the device."""
    return dataclasses.replace(split, images=split.images.to(device), labels=split.labels.to(device))


def _check(**least: float) -> None:
    for name, value in least.items():
        if not value > 0:
            raise ValueError(f"{name} must be above 0, got {value}")
