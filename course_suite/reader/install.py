"""The first code cell of a notebook: it makes the course's library available where it is not, as in Colab."""

from __future__ import annotations

import nbformat
from nbformat import NotebookNode

from course_suite.project import Settings
from course_suite.reader.code import INSTALL_ID

CODE = """\
# Installed where it is missing, as in Colab. torch stays as it is.
import importlib.util
import subprocess
import sys
from pathlib import Path

ADDRESS = "{repository}"
REVISION = "{revision}"  # what this notebook was made from
FOLDER = Path.cwd().resolve().parent
is_copy = (FOLDER / "course_lib").is_dir()  # of the course, as from a ZIP
source = f"cnn-recomputed @ git+{{ADDRESS}}@{{REVISION}}"
if is_copy:
    source = str(FOLDER)
    sys.path.insert(0, source)

if all(map(importlib.util.find_spec, ("course_lib", "torchinfo"))):
    print("course_lib is here already: nothing was installed.")
elif "/OWNER/" in source:
    raise RuntimeError(
        f"{{ADDRESS}} is a placeholder: there is nothing to install from. "
        "Set ADDRESS to the course's repository, and run this cell again."
    )
else:
    pip = [sys.executable, "-m", "pip", "install", "--quiet", source]
    done = subprocess.run(pip, capture_output=True, text=True)
    if done.returncode:
        told = (done.stderr or done.stdout or "nothing").strip().splitlines()
        raise RuntimeError(
            f"course_lib could not be installed from {{source}}. "
            f"Is there a network? pip says: {{told[-1]}}"
        )
    importlib.invalidate_caches()
    print(f"course_lib was installed from {{source}}.")"""


def install_cell(settings: Settings, revision: str | None = None) -> NotebookNode:
    """The cell that makes a chapter run where the course is not installed.

    Args:
        revision: the tag or commit that is installed; by default that of the settings.
    """
    source = CODE.format(repository=settings.repository, revision=revision or settings.revision)
    return nbformat.v4.new_code_cell(source, id=INSTALL_ID)
