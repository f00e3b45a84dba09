"""``course doctor``: is everything here that the course needs? Each finding is one line, with its remedy."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

from course_suite.lock import locked
from course_suite.project import Project

OK, WARNING, PROBLEM = "ok", "warning", "problem"
DISK_GIB = 2


class Finding(NamedTuple):
    """One line of the report. ``remedy`` is empty when all is well."""

    status: str
    what: str
    detail: str
    remedy: str = ""


def python_version() -> Finding:
    """Python 3.11 to 3.13 are tested; a newer one may work."""
    version = platform.python_version()
    if sys.version_info >= (3, 14):
        return Finding(
            WARNING, "Python", f"{version}, newer than the tested 3.11 to 3.13", "use 3.13 if anything fails"
        )
    return Finding(OK, "Python", version)


def packages(project: Project) -> Finding:
    """Installed versions against the lock."""
    wrong = []
    for requirement in locked((project.root / "requirements.lock").read_text(encoding="utf-8")):
        if requirement.marker is not None and not requirement.marker.evaluate():
            continue
        try:
            found = metadata.version(requirement.name)
        except metadata.PackageNotFoundError:
            found = "missing"
        if found == "missing" or not requirement.specifier.contains(found.split("+")[0], prereleases=True):
            wrong.append(f"{requirement.name} {found} (lock: {requirement.specifier})")
    if wrong:
        more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        return Finding(WARNING, "packages", "; ".join(wrong[:3]) + more, "run `make setup` for the locked versions")
    return Finding(OK, "packages", "all have the lock's versions")


def suite_packages() -> Finding:
    """The packages that run and render chapters."""
    names = ("jupytext", "papermill", "nbval", "jupyter_book", "ipykernel")
    missing = [name for name in names if importlib.util.find_spec(name) is None]
    if missing:
        remedy = "install the extra: pip install 'cnn-recomputed[suite]'"
        return Finding(PROBLEM, "suite", f"missing: {', '.join(missing)}", remedy)
    return Finding(OK, "suite", ", ".join(names))


def torch_pair() -> Finding:
    """torch and torchvision import together only when they come from the same place."""
    code = "import torch, torchvision; print('torch', torch.__version__, 'and torchvision', torchvision.__version__)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    if run.returncode != 0:
        reason = (run.stderr.strip().splitlines() or ["no message"])[-1][:160]
        return Finding(PROBLEM, "torch", reason, "install both from the same index: `make clean setup`")
    return Finding(OK, "torch", run.stdout.strip())


def gpu() -> Finding:
    """A GPU is welcome and not needed."""
    if importlib.util.find_spec("torch") is None:
        return Finding(WARNING, "GPU", "unknown: torch is missing", "run `make setup`")
    import torch

    if torch.cuda.is_available():
        memory_gib = torch.cuda.get_device_properties(0).total_memory / 2**30
        return Finding(OK, "GPU", f"{torch.cuda.get_device_name(0)}, {memory_gib:.0f} GiB")
    return Finding(OK, "GPU", "none; the quick profile needs none")


def threads() -> Finding:
    """Chapters run one thread each, so the number of cores bounds ``--jobs``."""
    cores = os.cpu_count() or 1
    return Finding(
        OK, "threads", f"{cores} cores; `course run` takes {min(2, cores)} chapters at once, one thread each"
    )


def data_found() -> Finding:
    """The digits are inside scikit-learn; other sets are looked for where COURSE_DATA says."""
    if importlib.util.find_spec("sklearn") is None:
        return Finding(PROBLEM, "data", "scikit-learn, which holds the digits, is missing", "run `make setup`")
    folder = os.environ.get("COURSE_DATA")
    if not folder:
        return Finding(OK, "data", "digits (embedded); set COURSE_DATA to a folder for the larger sets")
    if not Path(folder).is_dir():
        return Finding(
            PROBLEM, "data", f"COURSE_DATA={folder} is not a folder", "make the folder, or unset COURSE_DATA"
        )
    sets = {"MNIST": "MNIST/raw", "Fashion-MNIST": "FashionMNIST/raw", "CIFAR-10": "cifar-10-batches-py"}
    found = [name for name, place in sets.items() if (Path(folder) / place).is_dir()]
    return Finding(OK, "data", f"digits (embedded); in {folder}: {', '.join(found) or 'none of the larger sets yet'}")


def disk(project: Project) -> Finding:
    """Room for the executed chapters and the site."""
    free_gib = shutil.disk_usage(project.root).free / 2**30
    if free_gib < DISK_GIB:
        return Finding(PROBLEM, "disk", f"{free_gib:.1f} GiB free", f"free at least {DISK_GIB} GiB, or `make clean`")
    return Finding(OK, "disk", f"{free_gib:.0f} GiB free")


def findings(project: Project) -> list[Finding]:
    """All of them, in the order in which to mend what is wrong."""
    found = [python_version(), suite_packages(), packages(project), torch_pair(), gpu(), threads(), data_found()]
    return [*found, disk(project)]
