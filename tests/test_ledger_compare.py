"""Printed against computed: numbers with their digits, the rules, the verdicts."""

from __future__ import annotations

import pytest

from course_suite.ledger.compare import compare, parse_number, worst
from course_suite.ledger.entry import as_parts


@pytest.mark.parametrize(
    ("printed", "value", "step"),
    [
        (138, 138, 1),
        (7.0, 7, 0.1),
        ("7.00", 7, 0.01),
        ("340,908", 340_908, 1),
        ("60M", 60_000_000, 1_000_000),
        ("5.3 M", 5_300_000, 100_000),
        ("60 million", 60_000_000, 1_000_000),
        ("~220k", 220_000, 1_000),
        ("about 90", 90, 1),
        ("12x", 12, 1),
        ("7k", 7_000, 1_000),
        ("7K", 7_000, 1_000),
        ("7 thousand", 7_000, 1_000),
        ("1.5B", 1_500_000_000, 100_000_000),
        ("2 billion", 2_000_000_000, 1_000_000_000),
        ("4G", 4_000_000_000, 1_000_000_000),
        ("0.4T", 400_000_000_000, 100_000_000_000),
        ("5%", 5, 1),
        ("2 ×", 2, 1),
        ("1e-4", 0.0001, 0.0001),
        (-0.1, -0.1, 0.1),
    ],
)
def test_printed_numbers_keep_their_digits(printed, value, step):
    assert tuple(map(float, parse_number(printed))) == (value, step)


@pytest.mark.parametrize("text", ["6@28x28", "3x3x64", "1/10", "o = i", "1 1", True, None, [3]])
def test_other_texts_are_no_numbers(text):
    assert parse_number(text) is None


@pytest.mark.parametrize(
    ("stated", "found", "verdict", "how"),
    [
        (156, 156, "reproduced", ""),
        (2, 2.0, "reproduced", ""),
        (138, 138.357544, "rounded", "rounded"),
        (138, 138.5, "rounded", "rounded"),  # to the even digit
        (139, 138.5, "rounded", "rounded"),
        (138, 138.7, "rounded", "truncated"),
        (138, 139.0, "differs", ""),
        (1.5, 1.55, "rounded", "truncated"),
        (7.0, 6.96, "rounded", "rounded"),
        (7.0, 6.9, "differs", ""),
        ("60M", 60_965_224, "rounded", "truncated"),
        (-1.2, -1.25, "rounded", "rounded"),
        ("14×14×512", "14x14x512", "reproduced", ""),
        ("14x14x512", "14x14x480", "differs", ""),
        ("14x14x480", "14x14x512", "differs", ""),
        (True, True, "reproduced", ""),
        (True, False, "differs", ""),
        (1, True, "reproduced", ""),
        (5, None, "not attempted", ""),
        (None, 5, None, "not printed"),
    ],
)
def test_rule_rounded(stated, found, verdict, how):
    (part,) = compare([stated], [found], "rounded")

    assert part.verdict == verdict
    assert part.how == how


def test_rule_exact_takes_no_rounding():
    assert compare([138], [138.2], "exact")[0].verdict == "differs"


def test_step_says_which_digits_are_significant():
    assert compare(["650,000"], [659_272], "rounded")[0].verdict == "differs"
    assert compare(["650,000"], [659_272], "rounded", step=10_000)[0].verdict == "rounded"
    assert compare(["650,000"], [670_000], "rounded", step=10_000)[0].verdict == "differs"


@pytest.mark.parametrize(("found", "verdict"), [(True, "reproduced"), (False, "differs")])
def test_rule_qualitative_asks_whether_a_statement_holds(found, verdict):
    assert compare(["almost half"], [found], "qualitative")[0].verdict == verdict


def test_rule_qualitative_needs_true_or_false():
    with pytest.raises(ValueError, match=r"finds true or false, got 0\.58"):
        compare(["almost half"], [0.58], "qualitative")


@pytest.mark.parametrize("stated", [99.05, 98.0, "?"])
def test_rule_spread_puts_a_measurement_beside_what_is_printed(stated):
    assert [part.verdict for part in compare([stated], [{"n": 3, "mean": 99.0, "spread": 0.1}], "spread")] == [
        "measured"
    ]


def test_the_worst_of_the_attempted_parts_counts():
    parts = compare([77.3, 93.5, 5.3, 0.39], [None, None, 5.288548, 0.39], "rounded")
    assert [part.verdict for part in parts] == ["not attempted", "not attempted", "rounded", "reproduced"]
    assert worst(parts) == "rounded"
    assert worst(compare([1, 2], [1, 3], "rounded")) == "differs"
    assert worst(compare([1, 2], [None, None], "rounded")) == "not attempted"
    assert worst(compare([None], [3], "rounded")) is None


def test_a_part_too_few_or_too_many_differs():
    assert worst(compare([0, 1, 2], [0, 1, 2, 3], "rounded")) == "differs"
    assert worst(compare([0, 1, 2], [0, 1], "rounded")) == "differs"
    assert compare([0, 1], [0], "rounded")[1] == (1, None, "differs", "the numbers of parts differ")
    assert compare([0], [0, 1], "rounded")[1] == (None, 1, "differs", "the numbers of parts differ")


@pytest.mark.parametrize(
    ("stated", "parts"),
    [
        ("77.3 / 93.5 / 5.3 / 0.39", ["77.3", "93.5", "5.3", "0.39"]),
        ("Conv / s1", ["Conv / s1"]),
        ("1024/199", ["1024/199"]),
        ([1, "a"], [1, "a"]),
        (3, [3]),
    ],
)
def test_parts_of_a_figure(stated, parts):
    assert as_parts(stated) == parts
