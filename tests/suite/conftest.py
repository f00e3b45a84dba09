"""A toy course in a temporary folder: real files, real kernels, small enough to break in every way."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from course_suite.published import BEGIN, END

ROOT = Path(__file__).resolve().parents[2]

HEAD = """\
---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  display_name: Python 3
  language: python
  name: python3
course:
  data: [none]
  full: {size: 7}
---
"""

CHAPTER = """
# Toy {number}

A toy chapter with enough words to count as a page: it squares a number, adds another, and prints what comes out.
The tests change it, break it and mend it, and look whether the tool notices. Nothing in it matters beyond that.

```{{code-cell}} ipython3
:tags: [parameters]

size = 3
rate = 0.5
label = "plain"
device = "auto"
```

```{{code-cell}} ipython3
square = size * size
```

```{{code-cell}} ipython3
:tags: [nbval-check-output]

print("params", square + {number})
```
"""


TOC = """\
format: jb-book
root: book/preface
chapters:
- file: notebooks/01_toy
- file: notebooks/02_toy
"""


class Ended(NamedTuple):
    """How a command ended."""

    status: int
    out: str
    err: str


class Toy:
    """A copy of the course with toy chapters, and the ``course`` command run inside it."""

    def __init__(self, root: Path):
        self.root = root

    def course(self, *arguments: str, timeout: int = 120) -> Ended:
        """Run ``course`` in a process of its own, as a user does."""
        process = self.start(*arguments)
        out, err = process.communicate(timeout=timeout)
        return Ended(process.returncode, out, err)

    def start(self, *arguments: str) -> subprocess.Popen:
        """Start ``course`` and return at once."""
        command = [sys.executable, "-m", "course_suite", *arguments]
        env = {key: value for key, value in os.environ.items() if key not in ("PYTHONDONTWRITEBYTECODE", "COURSE_DATA")}
        pipe = subprocess.PIPE
        return subprocess.Popen(command, cwd=self.root, env=env, stdout=pipe, stderr=pipe, stdin=pipe, text=True)

    def write(self, name: str, text: str) -> Path:
        """Write a file of the toy course."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def read(self, name: str) -> str:
        """Read a file of the toy course."""
        return (self.root / name).read_text()

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace text that must be there."""
        text = self.read(name)
        assert old in text
        self.write(name, text.replace(old, new))

    def chapter(self, number: int, extra: str = "") -> str:
        """Add a chapter with this number and return its stem."""
        stem = f"{number:02d}_toy"
        self.write(f"notebooks/{stem}.md", HEAD + CHAPTER.format(number=number) + extra)
        return stem

    def executed(self, stem: str) -> Path:
        """The executed copy of a chapter."""
        return self.root / "_build" / "executed" / f"{stem}.ipynb"


def code(source: str) -> str:
    """A code cell in MyST."""
    return f"\n```{{code-cell}} ipython3\n{source}\n```\n"


@pytest.fixture
def toy(tmp_path) -> Toy:
    """Two chapters, a preface, and a library of one file; the folder's name holds a space."""
    toy = Toy(tmp_path / "a toy")
    toy.write("pyproject.toml", (ROOT / "pyproject.toml").read_text())
    toy.write("requirements.lock", "ruff==0.1\ntorch==2.10\n")
    toy.write("README.md", f"# Toy\n\n{BEGIN}\n{END}\n")
    toy.write("CITATION.cff", "")
    toy.write("course_lib/arithmetic.py", "x = 1\n")
    toy.write("course_suite/cli.py", "x = 1\n")
    toy.write("book/preface.md", "# Preface\n\n" + "Some words to read. " * 20 + "\n")
    toy.write(
        "_toc.yml",
        TOC,
    )
    toy.write("_config.yml", "title: Toy\nauthor: Nobody\nlogo: ''\nexecute:\n  execute_notebooks: 'off'\n")
    toy.chapter(1)
    toy.chapter(2)
    yield toy
    shutil.rmtree(toy.root)
