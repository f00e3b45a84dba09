"""Make or renew the project's own environment in ``.venv``: pinned, hashed, with bytecode compiled.

Run it with any Python from 3.11 on: ``python3 course_suite/bootstrap.py``. It uses the standard library alone,
since it runs before anything is installed. A stamp inside ``.venv`` records what was installed; while the lock, the
project file, the Python and the folder are unchanged, nothing is done.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OLDEST_PYTHON = (3, 11)


class SetupError(Exception):
    """Something that the reader can mend: shown as one line."""


def venv_python(venv: Path) -> Path:
    """The interpreter inside a virtual environment, on any system."""
    return venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def fingerprint(root: Path, venv: Path) -> str:
    """What the environment depends on, as one hash: lock, project file, Python version, and where the folder is."""
    digest = hashlib.sha256()
    for name in ("requirements.lock", "pyproject.toml"):
        digest.update((root / name).read_bytes())
    digest.update(f"{sys.version_info[:3]} {venv}".encode())
    return digest.hexdigest()


def uv_requirement(lock_text: str) -> str:
    """The lines of the lock that pin uv, with their hashes, as a requirements file of their own."""
    match = re.search(r"^uv==(?:[^\n]*\\\n)*[^\n]*\n", lock_text, flags=re.MULTILINE)
    if match is None:
        raise SetupError("requirements.lock does not pin uv; run `make lock` and commit the result")
    return match.group()


def install(root: Path, venv: Path) -> None:
    """Fill the environment from the lock, then add this project to it as an editable install."""
    lock = root / "requirements.lock"
    # Compiled bytecode halves the start of every kernel, so a machine-wide "do not write it" is overruled here.
    env = {key: value for key, value in os.environ.items() if key not in {"PYTHONDONTWRITEBYTECODE", "VIRTUAL_ENV"}}
    python = str(venv_python(venv))
    uv_lines = venv / "uv.txt"
    uv_lines.write_text(uv_requirement(lock.read_text(encoding="utf-8")), encoding="utf-8")
    pip = [python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-deps", "--require-hashes"]
    uv = [python, "-m", "uv", "pip"]
    to_venv = ["--python", python, "--quiet"]
    steps = {
        "uv": [*pip, "-r", str(uv_lines)],
        "the locked packages": [*uv, "sync", *to_venv, "--require-hashes", "--compile-bytecode", str(lock)],
        "the course": [*uv, "install", *to_venv, "--no-deps", "--no-build-isolation", "-e", str(root)],
    }
    for what, command in steps.items():
        if subprocess.run(command, env=env, cwd=root).returncode != 0:
            raise SetupError(
                f"could not install {what} (the reason is above); check the network and free disk, "
                "then run the same command again"
            )


def create_venv(venv: Path) -> None:
    """Make an empty environment with the Python that runs this file, in place of whatever stood there."""
    shutil.rmtree(venv, ignore_errors=True)
    if subprocess.run([sys.executable, "-m", "venv", str(venv)]).returncode != 0:
        raise SetupError(
            f"{sys.executable} cannot make a virtual environment; on Debian and Ubuntu install python3-venv"
        )


def setup(root: Path = ROOT) -> bool:
    """Bring ``.venv`` up to date. Returns whether anything had to be done."""
    if sys.version_info < OLDEST_PYTHON:
        found = ".".join(map(str, sys.version_info[:3]))
        raise SetupError(
            f"Python 3.11 or newer is needed, this one is {found} ({sys.executable}); "
            "name a newer one: make PYTHON=python3.12"
        )
    venv = root / ".venv"
    stamp = venv / "course-setup.stamp"
    wanted = fingerprint(root, venv)
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted and venv_python(venv).exists():
        return False
    print(f"Setting up {venv} (some minutes the first time: the packages are about 5 GB on Linux)", flush=True)
    config = venv / "pyvenv.cfg"
    same_python = config.is_file() and f"version = {'.'.join(map(str, sys.version_info[:3]))}" in config.read_text()
    moved = not (stamp.is_file() and same_python)
    stamp.unlink(missing_ok=True)
    if moved:
        create_venv(venv)
    install(root, venv)
    stamp.write_text(wanted, encoding="utf-8")
    return True


def main() -> int:
    """Set up and say so; a mistake that the reader can mend is one line and status 1."""
    try:
        setup()
    except SetupError as error:
        print(f"setup: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
