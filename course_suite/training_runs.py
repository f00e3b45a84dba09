"""``course train``: one network from several seeds, each resumable, and a record of all of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock, Timeout
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
from course_lib.training.device import slow_bf16
from course_lib.training.evaluation import test_batch
from course_lib.training.logs import Log, csv_log, line, tensorboard_log
from course_suite.errors import UserError
from course_suite.peak_memory import peak_memory_mib, reset_peak
from course_suite.records import RecordError, summarise, write_record
from course_suite.training_checks import check_folders, check_numbers, check_record
from course_suite.training_plan import Plan, in_options
from course_suite.training_record import measured_peak, record_of, run_entry
from course_suite.training_seeds import read_seed, write_seed


@dataclass(frozen=True)
class Place:
    """Where a training runs, and where its files go.

    Args:
        device: as for ``fit``.
        work: the folder of all checkpoints and finished seeds; those of this run lie in ``work/NAME``.
        out: the folder of the record.
        resume: whether to go on with what is in ``work/NAME``.
        logs: "csv" for ``work/NAME/seed-N.csv``, "tensorboard" for ``work/NAME/events/seed-N``.
    """

    device: str
    work: Path
    out: Path
    resume: bool = False
    logs: Sequence[str] = ()


def train_command(console: Console, plan: Plan, name: str, place: Place) -> Path | None:
    """Train every seed of the plan and write the record ``out/NAME.json``; only the first process of a group writes.

    Checkpoints and finished seeds lie in ``work/NAME``, so that a run that was killed goes on with ``resume``.

    Raises:
        UserError: the plan cannot be carried out, or training stopped.
    """
    try:
        group, device = join_group(place.device)
        device = str(find_device(device))
        check_record(plan, name, device, group.size)
        if group.rank > 0:
            return _train(console, plan, name, group, device, place)
        work = place.work / name
        if any(path.name != ".lock" for path in work.rglob("*") if path.is_file()) and not place.resume:
            raise UserError(f"{work} holds an earlier run: add --resume to go on with it, or --name for another one")
        check_numbers(plan)
        check_folders(plan, place.work, place.out)
        with _alone(place.work / f".{name}.lock", place.work / name):
            return _train(console, plan, name, group, device, place)
    except (ValueError, TrainingError, RecordError) as error:
        raise UserError(in_options(str(error))) from error
    except KeyboardInterrupt:
        console.print(f"stopped; {place.work / name} keeps what is finished: go on with --resume", soft_wrap=True)
        raise
    finally:
        leave_group()


def _train(console: Console, plan: Plan, name: str, group: Group, device: str, place: Place) -> Path | None:
    settings, work = _identity(plan, device, group.size), place.work / name
    say = _printer(console, group)
    say(summary(plan.images))
    slow = slow_bf16(device) if plan.settings["precision"] == "bf16" else None
    if slow:
        say(slow)
    machine_peak, runs = cache(measured_peak), []
    for seed in plan.seeds:
        entry = read_seed(work, seed, settings)
        if entry is None:
            *found, memory = _run(plan, seed, device, place, work, say, console.is_terminal)
            if group.rank == 0:
                peak = machine_peak(plan.settings["precision"], device)  # after the run, so as not to be part of it
                entry = run_entry(plan, seed, *found, peak=peak, peak_memory_mib=memory)
                write_seed(work, seed, settings, entry)
        if group.rank == 0:
            runs.append(entry)
            accuracy, seconds = entry["metrics"]["test_accuracy"], entry["wall_seconds"]
            say(f"seed {seed}: test accuracy {accuracy:.2%}, {seconds:.1f} s")
    if group.rank > 0:
        return None
    record = record_of(plan, name, runs, device, group.size)
    path = write_record(record, place.out)
    n, mean, spread = summarise(record)[:3]
    say(f"{n} runs: test accuracy {mean:.2%}" + ("" if spread is None else f" ± {spread:.2%}"))
    say(f"wrote {path}")
    return path


def _printer(console: Console, group: Group) -> Callable[[str], None]:
    """Prints a line; nothing in the other processes of a group."""

    def say(text: str) -> None:
        if group.rank == 0:
            console.print(text, markup=False, highlight=False, soft_wrap=True)

    return say


def _alone(lock: Path, work: Path) -> Any:
    """Keep other trainings of this name out."""
    lock = FileLock(lock, timeout=0)
    try:
        return lock.acquire()
    except Timeout:
        raise UserError(f"another course train is at work in {work}: wait for it, or give --name") from None


def _run(
    plan: Plan, seed: int, device: str, place: Place, work: Path, say: Callable[[str], None], terminal: bool
) -> tuple[History, Evaluation, Evaluation, float]:
    """The history of one seed, how good it is on both splits, and the largest memory meanwhile, MiB."""
    reset_peak(device)
    model = plan.network(seed)
    logs: list[Log] = [] if terminal else [lambda history: say(line(history, plan.settings["epochs"]))]
    if "csv" in place.logs:
        logs.append(csv_log(work / f"seed-{seed}.csv"))
    if "tensorboard" in place.logs:
        logs.append(tensorboard_log(work / "events" / f"seed-{seed}"))
    history = plan.train(
        model,
        seed=seed,
        device=device,
        checkpoint=work / f"seed-{seed}",
        resume=True,
        after_epoch=lambda history: [log(history) for log in logs],
    )
    options = {"precision": plan.settings["precision"], "batch_size": test_batch(plan.settings["batch_size"])}
    train, test = (evaluate(model, split, **options) for split in (plan.images.train, plan.images.test))
    return history, train, test, peak_memory_mib(device)


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
