"""Reading, writing and checking records."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from course_suite.files import write_atomically
from course_suite.records.consistency import inconsistencies

RECORDS = Path(__file__).resolve().parent / "data"
SCHEMA = Path(__file__).resolve().parent / "schema.json"


class RecordError(ValueError):
    """A file is not a record. The message names the file, the place in it and the rule."""


@cache
def schema() -> dict[str, Any]:
    """The schema that every record keeps to."""
    return json.loads(SCHEMA.read_text(encoding="utf-8"))


def schema_problem(record: Any) -> str | None:
    """Where and how ``record`` breaks the schema; None when it does not."""
    import jsonschema

    error = jsonschema.exceptions.best_match(jsonschema.Draft202012Validator(schema()).iter_errors(record))
    if error is None:
        return None
    place = "/".join(str(part) for part in error.absolute_path) or "the top level"
    return f"{place}: {error.message[:200]}"


def read_record(path: Path) -> dict[str, Any]:
    """One record.

    Raises:
        RecordError: the file is not JSON, or breaks the schema.
    """
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise RecordError(f"{path.name} is not a record: {str(error).splitlines()[0]}") from None
    problem = schema_problem(record)
    if problem:
        raise RecordError(f"{path.name} breaks the schema of records at {problem}")
    if record["name"] != path.stem:
        raise RecordError(f"{path.name} holds the record {record['name']!r}: a file is named after its record")
    return record


def load_records(folder: Path = RECORDS) -> list[dict[str, Any]]:
    """All records of a folder, in the order of their names; those shipped with the library by default.

    Raises:
        RecordError: a file is not a record.
    """
    return [read_record(path) for path in sorted(folder.glob("*.json"))]


def write_record(record: dict[str, Any], folder: Path = RECORDS) -> Path:
    """Write a record, whole or not at all, under its name.

    Raises:
        RecordError: it breaks the schema.
    """
    problem = schema_problem(record)
    if problem:
        raise RecordError(f"the record {record.get('name')!r} breaks the schema at {problem}")
    path = folder / f"{record['name']}.json"
    write_atomically(path, json.dumps(record, indent=1, sort_keys=True) + "\n")
    return path


def check_record(record: dict[str, Any], sets: Sequence[str] = ("digits",)) -> list[str]:
    """What of a record contradicts itself or its command, or no longer fits what the code builds.

    Args:
        sets: names of the data sets that are at hand; the others are not looked at.
    """
    own = [f"{record['name']}: {problem}" for problem in inconsistencies(record)]
    return own + _model_problems(record) + (_data_problems(record) if record["data"]["name"] in sets else [])


def _model_problems(record: dict[str, Any]) -> list[str]:
    from course_lib.complexity import analyze, build_meta
    from course_suite.records.hashes import model_hash

    entry = record["model"]
    try:
        model = build_meta(entry["name"], **entry["options"])
        found = {
            "hash": model_hash(model, entry["input_shape"]),
            "params": sum(parameter.numel() for parameter in model.parameters()),
            "macs": analyze(model, tuple(entry["input_shape"])).macs,
        }
    except (ValueError, TypeError) as error:
        return [f"{record['name']}: {entry['name']} cannot be built as recorded: {error}"]
    return [
        f"{record['name']}: the {key} of {entry['name']} is now {value}, recorded {entry[key]}: train it again"
        for key, value in found.items()
        if value != entry[key]
    ]


def _data_problems(record: dict[str, Any]) -> list[str]:
    from course_lib.data import DataError, load_prepared

    entry = record["data"]
    try:
        found = load_prepared(entry["name"], **{step: entry[step] for step in ("resize", "pad", "take")})
    except DataError as error:
        return [f"{record['name']}: the data cannot be read: {error}"]
    found = found.for_choosing() if entry.get("validate") else found
    found = found.hold_out(entry["hold_out"]) if entry.get("hold_out") else found
    if found.sha256 != entry["sha256"]:
        return [f"{record['name']}: the data {entry['title']} have another hash than the one recorded: train it again"]
    counts = {"num_train": len(found.train), "num_test": len(found.test)}
    return [
        f"{record['name']}: {name} is {entry[name]:,}, and the data have {count:,}"
        for name, count in counts.items()
        if entry[name] != count
    ]
