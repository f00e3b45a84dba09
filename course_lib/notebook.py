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


def check(answer: Any, expected: Any, hint: str = "") -> None:
    """Say whether an exercise's answer is right.

    Args:
        answer: what the reader wrote; ``...`` means not answered yet.
        expected: the right value, or a function that computes it (called only once there is an answer). Floats
            are equal within 1e-6 relative; tensors and arrays element by element, sequences item by item.
        hint: added to the message when the answer is wrong.

    Raises:
        AssertionError: the answer is wrong; the message carries the answer and the hint, not the solution.
    """
    if answer is ...:
        print("Not answered yet: replace the ... above, then run this cell again.")
        return
    right = expected() if isinstance(expected, Callable) else expected
    if not _equal(answer, right):
        raise AssertionError(f"Not yet: {answer!r} is not right." + (f" Hint: {hint}" if hint else ""))
    print("Correct.")


def _equal(answer: Any, right: Any) -> bool:
    """Equality for numbers, strings, tensors, and sequences of them; floats within 1e-6 relative."""
    if hasattr(right, "shape"):
        return tuple(getattr(answer, "shape", ())) == tuple(right.shape) and bool((abs(answer - right) <= 1e-5).all())
    if isinstance(right, list | tuple):
        return (
            isinstance(answer, list | tuple)
            and len(answer) == len(right)
            and all(_equal(a, r) for a, r in zip(answer, right, strict=True))
        )
    if isinstance(right, float) and isinstance(answer, int | float):
        return math.isclose(answer, right, rel_tol=1e-6, abs_tol=1e-9)
    return type(answer) is type(right) and answer == right
