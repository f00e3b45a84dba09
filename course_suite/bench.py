"""``course bench``: run the benchmarks beside the tools that they compare with, in an environment of their own."""

from __future__ import annotations

import os
import subprocess
import sys

from rich.console import Console

from course_suite.bootstrap import venv_python
from course_suite.errors import UserError
from course_suite.files import digest_files
from course_suite.project import Project
from course_suite.stamps import is_fresh, mark

HELPERS = {"peers"}  # imported by benchmarks, none itself


def benchmarks(project: Project) -> list[str]:
    """The names of all benchmarks: one file for each question."""
    return sorted(path.stem for path in (project.root / "benchmarks").glob("*.py") if path.stem not in HELPERS)


def run_benchmarks(project: Project, names: list[str], console: Console) -> bool:
    """Run the named benchmarks, or all; each writes its figures to ``benchmarks/results``. Returns whether all ran.

    Raises:
        UserError: a name is none of a benchmark's, or the tools could not be installed.
    """
    known = benchmarks(project)
    unknown = [name for name in names if name not in known]
    if unknown:
        raise UserError(f"{unknown[0]!r} is not a benchmark; the benchmarks are: {', '.join(known)}")
    python = _environment(project)
    codes = []
    for name in names or known:
        console.rule(name)
        env = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
        command = [python, project.root / "benchmarks" / f"{name}.py"]
        codes.append(subprocess.run(command, cwd=project.root, env=env | {"OMP_NUM_THREADS": "1"}).returncode)
    return not any(codes)


def _environment(project: Project) -> str:
    """The Python of ``_build/bench``: the locked packages and the peers; made anew when either list changes."""
    folder, peers = project.build / "bench", project.root / "benchmarks" / "requirements.txt"
    lock = project.root / "requirements.lock"
    key = digest_files([lock, peers], project.root)
    python = str(venv_python(folder))
    if is_fresh(project, "bench", key) and venv_python(folder).exists():
        return python
    uv = [sys.executable, "-m", "uv"]
    into = ["--quiet", "--python", python]
    steps = [
        [*uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)],
        [*uv, "pip", "sync", *into, "--require-hashes", "--compile-bytecode", str(lock)],
        [*uv, "pip", "install", *into, "--requirement", str(peers)],
        [*uv, "pip", "install", *into, "--no-deps", "--no-build-isolation", "--editable", str(project.root)],
    ]
    for step in steps:
        if subprocess.run(step, cwd=project.root).returncode != 0:
            raise UserError("the tools to compare with could not be installed (the reason is above); check the network")
    mark(project, "bench", key)
    return python
