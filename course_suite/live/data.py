"""Data for the pages: one script each, that sets one value. A page opened as a file may load scripts, and no JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from course_suite.live.conventions import conventions
from course_suite.live.digits import digits
from course_suite.live.networks import networks
from course_suite.live.photograph import photograph
from course_suite.live.runs import runs
from course_suite.live.weights import of_record

# Each name stands for `courseData.NAME` on the page. The function's docstring says where its values come from.
DATA: dict[str, Callable[[], Any]] = {
    "conventions": conventions,
    "digits": digits,
    "lenet_digits": of_record("lenet5_tanh_digits"),
    "lenet_mnist": of_record("lenet5_tanh_mnist"),
    "lenet_shifted": of_record("lenet5_tanh_mnist_shifted"),
    "networks": networks,
    "photograph": photograph,
    "runs": runs,
}


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
