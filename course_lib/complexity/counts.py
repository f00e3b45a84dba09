"""How many multiply-adds a function needs: one rule a function, from the shapes that go in and come out.

Biases are not counted. A product of two tensors element by element, as in squeeze-and-excitation, is not a
multiply-add: nothing is summed. So it counts 0, like activations, normalisation and pooling.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod
from typing import Any

from torch import Tensor
from torch.utils._python_dispatch import _disable_current_modes

Rule = Callable[[tuple, dict[str, Any], Any], int]
Rules = Mapping[Any, Callable[..., int]]  # a user's own, by the name of an operation, a function, or a class of layers


def conv_rule(args: tuple, kwargs: dict[str, Any], output: Tensor) -> int:
    """Each output value sums one kernel over the input channels of its group: ``weight`` is (C_out, C_in / g, ...)."""
    weight = _weight(args, kwargs)
    return output.numel() * (weight.numel() // max(1, weight.shape[0]))


def conv_transpose_rule(args: tuple, kwargs: dict[str, Any], output: Tensor) -> int:  # noqa: ARG001
    """Each input value is multiplied by one kernel for each output channel: ``weight`` is (C_in, C_out / g, ...)."""
    values, weight = _input(args, kwargs), _weight(args, kwargs)
    return values.numel() * prod(weight.shape[1:])


def linear_rule(args: tuple, kwargs: dict[str, Any], output: Tensor) -> int:
    """Each output value sums over the last axis of the input."""
    return output.numel() * _input(args, kwargs).shape[-1]


def matmul_rule(args: tuple, kwargs: dict[str, Any], output: Tensor) -> int:
    """Each output value sums over the last axis of the left factor."""
    left = args[0] if args else kwargs.get("input", kwargs.get("mat1"))
    return output.numel() * left.shape[-1]


def rmatmul_rule(args: tuple, kwargs: dict[str, Any], output: Tensor) -> int:  # noqa: ARG001
    """``left @ right`` asked of ``right``: the left factor is the second argument."""
    return output.numel() * args[1].shape[-1]


def added_matmul_rule(args: tuple, kwargs: dict[str, Any], output: Tensor) -> int:
    """``addmm(bias, left, right)`` and its like: the product only, the addition is a bias."""
    left = args[1] if len(args) > 1 else kwargs.get("mat1", kwargs.get("batch1", kwargs.get("mat")))
    return output.numel() * left.shape[-1]


def batch_matmul_sum_rule(args: tuple, kwargs: dict[str, Any], output: Tensor) -> int:
    """``addbmm(bias, left, right)``: each output value sums over the batch too; ``left`` is (b, n, m)."""
    left = args[1] if len(args) > 1 else kwargs["batch1"]
    return output.numel() * left.shape[0] * left.shape[-1]


def attention_rule(args: tuple, kwargs: dict[str, Any], output: Any) -> int:
    """Scores of every query with every key, then their mixture of values: (..., L, E), (..., S, E), (..., S, E_v)."""
    query, key = (*args, *(kwargs[name] for name in ("query", "key")[len(args) :]))[:2]
    return prod(output.shape[:-1]) * key.shape[-2] * (query.shape[-1] + output.shape[-1])


def _input(args: tuple, kwargs: dict[str, Any]) -> Tensor:
    return args[0] if args else kwargs["input"]


def _weight(args: tuple, kwargs: dict[str, Any]) -> Tensor:
    return args[1] if len(args) > 1 else kwargs["weight"]


FUNCTION_RULES: dict[str, Rule] = {
    **dict.fromkeys(("conv1d", "conv2d", "conv3d"), conv_rule),
    **dict.fromkeys(("conv_transpose1d", "conv_transpose2d", "conv_transpose3d"), conv_transpose_rule),
    "linear": linear_rule,
    **dict.fromkeys(("matmul", "mm", "bmm", "mv", "dot", "vdot", "inner"), matmul_rule),
    "rmatmul": rmatmul_rule,
    **dict.fromkeys(("addmm", "addmv", "baddbmm"), added_matmul_rule),
    "addbmm": batch_matmul_sum_rule,
    "scaled_dot_product_attention": attention_rule,
}


def _aten_convolution(args: tuple, kwargs: dict[str, Any], output: Tensor) -> int:
    transposed = args[6] if len(args) > 6 else kwargs.get("transposed", False)
    return (conv_transpose_rule if transposed else conv_rule)(args, kwargs, output)


def _grouped_matmul_rule(args: tuple, kwargs: dict[str, Any], output: Tensor) -> int:  # noqa: ARG001
    """Rows of one matrix, each multiplied by the matrix of its group: (n, k), (g, k, m) -> (n, m)."""
    left, right = args[:2]
    if left.dim() == right.dim() == 2:  # (n, k), (k, m) -> (g, n, m), each group on its part of k
        return left.shape[0] * left.shape[1] * right.shape[1]
    return output.numel() * left.shape[-1]


# The same rules for torch's inner operations, reached when a function is made of several.
ATEN_RULES: dict[str, Rule] = {
    **dict.fromkeys(("convolution", "_convolution", "convolution_overrideable"), _aten_convolution),
    **dict.fromkeys(
        "_slow_conv2d_forward slow_conv3d_forward slow_conv_dilated2d slow_conv_dilated3d".split(), conv_rule
    ),
    **dict.fromkeys(("_conv_depthwise2d", "conv_depthwise3d"), conv_rule),
    **dict.fromkeys(("slow_conv_transpose2d", "slow_conv_transpose3d"), conv_transpose_rule),
    **dict.fromkeys(("_int_mm", "_scaled_mm"), matmul_rule),
    **dict.fromkeys(("mm", "bmm", "mv", "dot", "vdot"), matmul_rule),
    **dict.fromkeys(("addmm", "addmv", "baddbmm", "_addmm_activation"), added_matmul_rule),
    "addbmm": batch_matmul_sum_rule,
    "_grouped_mm": _grouped_matmul_rule,
    **dict.fromkeys(
        (
            "_scaled_dot_product_flash_attention",
            "_scaled_dot_product_flash_attention_for_cpu",
            "_scaled_dot_product_efficient_attention",
            "_scaled_dot_product_cudnn_attention",
            "_scaled_dot_product_fused_attention_overrideable",
        ),
        attention_rule,
    ),
}


def _quantized_rule(args: tuple, kwargs: dict[str, Any], output: Tensor) -> int:
    """The packed weight tells its shape when it is unpacked: (C_out, C_in / groups, ...) or (out, in)."""
    packed = args[1] if len(args) > 1 else next(value for key, value in kwargs.items() if "weight" in key)
    with _disable_current_modes():
        weight = packed.unpack()[0]
    return output.numel() * prod(weight.shape[1:])


QUANTIZED_RULES: dict[str, Rule] = dict.fromkeys(
    [f"{name}{tail}" for name in ("linear", "conv1d", "conv2d", "conv3d") for tail in ("", "_relu", "_dynamic")]
    + ["linear_relu_dynamic", "conv2d_add_relu"],
    _quantized_rule,
)
