"""The page's arithmetic against course_lib.arithmetic: sizes, counts, fields, and the words of refusals."""

from __future__ import annotations

import pytest
from live_arithmetic_cases import RUN, Case, cases
from live_page import asked, mistake, opened

pytestmark = pytest.mark.browser

CASES = list(cases(seed=16, each=1200))


def differing(live, chosen: list[Case] = CASES) -> list[tuple]:
    """Each case in which the page and the library differ."""
    found = asked(live, RUN, [[case.function, case.arguments] for case in chosen])
    return [(case, got) for case, got in zip(chosen, found, strict=True) if got != case.expected]


def test_every_number_and_every_refusal_is_the_library_s(live):
    opened(live, "stack")
    refused = [case for case in CASES if isinstance(case.expected, dict) and "error" in case.expected]

    assert len(CASES) > 9000
    assert len(refused) > 2000
    assert {case.function for case in refused} == {case.function for case in CASES}
    assert differing(live) == []


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("Math.floor((padded - effective) / stride) + 1", "Math.ceil((padded - effective) / stride) + 1"),
        ("last * stride < size + padding", "last * stride < size + 2 * padding"),
        ("(inChannels / groups)", "inChannels"),
        ("(bias ? outChannels : 0)", "(bias ? 1 : 0)"),
        ("(bias ? outFeatures : 0)", "0"),
        ("size + steps * jump", "size + (steps + 1) * jump"),
        ("steps / 2 - padding", "steps / 2"),
    ],
)
def test_a_mistake_is_found(live, right, wrong):
    with mistake(live, "arithmetic.js", right, wrong):
        opened(live, "stack")
        found = differing(live, CASES[:5600])

    assert found != []
