"""The first cell of a notebook: it makes the course's library available where it is not, as in Colab."""

from __future__ import annotations

import nbformat
from nbformat import NotebookNode

from course_suite.project import Settings
from course_suite.reader.code import INSTALL_ID

CODE = '''\
# The course's library is installed where it is missing. torch stays as it is.
import importlib.util
import subprocess
import sys
from pathlib import Path

ADDRESS = "{repository}"
REVISION = "{revision}"  # what this notebook was made from
FOLDER = Path.cwd().resolve().parent  # the course, where this is a copy of it


def install(source, missing):
    """Install with pip what is not here yet."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", source]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        told = (done.stderr or done.stdout).strip().splitlines()
        raise RuntimeError(
            f"{{missing}} could not be installed from {{source}}. "
            f"Is there a network? pip says: {{told[-1] if told else 'nothing'}}"
        ) from None
    importlib.invalidate_caches()


if importlib.util.find_spec("course_lib"):
    print("course_lib is here already: nothing was installed.")
elif (FOLDER / "course_lib" / "__init__.py").is_file():
    sys.path.insert(0, str(FOLDER))
    if importlib.util.find_spec("torchinfo") is None:
        install(str(FOLDER), "what course_lib needs")
    print(f"course_lib is taken from the folder {{FOLDER}}.")
elif "/OWNER/" in ADDRESS:
    raise RuntimeError(
        f"{{ADDRESS}} is a placeholder, so there is nothing to install from: "
        "set ADDRESS to the course's repository, and run this cell again."
    )
else:
    install(f"cnn-recomputed @ git+{{ADDRESS}}@{{REVISION}}", "course_lib")
    print(f"course_lib was installed from {{ADDRESS}} at {{REVISION}}.")'''


def install_cell(settings: Settings, revision: str | None = None) -> NotebookNode:
    """The cell that makes a chapter run where the course is not installed.

    Args:
        revision: the tag or commit that is installed; by default that of the settings.
    """
    source = CODE.format(repository=settings.repository, revision=revision or settings.revision)
    return nbformat.v4.new_code_cell(source, id=INSTALL_ID, metadata={"tags": ["remove-cell"]})
