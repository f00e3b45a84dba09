"""Data for the pages: one script each, that sets one value. A page opened as a file may load scripts, and no JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from course_suite.live.networks import networks
from course_suite.live.photograph import photograph

# Each name stands for `courseData.NAME` on the page. The function's docstring says where its values come from.
DATA: dict[str, Callable[[], Any]] = {function.__name__: function for function in (networks, photograph)}


def script_of(name: str) -> str:
    """The script that sets ``courseData.NAME``, with the origin of its values in its first line."""
    make = DATA[name]
    origin = " ".join((make.__doc__ or "").split())
    value = json.dumps(make(), separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return f"// Generated. {origin}\n(window.courseData ??= {{}}).{name} = {value};\n"


def write_data(folder: Path) -> None:
    """Write every script into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in DATA:
        (folder / f"{name}.js").write_text(script_of(name), encoding="utf-8")
