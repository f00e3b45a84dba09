"""The checker of training loops: every right style is accepted, and each usual slip gets a hint of its own."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from course_lib.exercises import check, expect
from course_lib.loop_check import Plan, judge_loop
from course_lib.training import seeded

PLAN = Plan(epochs=4, batch_size=4, lr=0.1)


def problem():
    """A network, 10 inputs and their targets: two batches of 4 and one of 2."""
    with seeded(0):
        return nn.Sequential(nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 2)), torch.randn(10, 3), torch.randn(10, 2)


def judge(train) -> bool | str:
    return judge_loop(train, *problem(), F.mse_loss, PLAN)


def by_optimiser(network, images, targets, epochs, batch_size, lr):
    optimiser = torch.optim.SGD(network.parameters(), lr=lr)
    losses = []
    for _ in range(epochs):
        for inputs, wanted in zip(images.split(batch_size), targets.split(batch_size), strict=True):
            optimiser.zero_grad()
            loss = F.mse_loss(network(inputs), wanted)
            loss.backward()
            optimiser.step()
            losses.append(loss.item())
    return losses


def by_hand(network, images, targets, epochs, batch_size, lr):
    losses = []
    for _ in range(epochs):
        for start in range(0, len(images), batch_size):
            stop = start + batch_size
            loss = (network(images[start:stop]) - targets[start:stop]).square().mean()
            losses.append(loss)  # a tensor, with its graph
            loss.backward()
            with torch.no_grad():
                for parameter in network.parameters():
                    parameter -= lr * parameter.grad
                    parameter.grad = None
    return losses


def by_autograd(network, images, targets, epochs, batch_size, lr):
    parameters = list(network.parameters())
    rows = np.zeros((epochs, -(-len(images) // batch_size)))
    for epoch in range(epochs):
        for index in range(rows.shape[1]):
            chosen = torch.arange(index * batch_size, min((index + 1) * batch_size, len(images)))
            loss = F.mse_loss(network(images[chosen]), targets[chosen])
            for parameter, gradient in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
                parameter.data.sub_(lr * gradient)
            rows[epoch, index] = loss.item()
    return rows


def by_loader(network, images, targets, epochs, batch_size, lr):
    pairs = torch.utils.data.TensorDataset(images, targets)
    optimiser = torch.optim.SGD(network.parameters(), lr)
    for _ in range(epochs):
        for inputs, wanted in torch.utils.data.DataLoader(pairs, batch_size):
            loss = F.mse_loss(network(inputs), wanted)
            loss.backward()
            optimiser.step()
            network.zero_grad()
            yield loss


@pytest.mark.parametrize("style", [by_optimiser, by_hand, by_autograd, by_loader])
def test_a_right_loop_is_accepted_in_any_style(style) -> None:
    assert judge(style) is True


def test_the_network_that_is_passed_in_stays_as_it_is() -> None:
    network, images, targets = problem()
    before = [parameter.clone() for parameter in network.parameters()]
    judge_loop(by_hand, network, images, targets, F.mse_loss, PLAN)
    assert all(torch.equal(a, b) for a, b in zip(before, network.parameters(), strict=True))


def loop(network, images, targets, epochs, batch_size, lr, *, body):
    """A loop whose body has a slip, written as a reader would write it."""
    optimiser = torch.optim.SGD(network.parameters(), lr=lr)
    losses = []
    for _ in range(epochs):
        for inputs, wanted in zip(images.split(batch_size), targets.split(batch_size), strict=True):
            body(network, optimiser, inputs, wanted, losses)
    return losses


def never_cleared(network, optimiser, inputs, wanted, losses):
    loss = F.mse_loss(network(inputs), wanted)
    loss.backward()
    optimiser.step()
    losses.append(loss.item())


def cleared_too_late(network, optimiser, inputs, wanted, losses):
    loss = F.mse_loss(network(inputs), wanted)
    loss.backward()
    optimiser.zero_grad()
    optimiser.step()
    losses.append(loss.item())


def no_step(network, optimiser, inputs, wanted, losses):
    optimiser.zero_grad()
    loss = F.mse_loss(network(inputs), wanted)
    loss.backward()
    losses.append(loss.item())


def rebound(network, optimiser, inputs, wanted, losses):
    network.zero_grad()
    loss = F.mse_loss(network(inputs), wanted)
    loss.backward()
    for parameter in network.parameters():
        parameter = parameter - 0.1 * parameter.grad  # the slip that is meant
    losses.append(loss.item())


def uphill(network, optimiser, inputs, wanted, losses):
    network.zero_grad()
    loss = F.mse_loss(network(inputs), wanted)
    loss.backward()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter += 0.1 * parameter.grad
    losses.append(loss.item())


def loss_after(network, optimiser, inputs, wanted, losses):
    optimiser.zero_grad()
    F.mse_loss(network(inputs), wanted).backward()
    optimiser.step()
    losses.append(F.mse_loss(network(inputs), wanted).item())


def summed(network, optimiser, inputs, wanted, losses):
    optimiser.zero_grad()
    loss = F.mse_loss(network(inputs), wanted, reduction="sum")
    loss.backward()
    optimiser.step()
    losses.append(loss.item())


def half_rate(network, optimiser, inputs, wanted, losses):
    optimiser.zero_grad()
    loss = F.mse_loss(network(inputs), wanted)
    loss.backward()
    losses.append(loss.item())
    with torch.no_grad():
        for parameter in network.parameters():
            parameter -= 0.05 * parameter.grad


@pytest.mark.parametrize(
    ("body", "hint"),
    [
        (never_cleared, "gradients add up"),
        (cleared_too_late, "the weights never move"),
        (no_step, "the weights never move"),
        (rebound, "the weights never move"),
        (uphill, "the weights move with the gradient"),
        (loss_after, "losses after each step"),
        (summed, "the very first loss differs"),
        (half_rate, "right up to batch 1 and wrong after its step"),
    ],
)
def test_a_slip_inside_the_loop_gets_its_hint(body, hint) -> None:
    assert hint in judge(lambda *call: loop(*call, body=body))


def step_once_an_epoch(network, images, targets, epochs, batch_size, lr):
    optimiser = torch.optim.SGD(network.parameters(), lr=lr)
    losses = []
    for _ in range(epochs):
        optimiser.zero_grad()
        for inputs, wanted in zip(images.split(batch_size), targets.split(batch_size), strict=True):
            loss = F.mse_loss(network(inputs), wanted)
            loss.backward()
            losses.append(loss.item())
        optimiser.step()
    return losses


def dropped(network, images, targets, epochs, batch_size, lr):
    whole = len(images) // batch_size * batch_size
    return by_optimiser(network, images[:whole], targets[:whole], epochs, batch_size, lr)


def wrong_optimiser(network, images, targets, epochs, batch_size, lr):
    optimiser = torch.optim.Adam(network.parameters(), lr=lr)
    bodies = {"body": lambda network, _, *rest: no_step(network, optimiser, *rest) or optimiser.step()}
    return loop(network, images, targets, epochs, batch_size, lr, **bodies)


def first_batch_only(network, images, targets, epochs, batch_size, lr):
    first = (images[:batch_size], targets[:batch_size])
    steps = epochs * -(-len(images) // batch_size)
    return [by_optimiser(network, *first, 1, batch_size, lr)[0] for _ in range(steps)]


@pytest.mark.parametrize(
    ("train", "hint"),
    [
        (step_once_an_epoch, "the step comes once an epoch"),
        (dropped, "the last, smaller batch of each epoch is missing (there are 8 losses, one for each of 12 batches"),
        (wrong_optimiser, "this is Adam"),
        (first_batch_only, "each step sees the same first batch"),
        (lambda *call: by_optimiser(*call[:3], 2, *call[4:])[:1], "there are 1 losses, one for each of 12"),
        (lambda *call: by_optimiser(*call[:5], 1.0), "the learning rate is not used"),
        (lambda *call: by_optimiser(*call)[::3], "there is one loss for each epoch"),
        (lambda *call: by_optimiser(*call)[:3], "these are the losses of one epoch"),
        (lambda *_: [], "the list of losses is empty"),
        (
            lambda network, images, targets, *rest: by_hand(network, images.flip(0), targets.flip(0), *rest),
            "first loss",
        ),
    ],
)
def test_a_slip_around_the_loop_gets_its_hint(train, hint) -> None:
    assert hint in judge(train)


def test_a_loop_that_returns_nothing_is_told_so() -> None:
    def forgetful(*call):
        by_optimiser(*call)

    assert "returns nothing" in judge(forgetful)


def test_a_chapter_asks_for_a_loop_as_for_any_answer(monkeypatch, capsys) -> None:
    monkeypatch.setattr("course_lib.exercises.KEYS", {})
    expect("ex", holds=judge)

    def empty(network, images, targets, epochs, batch_size, lr):
        """Nothing yet."""

    check("ex", empty)
    check("ex", by_hand)
    assert capsys.readouterr().out.splitlines() == ["Not answered yet: replace the ... above.", "Correct."]
    with pytest.raises(AssertionError, match="Hint: gradients add up"):
        check("ex", lambda *call: loop(*call, body=never_cleared))
