"""What a chapter needs besides its subject: numbers for the prose, and exercises that check themselves."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from IPython.display import display

GLUE_PREFIX = "application/papermill.record/"


def glue(name: str, value: Any) -> None:
    """Store ``value`` under ``name`` so that the page's text can show it: ``{glue:text}`name```.

    The value reaches the page as the text that ``str`` makes of it, so format it first: ``f"{params:,}"``. The output
    is what MyST-NB calls a glued value; no MyST package is needed to run the notebook, in Colab for instance.

    Raises:
        ValueError: the name has characters other than letters, digits, ``-`` and ``_``.
    """
    if not name.replace("-", "").replace("_", "").isalnum():
        raise ValueError(f"glue name must hold letters, digits, '-' and '_' only, got {name!r}")
    metadata = {"scrapbook": {"name": name, "mime_prefix": GLUE_PREFIX}}
    text = repr(str(value))  # MyST-NB evaluates the text: without quotes it would make (200, 704) of 200,704
    display({GLUE_PREFIX + "text/plain": text}, raw=True, metadata=metadata)


def check(answer: Any, expected: Any, hint: str = "", *, rel_tol: float = 1e-6) -> None:
    """Say whether an exercise's answer is right.

    Args:
        answer: what the reader wrote; ``...`` means not answered yet.
        expected: the right value, or a function that computes it (called only once there is an answer). A number may
            be given in any type of number; tensors and arrays are compared element by element, sequences item by item.
        hint: added to the message when the answer is wrong.
        rel_tol: relative difference between numbers that is let pass; larger where a rounded answer is right.

    Raises:
        AssertionError: the answer is wrong; the message carries the answer and the hint, not the solution.
    """
    if answer is ...:
        print("Not answered yet: replace the ... above.")
        return
    right = expected() if isinstance(expected, Callable) else expected
    if not _equal(answer, right, rel_tol):
        raise AssertionError(f"Not yet: {answer!r} is not right." + (f" Hint: {hint}" if hint else ""))
    print("Correct.")


def _equal(answer: Any, right: Any, rel_tol: float) -> bool:
    """Equality for numbers, strings, tensors, and sequences of them."""
    if getattr(right, "ndim", 0) > 0:
        return tuple(getattr(answer, "shape", ())) == tuple(right.shape) and bool((abs(answer - right) <= 1e-4).all())
    if isinstance(right, list | tuple):
        return (
            isinstance(answer, list | tuple)
            and len(answer) == len(right)
            and all(_equal(a, r, rel_tol) for a, r in zip(answer, right, strict=True))
        )
    answer, right = (value.item() if hasattr(value, "item") else value for value in (answer, right))
    if _is_number(right):
        return _is_number(answer) and math.isclose(answer, right, rel_tol=rel_tol, abs_tol=1e-9)
    return type(answer) is type(right) and answer == right


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
