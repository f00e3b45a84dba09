"""Whether the parts of a record agree with each other, and with the command that made it."""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterator
from typing import Any

ROUNDING = 1e-5  # histories keep six digits
PREPARATION = ("resize", "pad", "take", "pixels", "validate")


def inconsistencies(record: dict[str, Any]) -> list[str]:
    """One phrase for each part of a record that contradicts another. The record keeps to the schema."""
    return [*_numbers(record), *_runs(record), *_made_by(record)]


def _numbers(value: Any, place: str = "") -> Iterator[str]:
    """Numbers that are not finite, wherever they stand."""
    if isinstance(value, float) and not math.isfinite(value):
        yield f"{place} is {value}"
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, part in parts:
        yield from _numbers(part, f"{place}/{name}".lstrip("/"))


def _runs(record: dict[str, Any]) -> Iterator[str]:
    runs, epochs = record["runs"], record["hyperparameters"].get("epochs")
    once = record["hyperparameters"].get("test_once", False)
    seeds = [run["seed"] for run in runs]
    if len(set(seeds)) < len(seeds):
        yield f"the seeds {seeds} are not all different"
    for run in runs:
        place, history, metrics = f"seed {run['seed']}", run["history"], run["metrics"]
        done, kept = epochs, -1
        if record["hyperparameters"].get("patience"):  # it may have stopped early, and gives the best epoch's weights
            losses = history.get("validation_loss", [math.nan])
            done, kept = min(len(losses), epochs), losses.index(min(losses))
        for name, values in history.items():
            expected = 1 if once and name.startswith("test_") else done
            if len(values) != expected:
                yield f"{place}: the history's {name} has {len(values)} values for {done} epochs"
        for name in ("test_accuracy", "test_loss"):
            values = history.get(name, [])
            given = values[-1 if once else kept] if len(values) >= (1 if once else done) else math.nan
            if not _near(given, metrics[name]):
                yield f"{place}: {name} is {metrics[name]:.6g}, and the history gives {given:.6g}"
        seconds = math.fsum(history.get("seconds", []))
        if not _near(seconds, run["wall_seconds"], 1e-3):
            yield f"{place}: wall_seconds is {run['wall_seconds']:.6g}, and the epochs took {seconds:.6g}"
        speed = record["data"]["num_train"] * len(history.get("seconds", [])) / run["wall_seconds"]
        if not _near(speed, run["images_per_second"], 1e-3):
            yield f"{place}: images_per_second is {run['images_per_second']:.6g}, and the run's is {speed:.6g}"


def _made_by(record: dict[str, Any]) -> Iterator[str]:
    """Where the command says another thing than the record."""
    if set(record["provenance"]["commit"] or "x") == {"0"}:
        yield "the commit is all zeros"
    asked = asked_of(record["provenance"]["command"])
    if asked is None:
        yield "the command is not a course train"
        return
    data, hyperparameters, options = record["data"], record["hyperparameters"], record["model"]["options"]
    seeds = list(range(asked["first_seed"], asked["first_seed"] + asked["seeds"]))
    pairs = [
        ("model", record["model"]["name"], asked["model"]),
        ("seeds", [run["seed"] for run in record["runs"]], seeds),
        ("name", record["name"], asked["name"] or record["name"]),
        ("data", data["name"], asked["data"].partition(":")[0]),
        *((name, data.get(name) or None, asked[name] or None) for name in PREPARATION),
        *((name, value, asked[name]) for name, value in hyperparameters.items() if name in asked),
        *((f"option {name}", options.get(name), value) for name, value in asked["options"].items()),
    ]
    for name, found, wanted in pairs:
        if found != wanted:
            yield f"{name} is {found!r}, and the command says {wanted!r}"


def asked_of(command: str) -> dict[str, Any] | None:
    """What ``course train`` makes of a command line, defaults included; None when it is not one."""
    import click
    from typer.main import get_command

    from course_suite.cli import app
    from course_suite.errors import UserError
    from course_suite.parameters import join_pairs, parse_value, split_pairs

    words = shlex.split(command)
    if words[1:2] != ["train"]:
        return None
    try:
        context = get_command(app).commands["train"].make_context("train", join_pairs(words[2:]))
        given = {name: parse_value(value) for name, value in split_pairs(context.params["parameter"] or [])}
    except (click.ClickException, UserError):
        return None
    return {**context.params, "options": given}


def _near(one: float, other: float, rounding: float = ROUNDING) -> bool:
    return math.isclose(one, other, rel_tol=rounding, abs_tol=1e-9)
