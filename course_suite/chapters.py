"""A chapter: its source, its title, its parameters, and the notebook that the source stands for."""

from __future__ import annotations

import ast
import hashlib
import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import jupytext
from nbformat import NotebookNode

from course_suite.errors import UserError

CHECK_TAG = "nbval-check-output"
PARAMETERS_TAG = "parameters"


@dataclass(frozen=True)
class Chapter:
    """``notebooks/NN_name.md`` and what follows from it."""

    source: Path

    @property
    def stem(self) -> str:
        """The file name without an ending, such as ``09_lenet5``."""
        return self.source.stem

    @property
    def number(self) -> int:
        """The chapter's number: the digits that the file name starts with."""
        match = re.match(r"\d+", self.stem)
        if match is None:
            raise UserError(f"{self.source.name}: a chapter's file name starts with its number, as in 09_lenet5.md")
        return int(match.group())

    @property
    def pair(self) -> Path:
        """The committed notebook that is generated from the source."""
        return self.source.with_suffix(".ipynb")

    @property
    def recorded(self) -> Path:
        """What is kept of the recorded run."""
        return self.source.parent / "recorded" / f"{self.stem}.json"

    @cached_property
    def notebook(self) -> NotebookNode:
        """The source as a notebook without outputs, with cell ids that do not change from one reading to the next."""
        notebook = jupytext.read(self.source, fmt="md:myst")
        seen: Counter[str] = Counter()
        for cell in notebook.cells:
            name = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:12]
            cell["id"] = name if not seen[name] else f"{name}-{seen[name]}"
            seen[name] += 1
        return notebook

    @property
    def title(self) -> str:
        """The text of the first heading."""
        for cell in self.notebook.cells:
            match = re.search(r"^# +(.+)$", cell.source, flags=re.MULTILINE) if cell.cell_type == "markdown" else None
            if match:
                return match.group(1).strip()
        raise UserError(f"{self.source.name}: no title; begin the chapter with a line '# Title'")

    @property
    def options(self) -> dict[str, Any]:
        """What the front matter says under ``course``: the data it reads, and the values of other profiles."""
        return self.notebook.metadata.get("course", {})

    @cached_property
    def parameters(self) -> dict[str, Any]:
        """Names and default values of the parameters cell, in order."""
        cells = [cell for cell in self.notebook.cells if PARAMETERS_TAG in tags(cell)]
        if len(cells) != 1:
            raise UserError(f"{self.source.name}: exactly one cell is tagged '{PARAMETERS_TAG}', found {len(cells)}")
        found = {}
        for statement in ast.parse(cells[0].source).body:
            if not (isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name)):
                raise UserError(f"{self.source.name}: the parameters cell holds only lines of the form name = value")
            try:
                found[statement.targets[0].id] = ast.literal_eval(statement.value)
            except ValueError:
                raise UserError(
                    f"{self.source.name}: parameter {statement.targets[0].id} is not a plain value"
                ) from None
        return found


def tags(cell: NotebookNode) -> list[str]:
    """The tags of a cell; none for a cell without metadata."""
    return cell.metadata.get("tags", [])


def is_check(cell: NotebookNode) -> bool:
    """Whether nbval compares this cell's output."""
    return cell.cell_type == "code" and CHECK_TAG in tags(cell)
