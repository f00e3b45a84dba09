"""Exercises that check themselves: keys by name, and any right form of an answer."""

from fractions import Fraction

import numpy as np
import pytest
import torch

from course_lib.exercises import check, expect


@pytest.fixture(autouse=True)
def no_other_keys(monkeypatch):
    monkeypatch.setattr("course_lib.exercises.KEYS", {})


def no_body(x):
    """A docstring."""


def open_still(x):
    return ...


def identity(x):
    return x


@pytest.mark.parametrize("answer", [..., (..., 3), [1, ...], no_body, open_still])
def test_an_open_answer_is_no_mistake_and_its_solution_is_not_computed(capsys, answer):
    expect("ex", lambda: 3, of=lambda given: given(3) if callable(given) else given)
    check("ex", answer)
    assert "Not answered yet" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (24, 24),
        (24, lambda: 24),
        (24.0, 24),
        (np.int64(24), 24),
        (torch.tensor(24), 24),
        (Fraction(3, 5), 0.6),
        (0.1 + 0.2, 0.3),
        (3, 3.0),
        (23.5, 23.529),
        (6.91, 6.9078),
        (100.0, 99.96),
        ((1, 2), [1, 2]),
        ([1, 2.0], (1, 2.0)),
        (np.array([1, 2]), (1, 2)),
        (torch.tensor([1, 2]), [1, 2]),
        ([[1.0, 2.0]], torch.tensor([[1.0, 2.0]])),
        ("grey", "grey"),
        (" Grey ", "grey"),
        ("P, R, T", ["P", "R", "T"]),
        (["b", "a"], {"a", "b"}),
        ({"a", "b"}, {"b", "a"}),
        (np.bool_(True), True),
        (torch.ones(2, 3), torch.ones(2, 3)),
        (torch.ones(2, 3, requires_grad=True), torch.ones(2, 3)),
        (range(3, 5), range(3, 5)),
    ],
)
def test_a_right_answer_is_told_in_any_form(capsys, answer, expected):
    expect("ex", expected)
    check("ex", answer)
    assert capsys.readouterr().out == "Correct.\n"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (23, 24),
        (True, 1),
        ("24", 24),
        (24.5, 24),
        (61705, 61706),
        (0.31, 0.3),
        (23.6, 23.529),
        (24, 23.529),
        (float("nan"), 23.5),
        ((1, 2, 3), (1, 2)),
        ("P, R", ["P", "R", "T"]),
        (["a", "a"], {"a", "b"}),
        (7, {7, 8}),
        (1, True),
        (None, 3),
        (torch.ones(3), torch.ones(2, 3)),
        (torch.full((2,), float("nan")), torch.ones(2)),
        (5, torch.ones(2)),
        ("word", torch.ones(2)),
    ],
)
def test_a_wrong_answer_is_told_with_the_hint_and_without_the_solution(answer, expected):
    expect("ex", expected, hint="count again")
    with pytest.raises(AssertionError, match=r"(?s)Not yet: .* is not right\. Hint: count again"):
        check("ex", answer)


def test_how_exact_a_number_must_be_is_the_keys_choice():
    expect("ex", 6.9078, rel_tol=0.1)
    check("ex", 7)
    expect("ex", 6.9078, rel_tol=1e-6)
    with pytest.raises(AssertionError, match="is not right"):
        check("ex", 6.91)


def test_a_function_is_called_by_the_key_and_its_mistakes_are_told(capsys):
    expect("ex", 6, of=lambda double: double(3), hint="twice")
    check("ex", lambda x: 2 * x)
    assert capsys.readouterr().out == "Correct.\n"
    with pytest.raises(AssertionError, match=r"Not yet: what it gives is not right\. Hint: twice"):
        check("ex", identity)
    with pytest.raises(AssertionError, match=r"Not yet: ZeroDivisionError: .* Hint: twice"):
        check("ex", lambda x: x / 0)


def test_a_wrong_attempt_that_returns_nothing_is_an_attempt():
    done = []
    expect("ex", lambda: [1], of=lambda work: work(done) or done)

    def forgets(found):
        found = [*found, 1]

    with pytest.raises(AssertionError, match="not right"):
        check("ex", forgets)


def test_a_key_may_be_a_condition_with_a_hint_of_its_own():
    expect("ex", holds=lambda rate: rate < 1 or "smaller than one")
    check("ex", 0.5)
    with pytest.raises(AssertionError, match=r"2 is not right\. Hint: smaller than one"):
        check("ex", 2)


def test_a_name_without_a_key_and_a_key_without_a_value_are_refused():
    with pytest.raises(ValueError, match="no key for the exercise 'ex-other'"):
        check("ex-other", 1)
    with pytest.raises(ValueError, match="needs either `expected` or `holds`"):
        expect("ex")
