"""``course records verify``: train again what a record holds, and compare."""

from __future__ import annotations

import math
import statistics
from pathlib import Path
from typing import Any

from rich.console import Console
from scipy.special import stdtrit

from course_suite.errors import UserError
from course_suite.records import RecordError, errors, load_records, read_record
from course_suite.records.consistency import asked_of
from course_suite.training_plan import Plan, held_out
from course_suite.training_runs import Place, train_command

LEVEL = 0.95


def plan_of(record: dict[str, Any], seeds: int | None = None) -> Plan:
    """What the record's command trains; only the first seeds where ``seeds`` is given.

    Raises:
        UserError: the command cannot be read, or has fewer seeds.
    """
    asked = asked_of(record["provenance"]["command"])
    if asked is None:
        raise UserError(f"{record['name']}: the recorded command cannot be read: {record['provenance']['command']}")
    recorded = [run["seed"] for run in record["runs"]]
    if seeds is not None and seeds > len(recorded):
        raise UserError(f"{record['name']} has {len(recorded)} seeds, got --seeds {seeds}")
    return Plan(
        asked["model"],
        asked["data"],
        tuple(recorded[:seeds]),
        {name: asked[name] for name in record["hyperparameters"] if name in asked} | _new_settings(asked),
        asked["options"],
        **{name: asked[name] for name in ("resize", "pad", "take", "title", "pixels", "validate")},
        hold_out=held_out(asked["hold_out"], asked["patience"]),
    )


def _new_settings(asked: dict[str, Any]) -> dict[str, Any]:
    """Settings that older records do not name: their defaults, which are what was done then."""
    return {name: asked[name] for name in ("test_once", "curvature")}


def allowed_distance(recorded: list[float], count: int, num_test: int) -> float:
    """How far the mean error of ``count`` new runs may lie from that of the recorded ones, in points.

    The interval of Student's t for the difference of two means of runs that spread alike, as the recorded ones do;
    their standard deviation counts for no less than one test image.

    Raises:
        UserError: fewer than two runs are recorded.
    """
    if len(recorded) < 2:
        raise UserError("one recorded run has no spread to compare with: only an equal run verifies it")
    spread = max(statistics.stdev(recorded), 100 / num_test)
    reach = float(stdtrit(len(recorded) - 1, (1 + LEVEL) / 2))
    return reach * spread * math.sqrt(1 / len(recorded) + 1 / count)


def judge(record: dict[str, Any], again: dict[str, Any]) -> tuple[bool, str]:
    """Whether a record that was made again verifies the first, and a sentence that says so."""
    of_seed = {run["seed"]: run["metrics"] for run in record["runs"]}
    new = [run for run in again["runs"] if run["seed"] in of_seed]
    if all(
        run["metrics"][name] == of_seed[run["seed"]][name] for run in new for name in ("test_accuracy", "test_loss")
    ):
        return True, f"{record['name']}: {len(new)} of {len(of_seed)} seeds gave the same numbers, to the last digit"
    recorded, found = errors(record), errors(again)
    distance = statistics.fmean(found) - statistics.fmean(recorded)
    allowed = allowed_distance(recorded, len(found), record["data"]["num_test"])
    words = (
        f"{record['name']}: test error {statistics.fmean(found):.2f} %, recorded {statistics.fmean(recorded):.2f} %: "
        f"{abs(distance):.2f} points apart, and the recorded runs allow {allowed:.2f}"
    )
    return abs(distance) <= allowed, words


def verify_record(console: Console, name: str, seeds: int | None, device: str, work: Path) -> bool:
    """Train a recorded run again, print the comparison, and say whether it verifies the record.

    Raises:
        UserError: there is no such record, its command cannot be read, or the run cannot be made here.
    """
    try:
        records = {record["name"]: record for record in load_records()}
    except RecordError as error:
        raise UserError(str(error)) from error
    if name not in records:
        raise UserError(f"unknown record {name!r}; known: {', '.join(records)}")
    plan, out = plan_of(records[name], seeds), work / "records"
    path = train_command(console, plan, name, Place(device, work, out, resume=True))
    again = read_record(path)
    if again["data"]["sha256"] != records[name]["data"]["sha256"]:
        raise UserError(f"{name} was made with other data ({records[name]['data']['title']}): nothing can be compared")
    good, words = judge(records[name], again)
    console.print(words, highlight=False, soft_wrap=True)
    return good
