"""What a chapter costs to run: recorded by ``course pair --record``, shown at the head of the chapter."""

from __future__ import annotations

import json
from typing import Any

from course_suite.errors import UserError
from course_suite.files import write_if_changed
from course_suite.project import Project

NAME = "notebooks/costs.json"


def read_costs(project: Project) -> dict[str, dict[str, Any]]:
    """The recorded costs by chapter; none when nothing was recorded yet.

    Raises:
        UserError: the file is not JSON.
    """
    path = project.root / NAME
    try:
        return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    except ValueError:
        raise UserError(f"{NAME} is damaged (a merge?); take one side whole, then run: course pair --record") from None


def record_cost(project: Project, stem: str, kind: str, cost: dict[str, Any]) -> None:
    """Store the cost of one run; ``kind`` is ``cpu`` or ``cuda``."""
    costs = read_costs(project)
    costs.setdefault(stem, {})[kind] = cost
    text = json.dumps(dict(sorted(costs.items())), indent=2, sort_keys=True)
    write_if_changed(project.root / NAME, text + "\n")


def cost_text(cost: dict[str, Any] | None) -> str:
    """The line under a chapter's title."""
    return "*Cost:* " + "; ".join([_run(cost, "cpu", "on one CPU core"), _run(cost, "cuda", "on a GPU")]) + "."


def _run(cost: dict[str, Any] | None, kind: str, where: str) -> str:
    if not cost or kind not in cost:
        return f"not yet run {where}"
    run = cost[kind]
    return f"{run['seconds']:.0f} s and {run['peak_mib']:.0f} MiB of memory {where} ({run['machine']})"
