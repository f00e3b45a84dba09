"""Receptive fields that travel with the tensors of an analysis: each tensor remembers what its pixels see.

A field is defined for maps (N, C, H, W), further axes behind them allowed, that slide over the input: by convolutions,
poolings, padding, strided slices, and functions that work pixel by pixel. Where a pixel sees the input in another way,
as behind an upsampling, a squeeze-and-excitation or a flattening, it is not defined. Batch normalisation counts as
pixel by pixel, as it is in inference; normalisations over a whole map do not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Any

from torch import Tensor

from course_lib.arithmetic import Layer, ReceptiveField, join_receptive_fields, receptive_field
from course_lib.arithmetic.receptive_field import INPUT_PIXEL

# A rule gets the arguments, the output, and (tensor, field) for each tensor among the arguments that depends on the
# model's input; their fields are all defined.
Data = Sequence[tuple[Tensor, ReceptiveField]]
FieldRule = Callable[[tuple, dict[str, Any], Tensor, Data], ReceptiveField | None]

POINTWISE = """
    add sub mul div radd rsub rmul rtruediv pow neg abs exp log sqrt rsqrt square clamp clamp_min clamp_max maximum
    minimum cat concat concatenate where lerp addcmul relu relu6 leaky_relu prelu rrelu elu selu celu gelu silu mish
    hardswish hardsigmoid hardtanh sigmoid tanh softplus softsign logsigmoid threshold dropout dropout1d dropout2d
    alpha_dropout feature_alpha_dropout batch_norm local_response_norm clone contiguous detach requires_grad to cpu
    cuda type_as float half double bfloat16 chunk split tensor_split data
"""
ARGUMENTS = ("kernel_size", "stride", "padding", "dilation")
POSITIONS = {  # of those arguments; None where the function has no such argument
    "max_pool2d": (1, 2, 3, 4),
    "max_pool2d_with_indices": (1, 2, 3, 4),
    "avg_pool2d": (1, 2, 3, None),
}


def _pointwise(args: tuple, kwargs: dict[str, Any], output: Tensor, data: Data) -> ReceptiveField | None:  # noqa: ARG001
    """Pixel (i, j) of the output depends on pixel (i, j) of each input."""
    sizes, (tensor, field) = output.shape[2:4], data[0]
    if len(data) == 1:
        return field if output.dim() > 3 and tensor.dim() > 3 and tensor.shape[2:4] == sizes else None
    if output.dim() < 4 or any(other.dim() < 4 or other.shape[2:4] != sizes for other, _ in data):
        return None
    fields = tuple(dict.fromkeys(other for _, other in data))
    return field if len(fields) == 1 else _join(fields)


def _conv(args: tuple, kwargs: dict[str, Any], output: Tensor, data: Data) -> ReceptiveField | None:
    if output.dim() != 4 or len(data) != 1:
        return None
    if len(args) < 6:  # weight, bias, stride, padding, dilation
        given = {"stride": 1, "padding": 0, "dilation": 1, **kwargs}
        args = (
            *args,
            *[given.get(name) for name in ("input", "weight", "bias", "stride", "padding", "dilation")[len(args) :]],
        )
    kernel, stride, padding, dilation = args[1].shape[2:], *map(_hashable, args[3:6])
    if padding == "same":
        sizes = list(zip(_pair(dilation), kernel, strict=True))
        padding = None if any(d * (k - 1) % 2 for d, k in sizes) else tuple(d * (k - 1) // 2 for d, k in sizes)
    return (
        None if padding is None else _slide(data[0][1], kernel, stride, 0 if padding == "valid" else padding, dilation)
    )


def _pool(positions: tuple[int | None, ...]) -> FieldRule:
    def rule(args: tuple, kwargs: dict[str, Any], output: Tensor, data: Data) -> ReceptiveField | None:  # noqa: ARG001
        found = {}
        for name, position in zip(ARGUMENTS, positions, strict=True):
            given = args[position] if position is not None and len(args) > position else kwargs.get(name)
            found[name] = None if given in (None, [], ()) else _hashable(given)
        kernel, stride = found["kernel_size"], found["stride"] or found["kernel_size"]
        return _slide(data[0][1], kernel, stride, found["padding"] or 0, found["dilation"] or 1)

    return rule


def _adaptive(args: tuple, kwargs: dict[str, Any], output: Tensor, data: Data) -> ReceptiveField | None:  # noqa: ARG001
    """An adaptive pooling is an ordinary one where the output's size divides the input's."""
    values, field = data[0]
    sizes = tuple(zip(values.shape[2:], output.shape[2:], strict=True))
    if values.dim() != 4 or any(size % out for size, out in sizes):
        return None
    kernel = tuple(size // out for size, out in sizes)
    return _slide(field, kernel, kernel, 0, 1)


def _pad(args: tuple, kwargs: dict[str, Any], output: Tensor, data: Data) -> ReceptiveField | None:  # noqa: ARG001
    """Borders move the first pixel; mirrored ones are taken like zeros, as pixels outside the image."""
    values, field = data[0]
    borders = list(args[1] if len(args) > 1 else kwargs["pad"])
    if values.dim() != 4 or kwargs.get("mode", "constant") == "circular" or "circular" in args[2:]:
        return None
    left, _, top, *_ = [*borders, 0, 0, 0]
    return _shift(field, (-top, -left), (1, 1))


def _getitem(args: tuple, kwargs: dict[str, Any], output: Tensor, data: Data) -> ReceptiveField | None:  # noqa: ARG001
    """Slices of rows and columns; what happens to images and channels does not matter."""
    values, field = data[0]
    index = args[1] if isinstance(args[1], tuple) else (args[1],)
    if values.dim() != 4 or output.dim() != 4 or not all(isinstance(part, slice) for part in index):
        return None
    rows, columns = (part.indices(size) for part, size in zip((*index, *[slice(None)] * 4)[2:4], values.shape[2:4]))  # noqa: B905
    return _shift(field, (rows[0], columns[0]), (rows[2], columns[2]))


def _reduce(args: tuple, kwargs: dict[str, Any], output: Tensor, data: Data) -> ReceptiveField | None:
    """A sum, mean or largest value over axes other than those of the pixels."""
    values, field = data[0]
    axes = args[1] if len(args) > 1 else kwargs.get("dim")
    axes = [axes] if isinstance(axes, int) else axes
    if values.dim() < 4 or not axes or not all(isinstance(axis, int) for axis in axes):
        return None
    axes = [axis % values.dim() for axis in axes]
    kept = (args[2] if len(args) > 2 else kwargs.get("keepdim", False)) or min(axes) > 3
    return field if kept and output.shape[2:4] == values.shape[2:4] and not {2, 3} & set(axes) else None


def _unfold(args: tuple, kwargs: dict[str, Any], output: Tensor, data: Data) -> ReceptiveField | None:  # noqa: ARG001
    """``x.unfold(1, ...)``: windows over channels, their places on a new last axis."""
    values, field = data[0]
    return field if values.dim() == 4 and output.dim() == 5 and args[1] in (0, 1, -4, -3) else None


@lru_cache(maxsize=4096)
def _slide(start: ReceptiveField, kernel: Any, stride: Any, padding: Any, dilation: Any) -> ReceptiveField:
    """One window further; one number for both axes where they agree."""
    return receptive_field([Layer(*(_one(_pair(value)) for value in (kernel, stride, padding, dilation)))], start)


@lru_cache(maxsize=4096)
def _shift(field: ReceptiveField, first: tuple[int, int], step: tuple[int, int]) -> ReceptiveField | None:
    """The field when pixel ``first`` becomes pixel 0 and only every ``step``-th pixel stays."""
    if min(step) < 1:
        return None
    jump, offset = _pair(field.jump), _pair(field.offset)
    return ReceptiveField(
        field.size,
        _one(tuple(j * s for j, s in zip(jump, step, strict=True))),
        _one(tuple(o + Fraction(j * f) for o, j, f in zip(offset, jump, first, strict=True))),
    )


@lru_cache(maxsize=4096)
def _join(fields: tuple[ReceptiveField, ...]) -> ReceptiveField | None:
    try:
        return join_receptive_fields(fields)
    except ValueError:  # different jumps: the pixels do not belong together
        return None


def _pair(value: Any) -> tuple:
    values = tuple(value) if isinstance(value, list | tuple) else (value, value)
    return values if len(values) == 2 else (values[0], values[0])


def _hashable(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _one(pair: tuple) -> Any:
    return pair[0] if pair[0] == pair[1] else pair


def input_field(tensor: Tensor) -> ReceptiveField | None:
    """The field of the model's input."""
    return INPUT_PIXEL if tensor.dim() == 4 else None


FIELD_RULES: dict[str, FieldRule] = {
    **dict.fromkeys(POINTWISE.split(), _pointwise),
    **{name: _pool(positions) for name, positions in POSITIONS.items()},
    "conv2d": _conv,
    **dict.fromkeys(("adaptive_avg_pool2d", "adaptive_max_pool2d"), _adaptive),
    "pad": _pad,
    "getitem": _getitem,
    **dict.fromkeys(("sum", "mean", "amax", "amin"), _reduce),
    "unfold": _unfold,
}
__all__ = ["FIELD_RULES", "INPUT_PIXEL", "FieldRule"]
