"""Shapes in networks, and what their layers see. The arguments are those of ``networks``; ``call`` picks among several
calls of one layer, from 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from course_suite.ledger.quantities import quantity
from course_suite.ledger.quantities.networks import analysis, names_of

if TYPE_CHECKING:
    from course_lib.complexity.rows import Row

TEXTS = {"chw": "{c}x{h}x{w}", "hwc": "{h}x{w}x{c}", "hw": "{h}x{w}", "maps@hxw": "{c}@{h}x{w}"}
NUMBERS = {"list": slice(None), "channels": 0, "side": 1}


def _row(model: str, layer: str, call: int, **where: Any) -> Row:
    """One call of one layer; the first unless ``call`` says otherwise."""
    found = analysis(model, **where)
    rows = [row for row in found.rows if row.name == layer]
    if not rows:
        raise ValueError(f"{model} has no layer {layer!r}; it has {names_of(found)}")
    return rows[call]


@quantity
def output_shape(
    model: str,
    layer: str,
    format: str = "chw",  # noqa: A002
    options: dict[str, Any] | None = None,
    image: list[int] | None = None,
    training: bool = False,
    call: int = 0,
) -> Any:
    """What a layer puts out, as chw "64x28x28", hwc "28x28x64", hw, ``maps@hxw``, list, side, channels."""
    row = _row(model, layer, call, options=options, image=image, training=training)
    return shape_text(row.output_shape[1:], format)


def shape_text(shape: tuple[int, ...], form: str) -> Any:
    """A shape (C, H, W), or (C,) as 1x1 maps, in one of the formats."""
    c, h, w = (*shape, 1, 1)[:3]
    if form in NUMBERS:
        return [c, h, w][NUMBERS[form]]
    if form not in TEXTS:
        raise ValueError(f"format must be one of {', '.join((*TEXTS, *NUMBERS))}, got {form!r}")
    return TEXTS[form].format(c=c, h=h, w=w)
