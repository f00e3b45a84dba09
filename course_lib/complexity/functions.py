"""What is known of torch's functions: which of them count, which only rearrange, which only ask."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from torch import Tensor
from torch._ops import OpOverload, OpOverloadPacket

from course_lib.complexity.counts import FUNCTION_RULES, Rule, Rules
from course_lib.complexity.field_rules import FIELD_RULES
from course_lib.complexity.fields import FieldRule
from course_lib.complexity.shortcuts import SHORTCUTS, Shortcut

# Functions that sum no products and are common enough to be let through without a look inside.
FREE = frozenset(
    """
    add sub mul div radd rsub rmul rtruediv pow neg cat concat stack relu relu6 leaky_relu prelu elu selu celu gelu silu
    mish sigmoid tanh hardswish hardsigmoid hardtanh softmax log_softmax softplus dropout dropout1d dropout2d max_pool1d
    max_pool2d max_pool2d_with_indices max_pool3d avg_pool1d avg_pool2d avg_pool3d adaptive_avg_pool1d
    adaptive_avg_pool2d adaptive_avg_pool3d adaptive_max_pool2d mean sum amax amin batch_norm layer_norm group_norm
    instance_norm local_response_norm pad interpolate square sqrt exp abs roll where
    float half double bfloat16
    """.split()
)
# Those of them that only rearrange or make tensors: no rows, unless they take memory.
SILENT = frozenset(
    """
    view reshape flatten permute transpose t squeeze unsqueeze contiguous chunk split tensor_split detach getitem
    setitem expand expand_as clone movedim moveaxis swapaxes swapdims unflatten unbind narrow select unfold view_as
    broadcast_to ravel requires_grad T mT H mH data real imag
    zeros ones empty full arange linspace tensor as_tensor eye zeros_like ones_like empty_like full_like new_zeros
    new_ones new_empty new_full new_tensor rand randn rand_like randn_like
    """.split()
)
# Questions to a tensor: the answer is no tensor. A tensor with values may answer them, one with a shape alone refuses.
ASKS = frozenset(
    """
    size dim ndimension numel nelement stride storage_offset element_size is_contiguous is_floating_point is_complex
    is_signed is_same_size item tolist get_device is_nonzero is_shared is_pinned __len__ __bool__ __int__ __float__
    __complex__ __index__ __format__ __repr__ __hash__ _set_grad_enabled
    """.split()
)
# Of those, the ones that are answered for the model's own device, or that must not be answered by a stale value.
PLACES = frozenset("device is_meta is_cpu is_cuda get_device".split())
VALUES = frozenset("item tolist is_nonzero bool int float complex index format set_grad_enabled".split())
# Functions that make a tensor of given values, and those that make one like another.
MAKERS = frozenset(
    """zeros ones empty full rand randn randint randperm arange linspace logspace eye tril_indices triu_indices
    empty_strided tensor as_tensor hann_window hamming_window scalar_tensor from_numpy""".split()
)
LIKES = {
    **dict.fromkeys(("zeros_like", "new_zeros"), 0),
    **dict.fromkeys(("ones_like", "new_ones"), 1),
}
TENSOR_ATTRIBUTES = frozenset({"T", "mT", "H", "mH", "data", "real", "imag"})
MOVES = frozenset({"to", "cpu", "cuda", "type_as", "pin_memory"})


class Kind(NamedTuple):
    """What an analysis knows of one function."""

    name: str
    asks: bool = False
    careful: bool = False  # a question whose answer depends on where the tensor is, or on its values
    makes: bool = False
    in_place: bool = False
    moves: bool = False
    silent: bool = False
    known: bool = False  # by a rule, or as one that sums no products: no need to look inside
    rule: Rule | None = None
    shortcut: Shortcut | None = None
    field: FieldRule | None = None


def classify(func: Callable[..., Any], rules: Rules) -> Kind:
    """What is known of ``func``; of a function that is not torch's own only its name. A user's rule comes first."""
    full = getattr(func, "__name__", None) or type(func).__name__
    if rules and func in rules:
        return Kind(full.strip("_"), known=True, rule=rules[func])
    if full == "__get__":
        attribute = getattr(getattr(func, "__self__", None), "__name__", "")
        return (
            Kind(attribute, silent=True, known=True)
            if attribute in TENSOR_ATTRIBUTES
            else Kind(attribute, asks=True, careful=attribute in PLACES)
        )
    in_place = full.endswith("_") and not full.endswith("__")
    name = full.strip("_")
    if full.startswith("__i") and name[1:] in ("add", "sub", "mul", "truediv"):
        name, in_place = name[1:], True
    name = "div" if name in ("truediv", "true_divide", "divide") else name
    if not _is_torchs(func):
        return Kind(full)
    if full in ASKS:
        return Kind(name, asks=True, careful=name in VALUES or name in PLACES)
    rule, silent = FUNCTION_RULES.get(name), name in SILENT
    return Kind(
        name,
        makes=name in MAKERS,
        in_place=in_place or name == "setitem",
        moves=name in MOVES,
        silent=silent,
        known=rule is not None or silent or name in FREE,
        rule=rule,
        shortcut=SHORTCUTS.get(f"{name}_" if in_place else name),
        field=FIELD_RULES.get(name),
    )


def _is_torchs(func: Callable[..., Any]) -> bool:
    """Whether ``func`` is a function or method of torch, so that its name means what it means there."""
    if isinstance(func, OpOverload | OpOverloadPacket):
        return False
    owner = getattr(func, "__objclass__", None)
    if owner is not None:
        return issubclass(Tensor, owner)
    module = getattr(func, "__module__", None) or ""
    return module == "torch" or module.startswith(
        ("torch.nn.functional", "torch.functional", "torch._tensor", "torch._C")
    )
