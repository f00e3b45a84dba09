"""Printed against computed: the rules of comparison, and the verdicts that they give."""

from __future__ import annotations

import re
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from itertools import zip_longest
from typing import Any, NamedTuple

# exact: equal, or not. rounded: equal, or equal after rounding or truncating to the digits printed. spread: a
# measurement, put beside what is printed. qualitative: a statement, which the computation finds true or false.
RULES = ("exact", "rounded", "spread", "qualitative")
# From best to worst: of a figure in several parts the worst verdict counts, of those parts that were attempted.
VERDICTS = ("reproduced", "rounded", "measured", "ambiguous", "differs", "not attempted")
NEEDS_NO_REASON = ("reproduced", "rounded")

MULTIPLIERS = {
    "": 1, "k": 10**3, "K": 10**3, "thousand": 10**3, "M": 10**6, "million": 10**6, "B": 10**9, "G": 10**9,
    "billion": 10**9, "T": 10**12, "%": 1, "x": 1, "×": 1,
}  # fmt: skip
NUMBER = re.compile(
    r"(?:~|about )?\s*(-?\d[\d,]*(?:\.\d+)?(?:e-?\d+)?)\s*(k|K|thousand|M|million|B|G|billion|T|%|x|×)?"
)


class Printed(NamedTuple):
    """A printed number: its value, and the value of one in its last digit."""

    value: Decimal
    step: Decimal


class Part(NamedTuple):
    """One part of a figure: as printed, as computed, its verdict (None where nothing is printed), and how it came."""

    stated: Any
    found: Any
    verdict: str | None
    how: str = ""


def parse_number(stated: Any, step: float | None = None) -> Printed | None:
    """A printed number with its digits: 7.0, "7.0", "60M", "340,908", "~220k"; None for any other text.

    Args:
        step: the value of one in the last significant digit, where that is not the last digit printed, in the unit
            of the number as printed: 10000 for "650,000" meant to two digits.
    """
    if isinstance(stated, bool) or not isinstance(stated, int | float | str):
        return None
    match = NUMBER.fullmatch(str(stated).strip())
    if match is None:
        return None
    number, multiplier = Decimal(match[1].replace(",", "")), MULTIPLIERS[match[2] or ""]
    last = Decimal(str(step)) if step is not None else Decimal(1).scaleb(min(0, number.as_tuple().exponent))
    return Printed(number * multiplier, last * multiplier)


def compare(stated: list[Any], found: list[Any], rule: str, step: float | None = None) -> list[Part]:
    """The parts of a figure with their verdicts; a part too many or too few differs."""
    missing = object()
    parts = []
    for one, other in zip_longest(stated, found, fillvalue=missing):
        if one is missing or other is missing:
            shown = [None if value is missing else value for value in (one, other)]
            parts.append(Part(*shown, "differs", "the numbers of parts differ"))
        else:
            parts.append(compare_part(one, other, rule, step))
    return parts


def compare_part(stated: Any, found: Any, rule: str, step: float | None = None) -> Part:
    """One part: what is printed against what was computed, by a rule of ``RULES``."""
    if found is None:
        return Part(stated, found, "not attempted" if stated is not None else None)
    if stated is None:
        return Part(stated, found, None, "not printed")
    if rule == "spread":
        return Part(stated, found, "measured")
    if rule == "qualitative":
        if not isinstance(found, bool):
            raise ValueError(f"rule qualitative needs a function that finds true or false, got {found!r}")
        return Part(stated, found, "reproduced" if found else "differs", "holds" if found else "does not hold")
    printed = parse_number(stated, step)
    if printed is not None and isinstance(found, int | float) and not isinstance(found, bool):
        return Part(stated, found, *_numbers(printed, Decimal(str(found)), rule))
    return Part(stated, found, "reproduced" if _plain(stated) == _plain(found) else "differs")


def _numbers(printed: Printed, found: Decimal, rule: str) -> tuple[str, str]:
    if found == printed.value:
        return "reproduced", ""
    if rule == "rounded":
        for rounding, how in ((ROUND_HALF_UP, "rounded"), (ROUND_HALF_EVEN, "rounded"), (ROUND_DOWN, "truncated")):
            if (found / printed.step).to_integral_value(rounding) * printed.step == printed.value:
                return "rounded", how
    return "differs", ""


def _plain(value: Any) -> Any:
    """A text without differences of spelling; anything else as it is."""
    if not isinstance(value, str):
        return value
    return " ".join(value.replace("×", "x").replace("–", "-").split())


def worst(parts: list[Part]) -> str | None:
    """The verdict of a whole figure: the worst of its attempted parts; None where no part has one."""
    verdicts = {part.verdict for part in parts if part.verdict is not None}
    attempted = verdicts - {"not attempted"} or verdicts
    return max(attempted, key=VERDICTS.index) if attempted else None
