"""What several networks share: small blocks, initialisation, renaming of weights, the check that an input fits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from course_lib.models.input_size import checks_input_size, feature_shape, smallest_input_size

__all__ = [
    "LocalResponseNorm",
    "checks_input_size",
    "conv_norm_act",
    "conv_relu",
    "fc_classifier",
    "feature_shape",
    "initialize",
    "local_response_norm",
    "match_state_dict",
    "round_channels",
    "smallest_input_size",
]


def conv_norm_act(
    in_channels: int,
    out_channels: int,
    kernel_size: int,
    *,
    stride: int = 1,
    padding: int = 0,
    groups: int = 1,
    bias: bool | None = None,
    norm: Callable[[int], nn.Module] | None = None,
    act: Callable[[], nn.Module] | None = nn.ReLU,
) -> nn.Sequential:
    """A convolution, then a normalisation if there is one, then an activation if there is one.

    The children are named ``conv``, ``norm`` and ``act``. ``(N, C_in, H, W) -> (N, C_out, H', W')``.

    Args:
        bias: whether the convolution has a bias; None means: only where no normalisation follows.
        norm: called with ``out_channels``, for instance ``nn.BatchNorm2d``.
        act: called without arguments, for instance ``nn.ReLU6``.
    """
    bias = norm is None if bias is None else bias
    block = nn.Sequential()
    block.add_module(
        "conv", nn.Conv2d(in_channels, out_channels, kernel_size, stride, padding, groups=groups, bias=bias)
    )
    if norm is not None:
        block.add_module("norm", norm(out_channels))
    if act is not None:
        block.add_module("act", act())
    return block


def conv_relu(in_channels: int, out_channels: int, kernel_size: int, **options: Any) -> nn.Sequential:
    """A biased convolution and a ReLU: ``conv_norm_act`` with its defaults."""
    return conv_norm_act(in_channels, out_channels, kernel_size, **options)


def fc_classifier(
    in_features: int, hidden_features: Sequence[int], num_classes: int, dropout: float | None
) -> nn.Sequential:
    """The classifier of AlexNet, ZFNet and VGG: ``(N, C, H, W) -> (N, num_classes)``, with C * H * W = ``in_features``.

    Flattens, then hidden layers with ReLU and dropout, then the logits. The linear layers are named ``fc6``, ``fc7``
    and so on, as the papers' own programs number them, behind five stages of convolutions.

    Args:
        hidden_features: the width of each hidden layer, such as ``(4096, 4096)``.
        dropout: the probability of a zero behind each hidden ReLU; None leaves the dropout layers out.
    """
    classifier = nn.Sequential()
    classifier.add_module("flatten", nn.Flatten())
    for number, width in enumerate(hidden_features, start=6):
        classifier.add_module(f"fc{number}", nn.Linear(in_features, width))
        classifier.add_module(f"relu{number}", nn.ReLU())
        if dropout is not None:
            classifier.add_module(f"drop{number}", nn.Dropout(dropout))
        in_features = width
    classifier.add_module(f"fc{6 + len(hidden_features)}", nn.Linear(in_features, num_classes))
    return classifier


class LocalResponseNorm(nn.LocalResponseNorm):
    """Response normalisation as AlexNet's paper writes it: ``b = a / (k + alpha * sum(a^2))^beta``, any shape kept.

    (N, C, H, W) -> (N, C, H, W); the sum runs over the ``size`` channels around each one, at the same position.
    Torch's layer takes the mean of the squares, not their sum: its ``alpha`` must be ``size`` times as large for the
    same result. This one also takes bfloat16 on the CPU, and is faster there.

    Source: Krizhevsky, Sutskever, Hinton 2012, section 3.3.
    """

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, H, W)."""
        around = F.pad(x.square(), (0, 0, 0, 0, self.size // 2, (self.size - 1) // 2))
        return x / (self.k + self.alpha * around.unfold(1, self.size, 1).sum(-1)) ** self.beta


def local_response_norm(size: int = 5, alpha: float = 1e-4, beta: float = 0.75, k: float = 2.0) -> LocalResponseNorm:
    """``LocalResponseNorm`` with the constants of AlexNet's paper."""
    return LocalResponseNorm(size, alpha, beta, k)


def initialize(
    network: nn.Module, weight: Callable[[Tensor], Any], bias: Callable[[Tensor], Any] = nn.init.zeros_
) -> None:
    """Fill the weights and biases of every convolution and linear layer, with functions such as ``nn.init.zeros_``."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            weight(layer.weight)
            if layer.bias is not None:
                bias(layer.bias)


def round_channels(channels: float, multiple: int = 8) -> int:
    """The multiple of ``multiple`` nearest to ``channels``, at least one, and never below 90 % of ``channels``.

    The rule of the programs of MobileNet v2 and EfficientNet, for widths that a multiplier makes.
    """
    rounded = max(multiple, int(channels + multiple / 2) // multiple * multiple)
    return rounded if rounded >= 0.9 * channels else rounded + multiple


def match_state_dict(network: nn.Module, state_dict: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of ``state_dict`` under the names that ``network`` uses, paired in order of registration.

    For weights of another implementation of the same network, torchvision's for instance: it registers the same
    tensors in the same order under other names. ``network.load_state_dict(match_state_dict(network, theirs))``.

    Raises:
        ValueError: the numbers of tensors differ, or two tensors of a pair differ in shape.
    """
    ours = network.state_dict()
    if len(ours) != len(state_dict):
        raise ValueError(f"state_dict of {type(network).__name__} must hold {len(ours)} tensors, got {len(state_dict)}")
    for (name, tensor), (their_name, theirs) in zip(ours.items(), state_dict.items(), strict=True):
        if tensor.shape != theirs.shape:
            raise ValueError(
                f"state_dict[{their_name!r}] must have the shape of {name!r}, {tuple(tensor.shape)}, "
                f"got {tuple(theirs.shape)}"
            )
    return dict(zip(ours, state_dict.values(), strict=True))
