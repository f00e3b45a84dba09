"""The one training loop of the course."""

from __future__ import annotations

import contextlib
import dataclasses
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Generator, Tensor, nn
from tqdm import tqdm

from course_lib.data import ImageData, Normaliser, Split
from course_lib.training.checkpoint import Checkpoints, Live, describe, fingerprint, random_state
from course_lib.training.checks import check_arguments, divergence, stop_if_diverged
from course_lib.training.device import find_device
from course_lib.training.evaluation import evaluate, test_batch
from course_lib.training.faults import in_one_line
from course_lib.training.group import Group
from course_lib.training.history import History
from course_lib.training.keeper import Keeper
from course_lib.training.loop import Loop, batches
from course_lib.training.optimisers import OptimiserMaker, make_optimiser
from course_lib.training.outputs import Criterion, make_criterion
from course_lib.training.pools import own_pools
from course_lib.training.progress import shown
from course_lib.training.recipe import Recipe
from course_lib.training.reproducible import deterministic_algorithms, seeded
from course_lib.training.schedules import Schedule, find_schedule

PLAIN = Recipe()


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
    recipe: Recipe = PLAIN,
    seed: int = 0,
    device: str = "auto",
    precision: str = "fp32",
    channels_last: bool = False,
    compile_model: bool = False,
    deterministic: bool = True,
    test_once: bool = False,
    progress: bool | str = "auto",
    checkpoint: str | Path | None = None,
    resume: bool = False,
    about: Mapping[str, Any] | None = None,
    after_epoch: Callable[[History], None] | None = None,
) -> History:
    """Train ``model`` on ``data.train``, test it on ``data.test`` after each epoch, and leave it in evaluation mode.

    The images stay on the device; each epoch takes them in a new order. With ``deterministic``, two runs on one
    machine with the same number of threads give the same bits. The model's first weights are the caller's: see
    ``seeded``. Under ``torchrun``, after ``join_group``, each process takes its share of every batch: the losses are
    those of one process up to rounding, dropout draws differently, and the first process alone writes.

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
        recipe: clipped gradients, averaged weights, mixed images, class weights, early stopping, learning rates of
            parts of the model.
        seed: of the order, the augmentation and dropout. The global random state is put back afterwards.
        device: "auto" (a CUDA GPU if there is one, else the CPU) or a device of torch: cpu, cuda, cuda:1, mps.
        precision: "fp32", or "bf16" for bfloat16 autocast.
        channels_last: lay weights and feature maps out with the channels last in memory.
        compile_model: run the model through ``torch.compile``.
        deterministic: refuse algorithms whose results vary from run to run. On CUDA, adaptive average pools then run
            in a form of ours that has none.
        test_once: test after the last epoch alone: quicker, and the test images are looked at once.
        progress: show a bar; "auto" shows it in a terminal and in a notebook, unless TQDM_DISABLE is set.
        checkpoint: a folder for this run alone, where a checkpoint is put after each epoch; None for none.
        resume: go on from the folder's checkpoint, or begin when it has none. On the same machine with the same
            number of threads, a run that was killed and resumed gives the same bits as one that was not. With more
            ``epochs`` than before, it becomes longer: the schedule is then at the longer run's place.
        about: what the checkpoint keeps beside the classes and the normalisation, as JSON has it; see ``open_run``.
        after_epoch: is called with the history so far, by the first process of a group; for logs.

    Raises:
        ValueError: an argument is out of its range, there is no such device, the model scores fewer classes than the
            data has or has no deterministic form on the device, or the folder ``checkpoint`` is of another run.
        TrainingError: the loss became NaN, infinite or larger than 1e6, memory ran out, or a checkpoint cannot be
            written or read.
    """
    check_arguments(
        epochs=epochs, batch_size=batch_size, lr=lr, momentum=momentum, weight_decay=weight_decay,
        label_smoothing=label_smoothing, aux_weight=aux_weight,
    )  # fmt: skip
    place, group = find_device(device), Group.current()
    if recipe.patience and data.validation is None:
        raise ValueError("patience needs a validation split, to stop by: data.hold_out(0.1) sets one aside")
    with in_one_line(place, batch_size):
        model.to(place, memory_format=torch.channels_last if channels_last else torch.preserve_format)
        splits = {
            name: split.to(place)
            for name, split in (("train", data.train), ("test", data.test), ("validation", data.validation)) if split
        }  # fmt: skip
    train = splits.pop("train")
    factor, generator = find_schedule(schedule), Generator().manual_seed(seed)
    settings = {
        "model": fingerprint(model), "trained": sum(weight.requires_grad for weight in model.parameters()),
        "data": data.sha256, "epochs": epochs, "batch_size": batch_size, "lr": lr, "optimizer": optimizer,
        "momentum": momentum, "schedule": factor, "weight_decay": weight_decay, "label_smoothing": label_smoothing,
        "criterion": criterion, "aux_weight": aux_weight, "augment": augment, "seed": seed, "device": place.type,
        "precision": precision, "channels_last": channels_last, "compile_model": compile_model,
        "deterministic": deterministic, "test_once": test_once, "processes": group.size, "recipe": recipe,
    }  # fmt: skip
    if place.type == "cpu":
        settings["threads"] = torch.get_num_threads()  # they decide the order of sums, and so the last bits
    known = {"classes": list(data.classes), "stats": data.stats._asdict(), "image_shape": list(data.image_shape)}
    checkpoints = _open(
        checkpoint, resume, {name: describe(value) for name, value in settings.items()}, known | dict(about or {})
    )
    class_weights, mix = recipe.weights_of(train.labels, len(data.classes)), recipe.mixer(len(data.classes))
    loss = make_criterion(criterion, label_smoothing, class_weights, mix is not None)
    wrapped, keeper = group.wrap(model, place), Keeper(model, recipe.ema, recipe.patience)
    loop = Loop(
        forward=torch.compile(wrapped) if compile_model else wrapped,
        optimiser=make_optimiser(
            optimizer, model, lr=lr, momentum=momentum, weight_decay=weight_decay, lr_scale=recipe.lr_scale
        ),
        train=train,
        classes=len(data.classes),
        generator=generator,
        prepare=Normaliser(data.stats, place),
        augment=augment,
        criterion=loss,
        aux_weight=aux_weight,
        precision=precision,
        group=group,
        keeper=keeper,
        clip_norm=recipe.clip_norm,
        parts=recipe.parts,
        mix=mix,
    )
    steps = len(batches(len(train), batch_size, Generator(), group.size))
    live = Live(model, loop.optimiser, generator, place, group.rank, keeper)
    note = checkpoints.note if checkpoints else _no_checkpoint
    lock = checkpoints.locked() if checkpoints and group.rank == 0 else contextlib.nullcontext()
    with (
        lock, group.watched(note), in_one_line(place, batch_size), seeded(seed + group.rank, place),
        deterministic_algorithms(deterministic),
        own_pools(model, place, deterministic=deterministic, precision=precision),
    ):  # fmt: skip
        history = checkpoints.restore(live) if checkpoints else History()
        bar = tqdm(
            total=epochs * steps, initial=history.epochs * steps, disable=not shown(progress) or group.rank > 0,
            leave=False, unit="step",
        )  # fmt: skip
        with bar:
            while history.epochs < epochs and not keeper.stops(history):
                first = history.epochs * steps
                rates = [lr * factor(first + step, epochs * steps) for step in range(steps)]
                model.train()
                epoch = loop.epoch(batch_size, rates, bar)
                stop_if_diverged(epoch.step_loss, rates, history, checkpoints)
                tested = {}
                for name, split in splits.items():
                    if name == "test" and test_once and history.epochs + 1 < epochs:
                        continue
                    loss, accuracy = _tested(keeper.judged, split, precision, group, test_batch(batch_size))
                    if not math.isfinite(loss):
                        raise divergence(f"the {name} loss was {loss} after epoch {history.epochs + 1}", checkpoints)
                    tested |= {f"{name}_loss": loss, f"{name}_accuracy": accuracy}
                history = history.extended(
                    epoch.step_loss,
                    train_loss=epoch.loss,
                    train_accuracy=epoch.accuracy,
                    lr=rates[-1],
                    seconds=epoch.seconds,
                    **tested,
                )
                keeper.after_epoch(history)
                if checkpoints:
                    states = group.gather(random_state(place))
                    if group.rank == 0:
                        checkpoints.save(live, history, states)
                bar.set_postfix(loss=f"{epoch.loss:.3f}", **{name: f"{value:.3f}" for name, value in tested.items()})
                if after_epoch and group.rank == 0:
                    after_epoch(history)
        keeper.finish()
        if not history.test_loss:  # stopped early, before the only test
            loss, accuracy = _tested(model, splits["test"], precision, group, test_batch(batch_size))
            history = dataclasses.replace(history, test_loss=(loss,), test_accuracy=(accuracy,))
    return history


def _open(
    folder: str | Path | None, resume: bool, settings: dict[str, Any], about: dict[str, Any]
) -> Checkpoints | None:
    if folder is None:
        if resume:
            raise ValueError("resume needs checkpoint, the folder of the run to go on with; got checkpoint=None")
        return None
    checkpoints = Checkpoints(Path(folder), settings, about)
    if checkpoints.last and not resume:
        raise ValueError(
            f"checkpoint {folder} holds {checkpoints.last.name} of a run: pass resume=True to go on with it, or name "
            f"another folder"
        )
    return checkpoints


def _no_checkpoint() -> str:
    return "there is no checkpoint, since none was asked for"


def _tested(model: nn.Module, test: Split, precision: str, group: Group, batch_size: int) -> tuple[float, float]:
    """Loss and accuracy on the test images, of which each process takes its share."""
    if group.size == 1:
        result = evaluate(model, test, precision=precision, batch_size=batch_size)
        return result.loss, result.accuracy
    mine = dataclasses.replace(test, images=group.share(test.images), labels=group.share(test.labels))
    result = evaluate(model, mine, precision=precision, batch_size=batch_size)
    sums = torch.tensor([result.loss, result.accuracy], dtype=torch.float64, device=test.labels.device) * len(mine)
    return tuple((group.total(sums) / len(test)).tolist())
