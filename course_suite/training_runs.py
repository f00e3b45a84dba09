"""``course train``: one network from several seeds, each resumable, and a record of all of them."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import torch
from rich.console import Console

from course_lib.data import summary
from course_lib.training import (
    Evaluation,
    Group,
    History,
    TrainingError,
    evaluate,
    find_device,
    join_group,
    leave_group,
)
from course_lib.training.evaluation import test_batch
from course_suite.errors import UserError
from course_suite.files import write_atomically
from course_suite.peak_memory import peak_memory_mib, reset_peak
from course_suite.records import RecordError, summarise, write_record
from course_suite.training_plan import Plan
from course_suite.training_record import measured_peak, record_of, run_entry


def train_command(
    console: Console, plan: Plan, name: str, *, device: str, resume: bool, work: Path, out: Path
) -> Path | None:
    """Train every seed of the plan and write the record ``out/NAME.json``; only the first process of a group writes.

    Checkpoints and finished seeds lie in ``work/NAME``, so that a run that was killed goes on with ``resume``.

    Raises:
        UserError: the plan cannot be carried out, or training stopped.
    """
    try:
        group, place = join_group(device)
        return _train(console, plan, name, group, str(find_device(place)), resume, work / name, out)
    except (ValueError, TrainingError, RecordError) as error:
        raise UserError(str(error)) from error
    finally:
        leave_group()


def _train(
    console: Console, plan: Plan, name: str, group: Group, place: str, resume: bool, work: Path, out: Path
) -> Path | None:
    settings = _identity(plan, place, group.size)
    if work.exists() and any(work.iterdir()) and not resume:
        raise UserError(f"{work} holds an earlier run: add --resume to go on with it, or --name for another one")
    if group.rank == 0:
        console.print(summary(plan.images), markup=False, highlight=False, soft_wrap=True)
    machine_peak, runs = cache(measured_peak), []
    for seed in plan.seeds:
        entry = _finished(work, seed, settings)
        if entry is None:
            *found, memory = _run(plan, seed, place, work)
            if group.rank == 0:
                peak = machine_peak(plan.settings["precision"], place)  # after the run, so as not to be part of it
                entry = run_entry(plan, seed, *found, peak=peak, peak_memory_mib=memory)
                _write(work / f"seed-{seed}.json", {"settings": settings, "run": entry})
        if group.rank == 0:
            runs.append(entry)
            accuracy, seconds = entry["metrics"]["test_accuracy"], entry["wall_seconds"]
            console.print(f"seed {seed}: test accuracy {accuracy:.2%}, {seconds:.1f} s", highlight=False)
    if group.rank > 0:
        return None
    record = record_of(plan, name, runs, place, group.size)
    path = write_record(record, out)
    n, mean, spread = summarise(record)
    spread_text = "" if spread is None else f" ± {spread:.2%}"
    console.print(f"{n} runs: test accuracy {mean:.2%}{spread_text}", highlight=False)
    console.print(f"wrote {path}", highlight=False, soft_wrap=True)
    return path


def _run(plan: Plan, seed: int, place: str, work: Path) -> tuple[History, Evaluation, Evaluation, float]:
    """The history of one seed, how good it is on both splits, and the largest memory meanwhile, MiB."""
    reset_peak(place)
    model = plan.network(seed)
    history = plan.train(model, seed=seed, device=place, checkpoint=work / f"seed-{seed}", resume=True)
    options = {"precision": plan.settings["precision"], "batch_size": test_batch(plan.settings["batch_size"])}
    train, test = (evaluate(model, split, **options) for split in (plan.images.train, plan.images.test))
    return history, train, test, peak_memory_mib(place)


def _identity(plan: Plan, place: str, processes: int) -> dict[str, Any]:
    """What must be the same for a finished seed to count: the network, the data, the settings, the machine's kind."""
    parts = {
        "model": plan.model,
        "options": plan.built_options,
        "data": plan.images.sha256,
        "pixels": plan.pixels,
        "device": torch.device(place).type,
        "processes": processes,
    }
    return json.loads(json.dumps(parts | plan.settings))


def _finished(work: Path, seed: int, settings: dict[str, Any]) -> dict[str, Any] | None:
    path = work / f"seed-{seed}.json"
    if not path.is_file():
        return None
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        run, before = stored["run"], stored["settings"]
    except (ValueError, KeyError, TypeError):
        raise UserError(f"{path} cannot be read: delete it, and --resume trains that seed again") from None
    changed = [name for name in settings if before.get(name) != settings[name]]
    if changed:
        what = "; ".join(f"{name} is {settings[name]!r}, was {before.get(name)!r}" for name in changed)
        raise UserError(f"{work} is of another run: {what}. Go on with what it was, or give --name")
    return run


def _write(path: Path, content: dict[str, Any]) -> None:
    """Write JSON whole or not at all."""
    try:
        write_atomically(path, json.dumps(content, indent=1) + "\n")
    except OSError as error:
        raise UserError(f"{path} cannot be written ({error.strerror}): make room, then go on with --resume") from error
