"""Budgets: reported for each chapter, and a failure only when far exceeded."""

import pytest
from rich.console import Console

from course_suite.execute import Result
from course_suite.report import over_budget, print_report


@pytest.mark.parametrize(
    ("seconds", "peak_mib", "words"),
    [
        (80, 1000, []),
        (120, 1000, []),  # a slow machine
        (300, 1000, ["01_toy took 300 s, far over its budget of 90 s"]),
        (10, 3000, ["01_toy took 3000 MiB, over its budget of 2048 MiB"]),
        (None, None, []),
    ],
)
def test_only_what_is_far_over_the_budget_is_a_problem(seconds, peak_mib, words):
    assert over_budget([Result("01_toy", "Toy", "ran", seconds, peak_mib)]) == words


def test_the_table_shows_the_share_of_the_budget(capsys):
    print_report(Console(width=100), [Result("01_toy", "Toy", "ran", 45.0, 100.0)])
    assert "50%" in capsys.readouterr().out
