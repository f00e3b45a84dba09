"""Where a measurement comes from: the machine, the versions, the commit."""

from __future__ import annotations

import os
import platform
import shlex
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import torch

PACKAGES = ("torch", "torchvision", "numpy", "scikit-learn", "cnn-recomputed")


def environment(device: str) -> dict[str, Any]:
    """Python, operating system, processor, GPU, threads and package versions, for a run on ``device``."""
    return {
        "python": platform.python_version(),
        "os": f"{platform.system()} {platform.release()}",
        "machine": platform.machine(),
        "processor": processor(),
        "cores": os.cpu_count(),
        "gpu": torch.cuda.get_device_name(device) if torch.device(device).type == "cuda" else None,
        "threads": torch.get_num_threads(),
        "packages": {name: version(name) for name in PACKAGES},
    }


def processor() -> str:
    """The processor's name as the system gives it."""
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def version(package: str) -> str | None:
    """The installed version of a package; None when it runs from its sources without being installed."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def provenance() -> dict[str, Any]:
    """The command, the commit, and whether the working tree was as committed; None for both outside a clone."""
    return {"command": command(), "commit": _git("rev-parse", "HEAD"), "clean": _is_clean()}


def command() -> str:
    """The command line that started this process, with the program's name alone."""
    return shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])


def _is_clean() -> bool | None:
    status = _git("status", "--porcelain", "--untracked-files=no")
    return None if status is None else not status


def _git(*arguments: str) -> str | None:
    folder = Path(__file__).resolve().parent
    try:
        run = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return run.stdout.strip() if run.returncode == 0 else None
