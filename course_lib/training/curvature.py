"""Diagonal second derivatives, propagated backwards layer by layer: one positive number for each weight.

LeCun, Bottou, Bengio, Haffner, "Gradient-based learning applied to document recognition", Proceedings of the IEEE
86(11), 1998, appendix C; LeCun, Bottou, Orr, Müller, "Efficient BackProp", 1998, section 7.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.func import functional_call

ELEMENTWISE = (nn.Tanh, nn.Sigmoid, nn.ReLU, nn.Identity)


def diagonal_curvature(
    layers: Sequence[nn.Module],
    images: Tensor,
    labels: Tensor,
    criterion: Callable[[Tensor, Tensor], Tensor],
) -> dict[nn.Parameter, Tensor]:
    """For each parameter w, the mean over the images of the second derivative of the loss by w, approximated.

    A weight that is used at many places counts as many weights u, one for each connection: h = sum over u of
    d2E / du2, as in the paper's equation 22. Backwards through a layer with weights, the second derivatives are
    multiplied by the squares of the weights, through a squashing by the square of its slope; the second derivative
    of the squashing and everything off the diagonal are left out (Gauss-Newton, Levenberg-Marquardt), so no number is
    negative where none is behind the network. Behind the last weights and their squashing the diagonal is exact.

    Args:
        layers: the network, layer by layer: layers linear in their weights and in their input (convolutions, linear
            layers, trainable subsampling), functions that act on each number alone (torch's, or a module with the
            attribute ``elementwise``), ``nn.Flatten``. Behind the last weights anything differentiable may stand.
        images: (N, C, H, W), as the network takes them.
        labels: (N,), the right classes.
        criterion: of (logits, labels), a mean over the images.

    Returns:
        A tensor of the parameter's shape for each parameter of the layers.

    Raises:
        ValueError: a layer is of another kind, or none has weights.
    """
    last = max((place for place, layer in enumerate(layers) if _weights(layer)), default=None)
    if last is None:
        raise ValueError("layers must hold at least one with weights, got none")
    end = last + 1
    while end < len(layers) and _acts_elementwise(layers[end]):
        end += 1
    body, head = layers[:end], nn.Sequential(*layers[end:])
    inputs, x = [], images
    with torch.no_grad():
        for layer in body:
            inputs.append(x)
            x = layer(x)
    second = _exact_diagonal(lambda features: criterion(head(features), labels) * len(labels), x)
    found: dict[nn.Parameter, Tensor] = {}
    for layer, given in zip(reversed(body), reversed(inputs), strict=True):
        second = _backwards(layer, given, second, found)
    return {parameter: total / len(images) for parameter, total in found.items()}


def _exact_diagonal(loss: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """The second derivative of a sum over images by each number that they have: (N, ...) -> (N, ...)."""
    x = x.detach().requires_grad_()
    (first,) = torch.autograd.grad(loss(x), x, create_graph=True)
    second = torch.zeros_like(x).flatten(1)
    for place, slopes in enumerate(first.flatten(1).sum(0)):
        if slopes.requires_grad:  # else the loss is linear in it
            (row,) = torch.autograd.grad(slopes, x, retain_graph=True)
            second[:, place] = row.flatten(1)[:, place]
    return second.view_as(x)


def _weights(layer: nn.Module) -> dict[str, nn.Parameter]:
    return dict(layer.named_parameters())


def _acts_elementwise(layer: nn.Module) -> bool:
    return isinstance(layer, ELEMENTWISE) or getattr(layer, "elementwise", False)


def _backwards(layer: nn.Module, given: Tensor, second: Tensor, found: dict[nn.Parameter, Tensor]) -> Tensor:
    """Second derivatives by the layer's input from those by its output; those by its parameters go to ``found``."""
    weights = _weights(layer)
    if weights:
        _check_linear(layer, given)
        squares = {
            name: torch.zeros_like(weight) if name == "bias" else weight.detach().square()
            for name, weight in weights.items()
        }
        variables = [value.requires_grad_() for value in (given.square(), *squares.values())]
        result = functional_call(layer, squares, (variables[0],))
        before, *own = torch.autograd.grad(result, variables, second)
        found.update(zip(weights.values(), own, strict=True))
        return before
    if _acts_elementwise(layer):
        x = given.detach().requires_grad_()
        (slope,) = torch.autograd.grad(layer(x).sum(), x)
        return slope.square() * second
    if isinstance(layer, nn.Flatten):
        return second.view_as(given)
    raise ValueError(f"no rule for second derivatives through {type(layer).__name__}, got it before the last weights")


def _check_linear(layer: nn.Module, given: Tensor) -> None:
    """Refuse a layer that is not linear in its weights and in its input, found by doubling each."""
    with torch.no_grad():
        one = given[:1]
        plain = {
            name: torch.zeros_like(weight) if name == "bias" else weight for name, weight in _weights(layer).items()
        }
        double = {name: 2 * weight for name, weight in plain.items()}
        expected = 2 * functional_call(layer, plain, (one,))
        for weights, x in ((double, one), (plain, 2 * one)):
            if not torch.allclose(functional_call(layer, weights, (x,)), expected, rtol=1e-3, atol=1e-5):
                raise ValueError(
                    f"layers with weights must be linear in them and in their input, got {type(layer).__name__}"
                )
