"""Judges a reader's training loop by the losses that it returns, and tells the usual slips apart."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

LossFunction = Callable[[Tensor, Tensor], Tensor]

HINTS = {
    "no clearing": "gradients add up from step to step. Clear them before each backward",
    "cleared once an epoch": "gradients are cleared once an epoch. Clear them before each backward",
    "no step": "the weights never move. Is there a step behind backward, is the gradient still there when it comes, "
    "and does it change the parameter itself? (p = p - lr * p.grad makes a new tensor, p -= lr * p.grad changes p)",
    "uphill": "the weights move with the gradient, so the loss grows. Subtract",
    "step once an epoch": "the step comes once an epoch. It belongs into the loop over the batches",
    "first batch only": "each step sees the same first batch",
    "loss after the step": "these are the losses after each step. Note the loss of a batch before its step",
    "lr of 1": "the learning rate is not used",
    "Adam": "this is Adam. Plain descent subtracts the learning rate times the gradient, as torch.optim.SGD does",
}


class Plan(NamedTuple):
    """What the loop is to do: batches in the given order, the last one smaller, plain gradient descent."""

    epochs: int
    batch_size: int
    lr: float

    def num_steps(self, num_images: int) -> int:
        """One step for each batch, in each epoch."""
        return self.epochs * math.ceil(num_images / self.batch_size)


def judge_loop(
    train: Callable[..., Any], network: nn.Module, images: Tensor, targets: Tensor, loss: LossFunction, plan: Plan
) -> bool | str:
    """Whether ``train(network, images, targets, epochs, batch_size, lr)`` is a right training loop: True, or a hint.

    It is right when it returns the loss of each batch before its step, however it was written. It gets a copy of the
    network; the network that is passed in stays as it is. Made for ``expect(name, holds=...)``.

    Args:
        train: the reader's function.
        network: the network with its first weights, in training mode.
        images: (N, ...) what the network takes.
        targets: (N, ...) what ``loss`` compares its output with.
        loss: ``loss(output, targets)``, a mean over the batch.
        plan: epochs, batch size and learning rate that the loop is called with.
    """
    returned = train(copy.deepcopy(network), images, targets, *plan)
    if returned is None or returned is ...:
        return "the function returns nothing. Return the list of losses"
    losses, parts = _flat(returned), (network, images, targets, loss, plan)
    right = list(_losses(*parts))
    return True if _close(losses, right) else _hint(losses, right, parts)


def _hint(losses: list[float], right: list[float], parts: tuple) -> str:
    """The slip that gives these losses, or where they leave the right ones."""
    images, plan = parts[1], parts[-1]
    slip = next((slip for slip in HINTS if _close(losses, list(_losses(*parts, slip=slip)))), None)
    if slip:
        return HINTS[slip]
    per_epoch = plan.num_steps(len(images)) // plan.epochs
    known = {
        0: "the list of losses is empty",
        per_epoch: "these are the losses of one epoch",
        plan.epochs: "there is one loss for each epoch. Note one for each batch",
        len(images) // plan.batch_size * plan.epochs: "the last, smaller batch of each epoch is missing",
    }
    if len(losses) != len(right):
        text = f"there are {len(losses)} losses, one for each of {len(right)} batches is wanted"
        return f"{known[len(losses)]} ({text})" if len(losses) in known else text
    first = next(i for i, pair in enumerate(zip(losses, right, strict=True)) if not _close(*([one] for one in pair)))
    if first == 0:
        return (
            "the very first loss differs, before any step. Is it the mean loss of the first batch, in the given order"
        )
    if first % per_epoch == 0:
        return f"the losses are right up to the end of epoch {first // per_epoch}. What happens between epochs"
    return f"the losses are right up to batch {first} and wrong after its step. What does the step change, by how much"


def _losses(
    network: nn.Module, images: Tensor, targets: Tensor, loss: LossFunction, plan: Plan, slip: str = ""
) -> Iterator[float]:
    """The loss of each batch before its step, in a right loop or in one with a slip."""
    network = copy.deepcopy(network)
    lr = 1.0 if slip == "lr of 1" else -plan.lr if slip == "uphill" else 0.0 if slip == "no step" else plan.lr
    optimiser = (torch.optim.Adam if slip == "Adam" else torch.optim.SGD)(network.parameters(), lr=abs(lr))
    for group in optimiser.param_groups:
        group["maximize"] = lr < 0
    for _ in range(plan.epochs):
        batches = list(zip(images.split(plan.batch_size), targets.split(plan.batch_size), strict=True))
        for index, (inputs, wanted) in enumerate(batches):
            if slip == "first batch only":
                inputs, wanted = batches[0]
            if slip != "no clearing" and not (slip in ("cleared once an epoch", "step once an epoch") and index):
                optimiser.zero_grad()
            before = loss(network(inputs), wanted)
            before.backward()
            if slip != "step once an epoch" or index == len(batches) - 1:
                optimiser.step()
            with torch.no_grad():
                yield (loss(network(inputs), wanted) if slip == "loss after the step" else before).item()


def _close(losses: Sequence[float], right: Sequence[float]) -> bool:
    """Equal but for rounding. Where both are no longer numbers, the loop has run away in the same way."""
    return len(losses) == len(right) and all(
        math.isclose(one, other, rel_tol=1e-3, abs_tol=1e-6) or (math.isnan(one) and math.isnan(other))
        for one, other in zip(losses, right, strict=True)
    )


def _flat(losses: Any) -> list[float]:
    """A list of floats from numbers, tensors, arrays and lists of them."""
    if isinstance(losses, int | float) or getattr(losses, "ndim", 1) == 0:
        return [losses.item() if hasattr(losses, "item") else float(losses)]
    return [number for part in losses for number in _flat(part)]
