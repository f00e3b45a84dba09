"""What every network must pass, whatever its paper: called by the tests of each file of networks."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

POOL = 2**20


def random_state(network: nn.Module, seed: int = 0) -> dict[str, Tensor]:
    """Random values for each tensor of a network on the meta device: logits stay of a size near 1.

    A million random numbers are drawn once and repeated, since drawing each would take seconds for VGG.
    """
    pool = torch.randn(POOL, generator=torch.Generator().manual_seed(seed))
    state = {}
    for name, tensor in network.state_dict().items():
        if not tensor.is_floating_point():
            state[name] = torch.zeros(tensor.shape, dtype=tensor.dtype)
            continue
        values = pool.repeat(math.ceil(tensor.numel() / POOL))[: tensor.numel()].reshape(tensor.shape)
        if tensor.dim() > 1:
            values = values * math.sqrt(2 / tensor[0].numel())
        state[name] = 0.5 + values.abs() if name.endswith("running_var") else values
    return state


def assert_same_logits(ours: nn.Module, theirs: nn.Module, state: Mapping[str, Tensor], x: Tensor) -> None:
    """Given loaded networks in evaluation mode, they agree within 1e-5, relative to the largest logit if above 1."""
    with torch.no_grad():
        expected = theirs(x)
        logits = ours(x)
    scale = max(1.0, float(expected.abs().max()))
    assert float(expected.std()) > 1e-3
    assert float((logits - expected).abs().max()) <= 1e-5 * scale


def assert_gradients_reach_every_parameter(network: nn.Module, x: Tensor) -> None:
    """After one backward pass, each parameter has a gradient that is not all zero."""
    torch.manual_seed(0)
    network.train()
    logits = network(x)
    F.cross_entropy(logits, torch.arange(len(x)) % logits.shape[1]).backward()
    missed = [n for n, p in network.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert missed == []


def assert_one_batch_can_be_overfitted(
    network: nn.Module, x: Tensor, num_classes: int, *, steps: int = 200, lr: float = 3e-4
) -> None:
    """Within some steps of Adam on one batch of random images, the labels are learned: a loss below 0.05."""
    labels = torch.arange(len(x)) % num_classes
    optimizer = torch.optim.Adam(network.parameters(), lr=lr)
    network.train()
    losses = []
    while len(losses) < steps and min(losses, default=1) >= 0.05:
        optimizer.zero_grad()
        loss = F.cross_entropy(network(x), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert min(losses) < 0.05, f"losses: {losses[:: max(1, steps // 10)]}"


def assert_channels_last_and_bfloat16_run(network: nn.Module, x: Tensor) -> None:
    """Channels-last gives the same logits within 1e-4 of the largest; bfloat16 within its three digits."""
    network.eval()
    with torch.no_grad():
        logits = network(x)
        scale = float(logits.abs().max())
        last = network.to(memory_format=torch.channels_last)(x.to(memory_format=torch.channels_last))
        short = network.to(torch.bfloat16)(x.to(torch.bfloat16))
    assert float((last - logits).abs().max()) <= 1e-4 * scale
    assert short.dtype == torch.bfloat16
    assert float((short.float() - logits).abs().max()) <= 0.1 * scale


def output_shapes(network: nn.Module, input_shape: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    """The output shape of each layer without children, for one image, batch axis left out, from the meta device."""
    shapes = {}
    handles = [
        layer.register_forward_hook(lambda _, __, out, name=name: shapes.update({name: tuple(out.shape[1:])}))
        for name, layer in network.named_modules()
        if not list(layer.children())
    ]
    network.to("meta")(torch.empty(1, *input_shape, device="meta"))
    for handle in handles:
        handle.remove()
    return shapes
