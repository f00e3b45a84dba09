"""The runs that the course means to record: ``plan.yaml``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

PLAN = Path(__file__).resolve().parent / "plan.yaml"


def load_plan(path: Path = PLAN) -> list[dict[str, Any]]:
    """One dict for each run: name, what, chapter, command, and what it is compared with if anything."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))
