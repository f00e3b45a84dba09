"""How functions change receptive fields: one rule a function."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from torch import Tensor

from course_lib.complexity.fields import Data, Field, FieldRule, along, joined_fields, keeping, pointwise
from course_lib.complexity.reach import Reach, resample, slide, slide_back

POINTWISE = """
    add sub mul div radd rsub rmul rtruediv pow neg abs exp log sqrt rsqrt square clamp clamp_min clamp_max maximum
    minimum where lerp addcmul relu relu6 leaky_relu prelu rrelu elu selu celu gelu silu mish hardswish hardsigmoid
    hardtanh sigmoid tanh softplus softsign logsigmoid threshold dropout dropout1d dropout2d dropout3d alpha_dropout
    feature_alpha_dropout batch_norm local_response_norm clone contiguous detach requires_grad to cpu cuda type_as float
    half double bfloat16 data sin cos erf reciprocal sign floor round channel_shuffle expand_as broadcast_to expand
    hardshrink softshrink tanhshrink eq ne gt lt ge le logical_and logical_or logical_not masked_fill nan_to_num
"""
VIEWS = """
    permute transpose t movedim moveaxis swapaxes swapdims T mT unsqueeze squeeze view reshape flatten unflatten chunk
    split tensor_split unbind narrow select view_as as_strided
"""
POOLS = {  # places of kernel_size, stride, padding, dilation; None where the function has no such argument
    **{f"max_pool{n}d{tail}": (1, 2, 3, 4) for n in (1, 2, 3) for tail in ("", "_with_indices")},
    **{f"avg_pool{n}d": (1, 2, 3, None) for n in (1, 2, 3)},
    **{f"lp_pool{n}d": (2, 3, None, None) for n in (1, 2, 3)},
}
NAMES = ("kernel_size", "stride", "padding", "dilation")


def _given(args: tuple, kwargs: dict[str, Any], place: int | None, name: str, default: Any) -> Any:
    value = args[place] if place is not None and len(args) > place else kwargs.get(name, default)
    return default if value is None or value in ([], ()) else value


def _each(value: Any, count: int) -> tuple:
    values = tuple(value) if isinstance(value, list | tuple) else (value,) * count
    return values * count if len(values) == 1 else values


def _map_axes(output: Tensor, count: int) -> list[int]:
    return list(range(output.dim() - count, output.dim()))


def _conv(count: int, *, transposed: bool) -> FieldRule:
    names = ("bias", "stride", "padding", "output_padding", "groups", "dilation")
    places = (
        {name: place for place, name in enumerate(names, 2)}
        if transposed
        else {"stride": 3, "padding": 4, "dilation": 5}
    )
    window = slide_back if transposed else slide

    def rule(args: tuple, kwargs: dict[str, Any], output: Tensor, data: Data) -> Field | None:
        weight = args[1] if len(args) > 1 else kwargs["weight"]
        if len(data) != 1 or data[0][0] is weight:
            return None
        strides, paddings, dilations = (
            _given(args, kwargs, places[name], name, default)
            for name, default in (("stride", 1), ("padding", 0), ("dilation", 1))
        )
        kernel, strides, dilations = weight.shape[2:], _each(strides, count), _each(dilations, count)
        if paddings == "same":
            paddings = tuple(d * (k - 1) // 2 for d, k in zip(dilations, kernel, strict=True))
        paddings = _each(0 if paddings == "valid" else paddings, count)
        axes = _map_axes(output, count)
        field = along(
            data[0][1], axes, lambda i, reach: window(reach, kernel[i], strides[i], paddings[i], dilations[i])
        )
        return field and keeping(field, lambda axis: axis if axis in axes else None)

    return rule


def _pool(count: int, places: tuple[int | None, ...]) -> FieldRule:
    def rule(args: tuple, kwargs: dict[str, Any], output: Tensor, data: Data) -> Field | None:
        kernel = _each(_given(args, kwargs, places[0], NAMES[0], None), count)
        strides = _each(_given(args, kwargs, places[1], NAMES[1], kernel), count)
        paddings = _each(_given(args, kwargs, places[2], NAMES[2], 0), count)
        dilations = _each(_given(args, kwargs, places[3], NAMES[3], 1), count)
        return along(
            data[0][1],
            _map_axes(output, count),
            lambda i, reach: slide(reach, kernel[i], strides[i], paddings[i], dilations[i]),
        )

    return rule


def _adaptive(count: int) -> FieldRule:
    """An adaptive pooling is an ordinary one where the output's size divides the input's."""

    def rule(args: tuple, kwargs: dict[str, Any], output: Tensor, data: Data) -> Field | None:  # noqa: ARG001
        values, field = data[0]
        sizes = list(zip(values.shape[-count:], output.shape[-count:], strict=True))
        if any(size % out for size, out in sizes):
            return None
        kernel = [size // out for size, out in sizes]
        return along(field, _map_axes(output, count), lambda i, reach: slide(reach, kernel[i], kernel[i], 0, 1))

    return rule


def _pad(args: tuple, kwargs: dict[str, Any], output: Tensor, data: Data) -> Field | None:
    """Borders move the first pixel; mirrored ones are taken like zeros, as pixels outside the image."""
    borders = list(args[1] if len(args) > 1 else kwargs["pad"])
    if kwargs.get("mode", "constant") == "circular" or "circular" in args[2:]:
        return None
    fronts = {output.dim() - 1 - place: front for place, front in enumerate(borders[::2])}
    axes = [axis for axis in data[0][1].axes if fronts.get(axis)]
    return along(data[0][1], axes, lambda i, reach: slide(reach, 1, 1, fronts[axes[i]], 1))


def _getitem(args: tuple, kwargs: dict[str, Any], output: Tensor, data: Data) -> Field | None:  # noqa: ARG001
    """Slices; an axis of which one place or a list of places is taken is no axis of the map any more."""
    values, field = data[0]
    index = list(args[1]) if isinstance(args[1], tuple) else [args[1]]
    if Ellipsis in [part for part in index if not isinstance(part, Tensor)]:
        place = next(i for i, part in enumerate(index) if part is Ellipsis)
        used = sum(part is not None for part in index) - 1
        index[place : place + 1] = [slice(None)] * (values.dim() - used)
    changed: dict[int, Reach | None] = {}
    places: dict[int, int | None] = {}
    old = new = 0
    for part in index + [slice(None)] * values.dim():
        if part is None:
            new += 1
            continue
        if old == values.dim():
            break
        if isinstance(part, slice):
            start, _, step = part.indices(values.shape[old])
            places[old] = new
            if old in field.axes and (start, step) != (0, 1):
                reach = field.reaches[field.axes.index(old)]
                changed[old] = slide(reach, 1, step, -start, 1) if step > 0 else None
            new += 1
        elif isinstance(part, int):
            places[old] = None
        elif isinstance(part, list) or (isinstance(part, Tensor) and part.dim() == 1 and len(index) <= values.dim()):
            if old in field.axes or sum(isinstance(other, list | Tensor) for other in index) > 1:
                return None
            new += 1
        else:
            return None
        old += 1
    sliced = along(field, list(changed), lambda i, _: changed[list(changed)[i]])
    return sliced and keeping(sliced, lambda axis: places.get(axis))


def _view(args: tuple, kwargs: dict[str, Any], output: Tensor, data: Data) -> Field | None:  # noqa: ARG001
    """An axis is where the same size and stride are, as long as nothing was copied."""
    values, field = data[0]
    if output.untyped_storage()._cdata != values.untyped_storage()._cdata:
        return field if output.shape == values.shape else None
    sizes, strides = list(output.shape), output.stride()

    def place(axis: int) -> int | None:
        found = [
            other for other in range(len(sizes))
            if sizes[other] == values.shape[axis] > 1 and strides[other] == values.stride(axis)
        ]  # fmt: skip
        return found[0] if len(found) == 1 else None

    return keeping(field, place)


def _over(default: Any, *, keeps: bool) -> FieldRule:
    """A function along some axes, which are mixed; the others stay, moved up unless the function ``keeps`` them."""

    def rule(args: tuple, kwargs: dict[str, Any], output: Tensor, data: Data) -> Field | None:
        values, field = data[0]
        if len(args) > 1 and isinstance(args[1], Tensor):
            return pointwise(args, kwargs, output, data)
        axes = args[1] if len(args) > 1 else kwargs.get("dim", default)
        axes = [axes] if isinstance(axes, int) else axes
        if not axes or not all(type(axis) is int for axis in axes):
            return None
        mixed = {axis % values.dim() for axis in axes}
        if keeps or output.dim() == values.dim():
            return keeping(field, lambda axis: None if axis in mixed else axis)
        return keeping(field, lambda axis: None if axis in mixed else axis - sum(other < axis for other in mixed))

    return rule


def _last(args: tuple, kwargs: dict[str, Any], output: Tensor, data: Data) -> Field | None:
    """A linear map or a normalisation of the last axes."""
    values, field = data[0]
    sizes = args[1] if len(args) > 1 else kwargs.get("normalized_shape", ())
    count = len(sizes) if isinstance(sizes, list | tuple) else 1
    if len(data) != 1 or values.dim() != output.dim():
        return None
    return keeping(field, lambda axis: axis if axis < values.dim() - count else None)


def _product(args: tuple, kwargs: dict[str, Any], output: Tensor, data: Data) -> Field | None:
    """``x @ w`` with a matrix that does not depend on the input."""
    return _last((args[0],), kwargs, output, data) if args[0] is data[0][0] and args[1].dim() == 2 else None


def _together(args: tuple, kwargs: dict[str, Any], output: Tensor, data: Data) -> Field | None:
    """``cat``, along another axis than the map's; ``stack``, which makes a new one."""
    axis = (args[1] if len(args) > 1 else kwargs.get("dim", 0)) % output.dim()
    new = output.dim() - data[0][0].dim()
    fields = [
        keeping(field, lambda place: None if new == 0 and place == axis else place + (new and place >= axis))
        for _, field in data
    ]
    return None if None in fields else joined_fields(tuple(dict.fromkeys(fields)))


def _resized(args: tuple, kwargs: dict[str, Any], output: Tensor, data: Data) -> Field | None:
    values, field = data[0]
    names = ("size", "scale_factor", "mode", "align_corners", "recompute_scale_factor")
    size, scale, mode, corners, again = (_given(args, kwargs, i, name, None) for i, name in enumerate(names, 1))
    count = values.dim() - 2
    mode = {None: "nearest", "bilinear": "linear", "trilinear": "linear", "bicubic": "cubic"}.get(mode, mode)
    if mode == "area":
        return _adaptive(count)(args, kwargs, output, data)
    scales = None if scale is None or again or size is not None else _each(scale, count)

    def change(i: int, reach: Reach) -> Reach | None:
        before, after = values.shape[2 + i], output.shape[2 + i]
        if corners and mode != "nearest":
            ratio = Fraction(max(before - 1, 0), max(after - 1, 1))
        else:
            ratio = 1 / Fraction(scales[i]).limit_denominator(1000) if scales else Fraction(before, after)
        return resample(reach, ratio, mode, bool(corners)) if ratio else None

    return along(field, list(range(2, values.dim())), change)


def _shuffled(args: tuple, kwargs: dict[str, Any], output: Tensor, data: Data) -> Field | None:  # noqa: ARG001
    values, field = data[0]
    before, after = values.shape[-1], output.shape[-1]
    axes = _map_axes(output, 2)
    if after >= before:
        return along(field, axes, lambda _, reach: resample(reach, Fraction(before, after), "nearest", False))
    factor = before // after
    return along(field, axes, lambda _, reach: slide(reach, factor, factor, 0, 1))


def _repeated(args: tuple, kwargs: dict[str, Any], output: Tensor, data: Data) -> Field | None:
    """Each place of an axis several times in a row."""
    values, field = data[0]
    axis = args[2] if len(args) > 2 else kwargs.get("dim")
    times = args[1] if len(args) > 1 else kwargs.get("repeats")
    if type(axis) is not int or type(times) is not int or output.dim() != values.dim():
        return None
    axes = [axis % values.dim()] if axis % values.dim() in field.axes else []
    return along(field, axes, lambda _, reach: resample(reach, Fraction(1, times), "nearest", False))


def _windows(args: tuple, kwargs: dict[str, Any], output: Tensor, data: Data) -> Field | None:
    """``x.unfold(axis, size, step)``: windows along one axis, their places on a new last one."""
    values, field = data[0]
    if output.dim() != values.dim() + 1 or kwargs or len(args) != 4:
        return None
    axes = [args[1] % values.dim()] if args[1] % values.dim() in field.axes else []
    return along(field, axes, lambda _, reach: slide(reach, args[2], args[3], 0, 1))


def _looked_up(args: tuple, kwargs: dict[str, Any], output: Tensor, data: Data) -> Field | None:  # noqa: ARG001
    return data[0][1] if len(data) == 1 and output.dim() == data[0][0].dim() + 1 else None


FIELD_RULES: dict[str, FieldRule] = {
    **dict.fromkeys(POINTWISE.split(), pointwise),
    **dict.fromkeys(VIEWS.split(), _view),
    **{name: _pool(int(name.split("pool")[1][0]), places) for name, places in POOLS.items()},
    **{f"conv{n}d": _conv(n, transposed=False) for n in (1, 2, 3)},
    **{f"conv_transpose{n}d": _conv(n, transposed=True) for n in (1, 2, 3)},
    **{f"adaptive_{kind}_pool{n}d": _adaptive(n) for n in (1, 2, 3) for kind in ("avg", "max")},
    **dict.fromkeys("sum mean amax amin prod std var norm logsumexp max min".split(), _over(None, keeps=False)),
    **dict.fromkeys("softmax log_softmax glu cumsum flip".split(), _over(-1, keeps=True)),
    "normalize": _over(1, keeps=True),
    **dict.fromkeys(("layer_norm", "rms_norm"), _last),
    "linear": lambda args, kwargs, output, data: _last((args[0] if args else None,), kwargs, output, data),
    "matmul": _product,
    **dict.fromkeys(("cat", "concat", "concatenate", "stack"), _together),
    **dict.fromkeys(("interpolate", "upsample"), _resized),
    **dict.fromkeys(("pixel_shuffle", "pixel_unshuffle"), _shuffled),
    "repeat_interleave": _repeated,
    "embedding": _looked_up,
    "pad": _pad,
    "getitem": _getitem,
    "unfold": _windows,
}
