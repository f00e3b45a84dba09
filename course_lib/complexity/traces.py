"""What a tensor of a pass remembers: its receptive field, and the rows that it comes from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from torch import Tensor

from course_lib.complexity.fields import Field
from course_lib.complexity.functions import Kind

ATTRIBUTE = "_course_trace"


class Trace(NamedTuple):
    """Where a tensor comes from; one without a trace, or without rows, does not depend on the model's input."""

    field: Field | None
    rows: tuple[int, ...]
    needs_grad: bool = False  # whether something that is trained stands behind it


def trace_of(tensor: Tensor) -> Trace | None:
    """What ``tensor`` remembers."""
    return getattr(tensor, ATTRIBUTE, None)


def mark(tensors: Iterable[Tensor], trace: Trace) -> None:
    """Let ``tensors`` remember ``trace``."""
    for tensor in tensors:
        setattr(tensor, ATTRIBUTE, trace)


def mark_row(tensors: Iterable[Tensor], row: int) -> None:
    """Let ``tensors`` come from ``row``, those that depend on the model's input at all."""
    for tensor in tensors:
        trace = trace_of(tensor)
        if trace is not None and trace.rows:
            setattr(tensor, ATTRIBUTE, Trace(trace.field, (row,), trace.needs_grad))


def rows_of(tensors: Iterable[Tensor]) -> tuple[int, ...]:
    """The rows that ``tensors`` come from, each once."""
    rows: tuple[int, ...] = ()
    for tensor in tensors:
        trace = getattr(tensor, ATTRIBUTE, None)
        if trace is not None:
            rows = joined(rows, trace.rows)
    return rows


def joined(rows: tuple[int, ...], others: tuple[int, ...]) -> tuple[int, ...]:
    """Both, each row once."""
    return others if not rows or rows == others else tuple(dict.fromkeys(rows + others))


# Functions whose result no gradient flows through.
CUTS = frozenset(
    "detach detach_copy data argmax argmin sign round floor ceil trunc bernoulli zeros_like ones_like".split()
)


def derive(
    kind: Kind,
    args: tuple,
    kwargs: dict[str, Any],
    output: Tensor,
    sources: Sequence[Tensor],
    trainable: frozenset[int],
    strangers: list[Tensor],
) -> Trace | None:
    """The trace of a function's output; None if nothing that went in depends on the model's input or is trained.

    What has no trace itself is added to ``strangers``.
    """
    data, rows, needs_grad = [], (), False
    field_rule = kind.field
    for tensor in sources:
        trace = getattr(tensor, ATTRIBUTE, None)
        if trace is not None:
            needs_grad = needs_grad or trace.needs_grad
            if trace.rows:
                if trace.field is None:
                    field_rule = None
                data.append((tensor, trace.field))
                rows = joined(rows, trace.rows)
        elif id(tensor) in trainable:
            needs_grad = True
        else:
            strangers.append(tensor)
    if needs_grad and (kind.name in CUTS or not (output.is_floating_point() or output.is_complex())):
        needs_grad = False
    if data:
        field = field_rule(args, kwargs, output, data) if field_rule is not None else None
        return Trace(field, rows, needs_grad)
    return Trace(None, (), needs_grad) if needs_grad else None
