"""An analysis as data: totals, JSON documents and CSV rows, with the unit of each number in its name."""

from __future__ import annotations

import csv
import io
from typing import Any

import torchinfo

from course_lib.complexity import Complexity, Row
from course_suite.subjects import Published, Shape, Subject

Pair = tuple[Subject, Complexity]


def totals(complexity: Complexity) -> dict[str, int]:
    """The totals of a network, with the unit of each in its name; bytes otherwise."""
    return {
        "params": complexity.params,
        "unused_params": complexity.unused_params,
        "macs": complexity.macs,
        "param_bytes": complexity.param_bytes,
        "buffer_bytes": complexity.buffer_bytes,
        "peak_activation_bytes": complexity.peak_activation_bytes,
        "training_activation_bytes": complexity.training_activation_bytes,
        "inference_bytes": complexity.forward_bytes,
        "training_bytes_with_momentum": complexity.training_bytes(),
    }


def torchinfo_totals(subject: Subject) -> dict[str, int] | None:
    """Parameters and multiply-adds as torchinfo counts them, with biases; None where it fails."""
    device = next((parameter.device for parameter in subject.model.parameters()), "cpu")
    sizes = [(1, *shape) for shape in subject.input_shapes]
    try:
        found = torchinfo.summary(subject.model, sizes, device=device, mode="eval", verbose=0)
    except Exception:
        return None
    return {"params": found.total_params, "mult_adds": found.total_mult_adds}


def published_totals(subject: Subject) -> Published | None:
    """What torchvision publishes for this network and this input."""
    return next((entry for entry in subject.published if [entry.input_shape] == subject.input_shapes), None)


def document(subject: Subject, complexity: Complexity) -> dict[str, Any]:
    """All of an analysis, for JSON."""
    published = published_totals(subject)
    return {
        "network": subject.name,
        "input_shapes": [list(shape) for shape in complexity.input_shapes],
        "totals": totals(complexity),
        "not_counted": list(complexity.not_counted),
        "torchinfo": torchinfo_totals(subject),
        "torchvision_published": published and {"params": published.params, "giga_macs": published.giga_macs},
        "rows": [_row_of_json(row) for row in complexity.rows],
    }


def _row_of_json(row: Row) -> dict[str, Any]:
    field = row.receptive_field
    return {
        **row._asdict(),
        "receptive_field": field and {key: _plain(getattr(field, key)) for key in ("size", "jump", "offset")},
    }


def _plain(value: Any) -> Any:
    """Fractions of pixels as numbers: they are halves, so nothing is lost."""
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    return int(value) if value == int(value) else float(value)


def csv_rows(complexity: Complexity) -> list[dict[str, Any]]:
    """The rows of an analysis, for CSV; a macs field is empty where they could not be counted."""
    return [
        {
            "name": row.name,
            "type": row.type,
            "input_shapes": ";".join(sizes_text(shape) for shape in row.input_shapes),
            "output_shape": sizes_text(row.output_shape),
            "params": row.params,
            "macs": "" if row.macs is None else row.macs,
            "activation_bytes": row.activation_bytes,
            "receptive_field_pixels": field_text(row, "size"),
            "receptive_field_jump_pixels": field_text(row, "jump"),
            "receptive_field_offset_pixels": field_text(row, "offset"),
            "inputs": ";".join(map(str, row.inputs)),
            "not_counted": ";".join(row.not_counted),
        }
        for row in complexity.rows
    ]


def comparison(pairs: list[Pair]) -> list[dict[str, Any]]:
    """A row for each total, a column for each network."""
    columns = {subject.name: totals(complexity) for subject, complexity in pairs}
    names = next(iter(columns.values()))
    return [{"measure": name, **{network: found[name] for network, found in columns.items()}} for name in names]


def to_csv(rows: list[dict[str, Any]]) -> str:
    """Rows with the same keys as CSV, with a heading."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]) if rows else ["name"], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def sizes_text(shape: Shape) -> str:
    """(3, 224, 224) as "3x224x224"."""
    return "x".join(map(str, shape))


def field_text(row: Row, part: str) -> str:
    """A part of the receptive field: "427", or "11x9"; empty where there is none."""
    if row.receptive_field is None:
        return ""
    value = _plain(getattr(row.receptive_field, part))
    return "x".join(map(str, value)) if isinstance(value, list) else str(value)
