"""What a tensor of a pass remembers: its receptive field, and the rows that it comes from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from torch import Tensor
from torch.nn import Parameter

from course_lib.arithmetic import ReceptiveField
from course_lib.complexity.functions import Kind

ATTRIBUTE = "_course_trace"


class Trace(NamedTuple):
    """A tensor without a trace, such as a parameter, does not depend on the model's input."""

    field: ReceptiveField | None
    rows: tuple[int, ...]


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
        if trace is not None:
            setattr(tensor, ATTRIBUTE, Trace(trace.field, (row,)))


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


def derive(kind: Kind, args: tuple, kwargs: dict[str, Any], output: Tensor, sources: Sequence[Tensor]) -> Trace | None:
    """The trace of a function's output; None if nothing that went in depends on the model's input."""
    data, rows = [], ()
    field_rule = kind.field
    for tensor in sources:
        if type(tensor) is Parameter:
            continue
        trace = getattr(tensor, ATTRIBUTE, None)
        if trace is not None:
            if trace.field is None:
                field_rule = None
            data.append((tensor, trace.field))
            rows = joined(rows, trace.rows)
    if not data:
        return None
    return Trace(field_rule(args, kwargs, output, data) if field_rule is not None else None, rows)
