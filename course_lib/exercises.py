"""Exercises that check themselves: keys by name, and answers in any form that is right.

A chapter gives its keys in one cell, by ``expect``; under each exercise stands ``check("its name", answer)``.
So the line that a reader sees does not show what it compares with.
"""

from __future__ import annotations

import base64
import dis
import json
import math
import numbers
from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from types import FunctionType
from typing import Any

DIGITS = 3  # a number that is not whole may be given to this many significant digits


@dataclass(frozen=True)
class Key:
    """What the answer to an exercise is compared with; see ``expect``."""

    expected: Any
    of: Callable[[Any], Any] | None
    holds: Callable[[Any], bool | str] | None
    hint: str
    rel_tol: float | None

    def value(self) -> Any:
        """The right value, computed now where it was given as a function."""
        return self.expected() if callable(self.expected) else self.expected


KEYS: dict[str, Key] = {}


def expect(
    name: str,
    expected: Any = None,
    *,
    of: Callable[[Any], Any] | None = None,
    holds: Callable[[Any], bool | str] | None = None,
    hint: str = "",
    rel_tol: float | None = None,
) -> None:
    """Store the key of the exercise ``name``.

    Args:
        name: the exercise's label, such as ``ex-size-by-hand``.
        expected: the right value, or a function that computes it (called only once there is an answer).
        of: what is compared when the answer itself is not: it takes the answer (a function that the reader wrote, for
            instance) and returns a value.
        holds: in place of ``expected``: takes the answer and says whether it is right, or returns a hint if it is not.
        hint: added to the message when the answer is wrong.
        rel_tol: relative difference between numbers that is let pass. By default whole numbers must be equal, and
            others agree to three significant digits.

    Raises:
        ValueError: both or none of ``expected`` and ``holds`` are given.
    """
    if (expected is None) == (holds is None):
        raise ValueError(f"the key of {name!r} needs either `expected` or `holds`, and not both")
    KEYS[name] = Key(expected, of, holds, hint, rel_tol)


def check(name: str, answer: Any) -> None:
    """Say whether the answer to the exercise ``name`` is right.

    ``...``, a sequence with ``...`` in it, a function without a body, and a function that returns ``...`` are not
    answered yet. Everything else is an answer.

    Raises:
        AssertionError: the answer is wrong; the message carries the answer and a hint, never the solution.
        ValueError: no exercise of this name has a key.
    """
    if name not in KEYS:
        raise ValueError(f"no key for the exercise {name!r}: run the cell 'Keys of the exercises' first")
    if _is_open(answer):
        print("Not answered yet: replace the ... above.")
        return
    key, watched = KEYS[name], _Watched(answer) if isinstance(answer, FunctionType) else None
    try:
        given = key.of(watched or answer) if key.of else answer
        verdict = key.holds(watched or given) if key.holds else same(given, key.value(), key.rel_tol)
    except Exception as error:
        if watched and watched.is_open:
            print("Not answered yet: replace the ... above.")
            return
        hint = f" Hint: {key.hint}" if key.hint else ""
        raise AssertionError(f"Not yet: {type(error).__name__}: {error}.{hint}") from error
    if watched and watched.is_open:
        print("Not answered yet: replace the ... above.")
        return
    if verdict is not True and not (hasattr(verdict, "item") and verdict.item() is True):
        hint = verdict if isinstance(verdict, str) else key.hint
        found = "what it gives is not right" if callable(answer) else f"{answer!r} is not right"
        raise AssertionError(f"Not yet: {found}." + (f" Hint: {hint}" if hint else ""))
    print("Correct.")
    if not (key.of or key.holds):
        _publish(name, key)


def _publish(name: str, key: Key) -> None:
    """Hand the key of a solved exercise to the page, where a number or a word can be answered without a kernel."""
    from IPython import get_ipython

    value = _plain(key.value())
    if value is None or get_ipython() is None:
        return
    from course_lib.notebook import store

    text = json.dumps({"value": value, "hint": key.hint, "rel_tol": key.rel_tol, "digits": DIGITS})
    store(f"key-{name}", base64.b64encode(text.encode()).decode()[::-1])  # not to be read at a glance


def _plain(value: Any) -> dict | list | float | str | bool | None:
    """Numbers, words and sequences of them as JSON has them, a set as ``{"any order": [...]}``; None for all else."""
    if isinstance(value, AbstractSet):
        items = [_plain(item) for item in value]
        return None if None in items else {"any order": items}
    if isinstance(value, list | tuple):
        items = [_plain(item) for item in value]
        return None if None in items or not items else items
    value = _scalar(value)
    if isinstance(value, bool | str | int):
        return value
    return float(value) if isinstance(value, numbers.Real) else None


class _Watched:
    """A reader's function that notices when it returns ``...``."""

    def __init__(self, function: FunctionType):
        self.function, self.is_open = function, False

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        value = self.function(*args, **kwargs)
        self.is_open = self.is_open or value is ...
        return value


def _is_open(answer: Any) -> bool:
    """Whether nothing was answered."""
    if isinstance(answer, list | tuple):
        return any(item is ... for item in answer)
    return answer is ... or (isinstance(answer, FunctionType) and _has_no_body(answer))


def _has_no_body(function: FunctionType) -> bool:
    """Whether a function does nothing: its body is ``...``, ``pass`` or a docstring."""
    constants = [value for value in function.__code__.co_consts if value not in (None, ..., function.__doc__)]
    loads = [step for step in dis.get_instructions(function) if step.opname.startswith(("LOAD_FAST", "LOAD_DEREF"))]
    return not (constants or loads or function.__code__.co_names)


def same(answer: Any, right: Any, rel_tol: float | None = None) -> bool:
    """Whether an answer is the right value, in whatever type a reader may have it.

    Numbers may be int, float, Fraction, numpy or torch scalars; sequences may be lists, tuples, arrays or tensors;
    words may differ in case and in the space around them, and a list of words may be one text with commas. A set as
    the right value takes its items in any order.
    """
    if isinstance(right, AbstractSet):
        items = _words(answer) if isinstance(answer, str) else answer
        if not isinstance(items, Iterable):
            return False
        items = list(items)
        return len(items) == len(right) and all(any(same(a, r, rel_tol) for a in items) for r in right)
    if getattr(right, "ndim", 0) > 0:
        return _same_array(answer, right)
    if isinstance(right, list | tuple):
        if isinstance(answer, str):
            answer = _words(answer)
        if hasattr(answer, "tolist"):
            answer = answer.tolist()
        return (
            isinstance(answer, list | tuple)
            and len(answer) == len(right)
            and all(same(a, r, rel_tol) for a, r in zip(answer, right, strict=True))
        )
    answer, right = _scalar(answer), _scalar(right)
    if isinstance(right, bool):
        return isinstance(answer, bool) and answer == right
    if isinstance(right, numbers.Real):
        return _is_number(answer) and _close(float(answer), float(right), rel_tol)
    if isinstance(right, str):
        return isinstance(answer, str) and answer.strip().casefold() == right.strip().casefold()
    return type(answer) is type(right) and answer == right


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",")]


def _scalar(value: Any) -> Any:
    """A plain Python value of a scalar of numpy or torch."""
    return value.item() if getattr(value, "ndim", None) == 0 else value


def _is_number(value: Any) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def _close(answer: float, right: float, rel_tol: float | None) -> bool:
    if rel_tol is not None:
        return math.isclose(answer, right, rel_tol=rel_tol, abs_tol=1e-9)
    if not math.isfinite(right) or right == round(right):
        return math.isclose(answer, right, rel_tol=1e-9, abs_tol=1e-9)
    unit = 10.0 ** (math.floor(math.log10(abs(right))) - DIGITS + 1)  # of the last digit that must be right
    return abs(answer - right) <= 0.5 * unit * (1 + 1e-9)


def _same_array(answer: Any, right: Any) -> bool:
    """Equality of arrays or tensors to 1e-4, the answer given as either or as nested lists."""
    import numpy as np

    def array(value: Any) -> np.ndarray:
        return np.asarray(value.detach() if hasattr(value, "detach") else value, dtype=float)

    try:
        mine, wanted = array(answer), array(right)
    except (TypeError, ValueError):
        return False
    return mine.shape == wanted.shape and bool((abs(mine - wanted) <= 1e-4).all())
