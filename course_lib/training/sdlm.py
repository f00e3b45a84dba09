"""Stochastic diagonal Levenberg-Marquardt: gradient descent on one image a step, with a rate for each weight.

LeCun, Bottou, Bengio, Haffner, "Gradient-based learning applied to document recognition", Proceedings of the IEEE
86(11), 1998, section III-B and appendix C.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Generator, Tensor, nn
from tqdm import tqdm

from course_lib.data import ImageData, Normaliser, Split
from course_lib.training.checkpoint import Checkpoints, Live, describe, fingerprint, random_state
from course_lib.training.checks import check_arguments, divergence
from course_lib.training.curvature import diagonal_curvature
from course_lib.training.evaluation import evaluate
from course_lib.training.history import History
from course_lib.training.outputs import Criterion
from course_lib.training.progress import shown
from course_lib.training.schedules import Schedule, find_schedule

MU, SAMPLES = 0.02, 500  # the paper's: what keeps a rate finite, and the images that the curvature is measured on
LOSSES = 100  # steps whose mean loss is one value of the history


class OneImage(Protocol):
    """The weights of a network in one vector, and the gradient of its loss for one image."""

    values: np.ndarray
    slopes: np.ndarray

    def gradient(self, image: np.ndarray, label: int) -> tuple[float, bool]:
        """(C, H, W) float32 and its class: fill ``slopes``; the loss, and whether the image was classified rightly."""

    def flat(self, tensors: dict[nn.Parameter, Tensor]) -> np.ndarray:
        """A tensor for each parameter as one vector, in the order of ``values``."""

    def store(self) -> None:
        """Give the module the weights of ``values``."""


def fit_sdlm(
    model: nn.Module,
    data: ImageData,
    *,
    epochs: int = 20,
    lr: float = 0.0005,
    schedule: str | Schedule = "lecun1998",
    criterion: Criterion,
    curvature: Criterion | None = None,
    one_image: Callable[[nn.Module], OneImage] | None = None,
    mu: float = MU,
    samples: int = SAMPLES,
    seed: int = 0,
    progress: bool | str = "auto",
    checkpoint: str | Path | None = None,
    resume: bool = False,
) -> History:
    """Train ``model`` on the CPU as LeNet-5 was trained in 1998; test it after each pass; leave it in evaluation mode.

    Before each pass the curvature h of the loss by each weight is measured on ``samples`` training images (see
    ``diagonal_curvature``); during it, each image moves each weight by its slope times ``-rate / (mu + h)``. There is
    no momentum and no weight decay.

    Args:
        model: its children are its layers, in their order; see ``diagonal_curvature`` for what they may be.
        data: as for ``fit``.
        epochs: passes over the training images, in a new order each.
        lr: the rate at the schedule's peak.
        schedule: as for ``fit``; the rate stays the same during a pass. "lecun1998" is the paper's.
        criterion: a function of (logits, labels) to minimise, a mean over the images.
        curvature: the function whose curvature is measured; None for the criterion. Where the criterion is flat for
            images that are classified well, its own curvature falls towards 0 as the network learns, and every rate
            rises to ``rate / mu``: LeNet-5 of 1998 then diverges in its second pass. ``lenet_output.mse_criterion``
            has the same curvature at all images.
        one_image: makes the gradient of ``criterion`` from the model; None for autograd.
        mu: what is added to each curvature, so that flat directions get no endless rate.
        samples: training images on which the curvature is measured, drawn anew before each pass.
        seed: of the order of the images and of the samples.
        progress, checkpoint, resume: as for ``fit``.

    Returns:
        As ``fit``; ``step_loss`` has the mean of each hundred steps.

    Raises:
        ValueError: an argument is out of its range, or the model has a layer without a rule.
        TrainingError: the loss became NaN or infinite, or a checkpoint cannot be written or read.
    """
    check_arguments(epochs=epochs, batch_size=1, lr=lr, label_smoothing=0.0, mu=mu)
    if not mu or samples < 1:
        raise ValueError(f"mu must be above 0 and samples at least 1, got mu={mu}, samples={samples}")
    model.to("cpu")
    layers, factor, generator = list(model.children()), find_schedule(schedule), Generator().manual_seed(seed)
    settings = {
        "model": fingerprint(model), "data": data.sha256, "epochs": epochs, "lr": lr, "optimizer": "sdlm",
        "schedule": factor, "criterion": criterion, "curvature": curvature, "mu": mu, "samples": samples, "seed": seed,
        "stats": data.stats,
    }  # fmt: skip
    checkpoints = None
    if checkpoint is not None:
        checkpoints = Checkpoints(Path(checkpoint), {name: describe(value) for name, value in settings.items()})
    live = Live(model, _NoState(), generator, torch.device("cpu"))
    history = checkpoints.restore(live) if checkpoints and resume else History()
    net = one_image(model) if one_image else ByAutograd(model, criterion)
    trained = net.flat({parameter: torch.ones_like(parameter) for parameter in model.parameters()})
    prepare = Normaliser(data.stats)
    bar = tqdm(total=epochs * len(data.train), initial=history.epochs * len(data.train), disable=not shown(progress))
    with bar:
        while history.epochs < epochs:
            rate = lr * factor(history.epochs, epochs)
            order = torch.randperm(len(data.train), generator=generator)
            chosen = torch.randperm(len(data.train), generator=generator)[:samples]
            images, labels = data.train.images[chosen], data.train.labels[chosen]
            second = net.flat(diagonal_curvature(layers, prepare(images), labels, curvature or criterion))
            rates = (rate * trained / (mu + second)).astype(np.float32)
            started = time.perf_counter()
            with np.errstate(over="ignore", invalid="ignore"):  # a loss that is not finite is refused below
                losses, right = _pass(net, data.train, prepare, order.tolist(), rates, bar)
            seconds = time.perf_counter() - started
            if not math.isfinite(losses[-1]):
                raise divergence(f"the loss was {losses[-1]} in pass {history.epochs + 1}", checkpoints)
            net.store()
            tested = evaluate(model, data.test)
            history = history.extended(
                _means(losses),
                train_loss=math.fsum(losses) / len(losses),
                train_accuracy=right / len(losses),
                test_loss=tested.loss,
                test_accuracy=tested.accuracy,
                lr=rate,
                seconds=seconds,
            )
            if checkpoints:
                checkpoints.save(live, history, [random_state(live.device)])
            bar.set_postfix(loss=f"{history.train_loss[-1]:.3f}", test=f"{tested.accuracy:.2%}")
    model.eval()
    return history


def _pass(
    net: OneImage, train: Split, prepare: Normaliser, order: Sequence[int], rates: np.ndarray, bar: tqdm
) -> tuple[list[float], int]:
    """Each image once, a step each: the losses, and how many were classified rightly before their step."""
    images, labels = train.images.numpy(), train.labels.tolist()
    mean, std = (constant.view(-1, 1, 1).numpy() for constant in (prepare.mean, prepare.std))
    losses, right = [], 0
    for count, place in enumerate(order, start=1):
        loss, hit = net.gradient((images[place].astype(np.float32) - mean) / std, labels[place])
        net.slopes *= rates
        net.values -= net.slopes
        losses.append(loss)
        right += hit
        if count % LOSSES == 0:
            bar.update(LOSSES)
            if not math.isfinite(loss):
                return losses, right
    return losses, right


def _means(losses: Sequence[float]) -> list[float]:
    parts = [losses[start : start + LOSSES] for start in range(0, len(losses), LOSSES)]
    return [math.fsum(part) / len(part) for part in parts]


class ByAutograd:
    """The gradient for one image by autograd, for any model; see ``OneImage``."""

    def __init__(self, model: nn.Module, criterion: Criterion) -> None:
        self.model, self.criterion = model, criterion
        self.parameters = list(model.parameters())
        self.values = self.flat({parameter: parameter for parameter in self.parameters})
        self.slopes = np.zeros_like(self.values)

    def flat(self, tensors: dict[nn.Parameter, Tensor]) -> np.ndarray:
        """One vector; see ``OneImage``."""
        return torch.cat([tensors[parameter].detach().reshape(-1) for parameter in self.parameters]).numpy()

    def store(self) -> None:
        """Give the module the weights of ``values``."""
        nn.utils.vector_to_parameters(torch.from_numpy(self.values.copy()), self.parameters)

    def gradient(self, image: np.ndarray, label: int) -> tuple[float, bool]:
        """See ``OneImage``."""
        self.store()
        logits = self.model(torch.from_numpy(image)[None])
        loss = self.criterion(logits, torch.tensor([label]))
        self.slopes[:] = nn.utils.parameters_to_vector(torch.autograd.grad(loss, self.parameters)).numpy()
        return loss.item(), int(logits.argmax()) == label


class _NoState:
    """Nothing of the optimiser outlives a pass."""

    def state_dict(self) -> dict[str, Any]:
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        pass
