"""Parameters given on the command line: names checked, values typed like the defaults that they replace."""

from __future__ import annotations

import ast
import keyword
from typing import TYPE_CHECKING, Any

from course_suite.errors import UserError

if TYPE_CHECKING:
    from course_suite.chapters import Chapter

# Typer has no repeatable option with two values, so the two travel as one, joined by a character that no one types.
SEPARATOR = "\x1f"
WORDS = {"true": True, "false": False, "none": None, "null": None}


def join_pairs(arguments: list[str]) -> list[str]:
    """Join the two words after each ``-p`` or ``--parameter`` into one.

    Raises:
        UserError: fewer than two words follow.
    """
    joined, rest = [], iter(arguments)
    for argument in rest:
        joined.append(argument)
        if argument in ("-p", "--parameter"):
            name, value = next(rest, None), next(rest, None)
            if name is None or value is None:
                raise UserError(f"{argument} takes a name and a value, as in: {argument} epochs 3")
            joined.append(name + SEPARATOR + value)
        elif argument == "--":
            joined.extend(rest)
    return joined


def split_pairs(values: list[str]) -> list[tuple[str, str]]:
    """The names and values that :func:`join_pairs` joined.

    Raises:
        UserError: a value came another way, such as ``--parameter=epochs``.
    """
    pairs = [tuple(value.split(SEPARATOR)) for value in values]
    for pair in pairs:
        if len(pair) != 2:
            raise UserError(f"--parameter takes a name and a value, as in: --parameter epochs 3; got {pair[0]!r}")
    return pairs


def parse_value(text: str) -> Any:
    """A number, a word such as ``true``, a quoted string or a list becomes that; anything else stays text."""
    if text.lower() in WORDS:
        return WORDS[text.lower()]
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def typed(name: str, text: str, default: Any) -> Any:
    """``text`` as a value of the default's type.

    Raises:
        UserError: it is not such a value.
    """
    if isinstance(default, str):
        return text
    value = parse_value(text)
    wanted = type(default)
    if default is None or type(value) is wanted:
        return value
    if wanted is float and type(value) is int:
        return float(value)
    raise UserError(f"parameter {name} takes {wanted.__name__} (default {default!r}), got {text!r}")


def check_name(name: str) -> None:
    """Refuse a name that is not an identifier: it would be executed as code.

    Raises:
        UserError: the name is not an identifier, or is a word of the language.
    """
    if not name.isidentifier() or keyword.iskeyword(name):
        raise UserError(f"parameter name {name!r} is not a Python identifier")


def overrides(chapter: Chapter, profile: str, device: str, given: list[tuple[str, str]]) -> dict[str, Any]:
    """The parameters of ``chapter`` that differ from its defaults under a profile, a device and given values.

    Raises:
        UserError: a name is not one of the chapter's parameters, or a value is of another type.
    """
    known = chapter.parameters
    values = {} if profile == "quick" else dict(chapter.options.get(profile, {}))
    if device != "auto" and "device" in known:
        values["device"] = device
    for name, text in given:
        check_name(name)
        if name not in known:
            listed = ", ".join(f"{key} = {value!r}" for key, value in known.items())
            raise UserError(f"chapter {chapter.stem} has no parameter {name!r}; it has: {listed}")
        values[name] = typed(name, text, known[name])
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise UserError(f"{chapter.source.name}: the {profile} profile sets {unknown[0]!r}, not in the parameters cell")
    return {name: value for name, value in values.items() if value != known[name]}
