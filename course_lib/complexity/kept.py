"""What autograd keeps of a forward pass for the backward pass, and what the backward pass multiplies.

Keeping follows torch's own ``derivatives.yaml``: each derivative names the arguments and results that it needs. What
is not listed here keeps its tensors' arguments, the commonest way. Figures are those of a CPU: a GPU keeps a dropout's
mask in a byte, and other workspaces.

The backward pass of ``A @ B`` has two products of the size of the forward one: the gradient of A and that of B, each
only where something that is trained stands behind it. Attention computes its scores again besides, as fused kernels do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

from torch import Tensor

from course_lib.complexity.memory import Memory

NOTHING = frozenset(
    """
    add sub rsub radd neg cat concat concatenate stack mean sum view reshape flatten permute transpose t squeeze
    unsqueeze contiguous chunk split tensor_split getitem setitem expand expand_as clone movedim moveaxis swapaxes
    swapdims unflatten unbind narrow select unfold view_as broadcast_to ravel T mT H mH data real imag interpolate
    upsample roll flip to cpu cuda type_as float half double bfloat16 zeros_like ones_like full_like copy copy_ to_copy
    unsafe_view alias slice split_with_sizes constant_pad_nd pixel_shuffle pixel_unshuffle channel_shuffle repeat tile
    im2col col2im unfold fold diagonal cumsum as_strided tril triu floor ceil round sign fill zero bernoulli detach
    lift_fresh reshape_alias add_ sub_ diag_embed upsample_nearest2d upsample_bilinear2d upsample_nearest1d
    upsample_linear1d upsample_bicubic2d upsample_nearest3d upsample_trilinear3d
    view_as_real view_as_complex
    repeat_interleave avg_pool1d empty_like rand_like randn_like new_zeros new_ones isnan logical_not
    trace requires_grad
    """.split()
)
OUTPUT = frozenset(
    """relu sigmoid tanh exp exp2 expm1 rsqrt sqrt reciprocal softmax log_softmax safe_softmax tan selu_ elu_ celu_
    leaky_relu_""".split()
)
# Products: which arguments the two factors are.
FACTORS = {
    **dict.fromkeys("mul div matmul rmatmul mm bmm mv dot vdot inner linear rmul rtruediv rdiv".split(), (0, 1)),
    **dict.fromkeys(("addmm", "addmv", "baddbmm", "addbmm", "addmm_activation", "addcmul"), (1, 2)),
}
CONVOLUTIONS = frozenset("convolution conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d".split())
WINDOWS = frozenset(
    """max_pool1d max_pool2d max_pool3d max_pool2d_with_indices max_pool3d_with_indices adaptive_max_pool1d
    adaptive_max_pool2d adaptive_max_pool3d fractional_max_pool2d fractional_max_pool3d""".split()
)
ATTENTION = frozenset(
    """scaled_dot_product_attention scaled_dot_product_flash_attention scaled_dot_product_flash_attention_for_cpu
    scaled_dot_product_efficient_attention scaled_dot_product_cudnn_attention
    scaled_dot_product_fused_attention_overrideable""".split()
)
NORMS = frozenset("layer_norm native_layer_norm rms_norm".split())
DROPOUTS = frozenset("dropout dropout1d dropout2d dropout3d feature_dropout alpha_dropout".split())
FACTOR_NAMES = {"linear": ("input", "weight"), "addmm": ("mat1", "mat2"), "baddbmm": ("batch1", "batch2")}
WAYS: dict[str, str] = {
    **dict.fromkeys(NOTHING, "nothing"),
    **dict.fromkeys(OUTPUT, "output"),
    **dict.fromkeys(FACTORS, "product"),
    **dict.fromkeys(DROPOUTS, "dropout"),
    # the input alone: parameters take no memory of their own, statistics hardly any
    **dict.fromkeys((*CONVOLUTIONS, "batch_norm", "gelu", "silu", "hardswish", "adaptive_avg_pool2d"), "first"),
    # only the places that they pick, not the values
    **dict.fromkeys(
        "index index_select embedding scatter scatter_add index_fill masked_fill topk sort where".split(), "places"
    ),
    "pad": "pad",
}
Needs = Callable[[Any], bool]


def keep(
    memory: Memory, name: str, args: tuple, kwargs: dict[str, Any], output: Tensor, needs: Needs, in_place: bool
) -> None:
    """Book in ``memory`` what one function keeps; ``needs`` tells whether a tensor gets a gradient."""
    way = WAYS.get(name)
    if way == "nothing":
        return
    if way == "first" and args and not in_place:
        memory.keep(args[0])
        if name in CONVOLUTIONS and len(args) > 1:
            memory.keep(args[1])  # one that is computed; a parameter takes no more
    elif way == "output" or (in_place and f"{name}_" in OUTPUT):
        memory.keep(output)
    elif way == "product":
        left, right = factors(name, args, kwargs)
        if needs(right) and isinstance(left, Tensor):
            memory.keep_more(_bytes(output)) if in_place else memory.keep(left)
        if needs(left) and isinstance(right, Tensor):
            memory.keep(right)
    elif way == "places":
        for value in tensors_among(args, kwargs):
            if not value.is_floating_point():
                memory.keep(value)
    elif way == "dropout":
        if _is_on(args, kwargs):
            memory.keep_more(_bytes(output) if name == "dropout" else 0)
    elif way == "pad":
        if kwargs.get("mode", "constant") != "constant":
            memory.keep(args[0])
    elif in_place:
        memory.keep_more(_bytes(output))  # a copy of what it was
    else:
        for value in tensors_among(args, kwargs):
            memory.keep(value)
        if name in WINDOWS:
            memory.keep_more(output.numel() * 8)  # which pixel was the largest, in 64 bits
        elif name in ATTENTION:
            memory.keep(output)
            memory.keep_more(attention_bytes(args, kwargs, output))
        elif name in NORMS:
            sizes = args[1] if len(args) > 1 else kwargs["normalized_shape"]
            memory.keep_more(2 * _bytes(output) // max(1, prod(output.shape[-len(sizes) :])))


def attention_bytes(args: tuple, kwargs: dict[str, Any], output: Tensor) -> int:
    """Fused: a sum for each query. With dropout: the weights of all pairs, their mask, and both together."""
    rate = args[4] if len(args) > 4 else kwargs.get("dropout_p", 0.0)
    queries = output.numel() // max(1, output.shape[-1])
    if not rate:
        return queries * 4
    key = args[1] if len(args) > 1 else kwargs["key"]
    return queries * key.shape[-2] * output.element_size() * 3


def backward_macs(name: str, macs: int, args: tuple, kwargs: dict[str, Any], needs: Needs) -> int:
    """Multiply-adds of the gradients of one function that has ``macs`` itself."""
    if name in ATTENTION:
        return macs * 5 // 2
    if name in CONVOLUTIONS:
        if len(args) > 1:
            return macs * (needs(args[0]) + needs(args[1]))
        left, right = args[0] if args else kwargs.get("input"), kwargs.get("weight")
    elif name in FACTORS:
        left, right = factors(name, args, kwargs)
    else:
        return 2 * macs
    return macs * (needs(left) + needs(right))


def factors(name: str, args: tuple, kwargs: dict[str, Any]) -> tuple[Any, Any]:
    """The two factors of a product, wherever they stand."""
    names = FACTOR_NAMES.get(name, ("input", "other"))
    first = FACTORS[name][0]
    pair = (args[place] if len(args) > place else kwargs.get(key) for place, key in enumerate(names, first))
    left, right = pair
    return left, right


def tensors_among(args: tuple, kwargs: dict[str, Any]) -> list[Tensor]:
    found = []
    for value in (*args, *kwargs.values()):
        if isinstance(value, Tensor):
            found.append(value)
        elif isinstance(value, list | tuple):
            found += [part for part in value if isinstance(part, Tensor)]
    return found


def _is_on(args: tuple, kwargs: dict[str, Any]) -> bool:
    rate = args[1] if len(args) > 1 else kwargs.get("p", 0.5)
    training = args[2] if len(args) > 2 else kwargs.get("training", kwargs.get("train", True))
    return bool(training) and rate > 0


def _bytes(tensor: Tensor) -> int:
    return tensor.numel() * tensor.element_size()


# Numbers of the size of a hidden state that each step keeps: of torch's own GRU and RNN counted by hand; of the LSTM
# measured, one way and both ways, since its library keeps a workspace of its own.
RECURRENT = {"lstm": (17, 21), "gru": (7, 7), "rnn_tanh": (1, 1), "rnn_relu": (1, 1)}


def recurrent_bytes(name: str, sources: Sequence[Tensor], output: Any) -> int:
    """What a recurrent layer keeps: each layer's input, and a few hidden states a step."""
    values = sources[0]
    matrices = [tensor for tensor in sources[1:] if tensor.dim() == 2 and tensor.shape[0] > 1]
    steps = values.numel() // max(1, values.shape[-1])
    pairs = list(zip(matrices[::2], matrices[1::2], strict=False))
    both_ways = output[0].shape[-1] == 2 * pairs[-1][1].shape[1] if pairs else False
    numbers = sum(steps * RECURRENT[name][both_ways] * hidden.shape[1] for _, hidden in pairs)
    inputs = sum(steps * into.shape[1] for into, _ in pairs[:: 2 if both_ways else 1])
    return (numbers + inputs) * values.element_size()
