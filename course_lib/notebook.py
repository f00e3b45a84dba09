"""What a chapter needs besides its subject: numbers for the prose, predictions, exercises, the library's own lines."""

from __future__ import annotations

import ast
import inspect
import textwrap
from typing import Any

from IPython.display import Markdown, display

from course_lib.exercises import check, expect

__all__ = ["check", "expect", "glue", "reveal", "show_source"]

GLUE_PREFIX = "application/papermill.record/"


def glue(name: str, value: Any) -> None:
    """Store ``value`` under ``name`` so that the page's text can show it: ``{glue:text}`name```.

    The value reaches the page as the text that ``str`` makes of it, so format it first: ``f"{params:,}"``. The output
    is what MyST-NB calls a glued value; no MyST package is needed to run the notebook, in Colab for instance. There it
    shows as ``name = value``, and on the page not at all.

    Raises:
        ValueError: the name has characters other than letters, digits, ``-`` and ``_``.
    """
    if not name.replace("-", "").replace("_", "").isalnum():
        raise ValueError(f"glue name must hold letters, digits, '-' and '_' only, got {name!r}")
    store(name, value, shown=f"{name} = {value}")


def store(name: str, value: Any, shown: str = "") -> None:
    """Put ``value`` under ``name`` into the cell's outputs for the page to find; a notebook shows ``shown`` there."""
    metadata = {"scrapbook": {"name": name, "mime_prefix": GLUE_PREFIX}}
    text = repr(str(value))  # MyST-NB evaluates the text: without quotes it would make (200, 704) of 200,704
    data = {GLUE_PREFIX + "text/plain": text} | ({"text/plain": shown} if shown else {})
    display(data, raw=True, metadata=metadata)


def reveal(name: str, outcome: Any) -> None:
    """Store what came out of the prediction ``name``: the text of one of its options, or a short sentence.

    The page marks the reader's prediction against it. Compute it from the run, never type it.

    Raises:
        ValueError: the name has characters other than letters, digits, ``-`` and ``_``.
    """
    glue(name, outcome)


def show_source(*objects: Any) -> None:
    """Show the library's own lines of classes or functions, without their docstrings."""
    code = "\n\n\n".join(_without_docstrings(textwrap.dedent(inspect.getsource(item))).strip() for item in objects)
    display(Markdown(f"```python\n{code}\n```"))


def _without_docstrings(source: str) -> str:
    lines = source.splitlines()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            first, last = node.body[0].lineno - 1, node.body[0].end_lineno
            lines[first:last] = [None] * (last - first)
            if last < len(lines) and lines[last] == "":
                lines[last] = None
    return "\n".join(line for line in lines if line is not None)
