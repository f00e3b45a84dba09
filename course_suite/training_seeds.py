"""The seeds that a ``course train`` has finished: a file for each, which counts if it is as it was written."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from course_suite.errors import UserError
from course_suite.files import digest


def read_seed(work: Path, seed: int, settings: dict[str, Any]) -> dict[str, Any] | None:
    """The entry of a finished seed; None when it is not finished, or is to be trained for longer.

    Raises:
        UserError: the file is damaged or was changed, or is of a run with other settings.
    """
    path = work / f"seed-{seed}.json"
    if not path.is_file():
        return None
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        run, before = stored["run"], dict(stored["settings"])
        whole = stored["sha256"] == digest([stored["settings"], run])
    except (ValueError, KeyError, TypeError):
        raise UserError(f"{path} cannot be read: delete it, and --resume trains that seed again") from None
    if not whole:
        raise UserError(f"{path} is not as it was written: delete it, and --resume finds that seed's result again")
    changed = [name for name in settings if before.get(name) != settings[name]]
    if changed == ["epochs"] and settings["epochs"] > before["epochs"]:
        return None
    if changed:
        what = "; ".join(f"{name} is {settings[name]!r}, was {before.get(name)!r}" for name in changed)
        raise UserError(f"{work} is of another run: {what}. Go on with what it was, or give --name")
    return run


def write_seed(work: Path, seed: int, settings: dict[str, Any], run: dict[str, Any]) -> None:
    """Write the entry of a finished seed, whole or not at all.

    Raises:
        UserError: it cannot be written.
    """
    path = work / f"seed-{seed}.json"
    settings, run = json.loads(json.dumps([settings, run]))  # as they will be read
    content = {"settings": settings, "run": run, "sha256": digest([settings, run])}
    try:
        temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise UserError(f"{path} cannot be written ({error.strerror}): make room, then go on with --resume") from error
