"""The kernel that answers with what the run gave: it finds the run by its code, and never guesses."""

import nbformat
import pytest

from course_suite.merge import join_streams
from course_suite.replay import NotRunError, Runs

v4 = nbformat.v4


def run_of(*cells):
    """An executed copy whose cells have these sources and print these texts."""
    return v4.new_notebook(cells=[v4.new_code_cell(source, outputs=[stream(text)]) for source, text in cells])


def stream(text, name="stdout"):
    return v4.new_output("stream", name=name, text=text)


def texts(outputs):
    return "".join(output.text for output in outputs)


def test_cells_are_answered_in_their_order_though_their_code_is_the_same():
    runs = Runs([run_of(("f()", "1"), ("f()", "2"))])
    assert [texts(runs.answer("f()")) for _ in range(2)] == ["1", "2"]
    with pytest.raises(NotRunError, match="this cell is in no executed copy; run: course run"):
        runs.answer("f()")


def test_the_run_is_found_by_the_code_that_went_before():
    runs = Runs([run_of(("a", ""), ("f()", "1")), run_of(("b", ""), ("f()", "2"))])
    runs.answer("b")
    assert texts(runs.answer("f()")) == "2"


def test_the_parameters_that_papermill_put_in_between_are_passed_over():
    runs = Runs([run_of(("size = 3", ""), ("# Parameters\nsize = 4", ""), ("size", "4"))])
    runs.answer("size = 3")
    assert texts(runs.answer("size")) == "4"


def test_two_runs_that_cannot_be_told_apart_are_not_guessed_between():
    with pytest.raises(NotRunError, match="2 executed copies begin with the same code, and differ"):
        Runs([run_of(("f()", "1")), run_of(("f()", "2"))]).answer("f()")


def test_neighbouring_pieces_of_one_stream_are_joined_and_no_others():
    shown = v4.new_output("display_data", data={"text/plain": "x"})
    pieces = [stream("a"), stream("b"), stream("c", "stderr"), stream("d"), shown, stream("e")]
    joined = join_streams(pieces)
    assert [output.get("text") for output in joined] == ["ab", "c", "d", None, "e"]
    assert pieces[0].text == "a"
