"""Numbers for the prose, and exercises that check themselves."""

import subprocess
import sys

import numpy as np
import pytest
import torch

from course_lib.notebook import check, glue


def test_importing_the_library_imports_nothing_heavy():
    code = "import sys, course_lib; print([m for m in ('torch', 'numpy', 'matplotlib', 'IPython') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


def test_an_open_answer_is_no_mistake_and_its_solution_is_not_computed(capsys):
    check(..., lambda: 1 / 0)
    assert "Not answered yet" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (24, 24),
        (24, lambda: 24),
        (24.0, 24),
        (np.int64(24), 24),
        (torch.tensor(24), 24),
        (0.1 + 0.2, 0.3),
        (3, 3.0),
        ((1, 2), [1, 2]),
        ([1, 2.0], (1, 2.0)),
        ("grey", "grey"),
        (torch.ones(2, 3), torch.ones(2, 3)),
        (range(3, 5), range(3, 5)),
    ],
)
def test_a_right_answer_is_told(capsys, answer, expected):
    check(answer, expected)
    assert capsys.readouterr().out == "Correct.\n"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (23, 24),
        (True, 1),
        ("24", 24),
        (24.5, 24),
        (0.31, 0.3),
        ((1, 2, 3), (1, 2)),
        (torch.ones(3), torch.ones(2, 3)),
        (torch.full((2,), float("nan")), torch.ones(2)),
        (5, torch.ones(2)),
    ],
)
def test_a_wrong_answer_is_told_with_the_hint_and_without_the_solution(answer, expected):
    with pytest.raises(AssertionError, match=r"Not yet: .* is not right\. Hint: count again"):
        check(answer, expected, hint="count again")


def test_a_rounded_answer_is_right_where_the_exercise_says_so():
    check(6.91, 6.9078, rel_tol=1e-2)
    with pytest.raises(AssertionError, match="is not right"):
        check(6.91, 6.9078)


def test_glue_stores_text_that_the_page_can_show(monkeypatch):
    shown = []
    monkeypatch.setattr("course_lib.notebook.display", lambda data, **rest: shown.append((data, rest)))
    glue("lenet5-params", f"{61706:,}")
    data = {"application/papermill.record/text/plain": "'61,706'"}  # MyST-NB takes the quotes off
    metadata = {"scrapbook": {"name": "lenet5-params", "mime_prefix": "application/papermill.record/"}}
    assert shown == [(data, {"raw": True, "metadata": metadata})]


def test_a_glue_name_with_other_characters_is_refused():
    with pytest.raises(ValueError, match="got 'two words'"):
        glue("two words", 1)
