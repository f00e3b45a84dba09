"""The ledger: reading entries, reviewing them, filling in what was found, and the command."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys

import pytest
from ledger_drafts import ENTRY, entry_of, written

from course_suite.cli import main as course
from course_suite.ledger import EntryError, Ledger, entries, load, problems, review
from course_suite.ledger.fill import fill_file, filled
from course_suite.ledger.text import counts_text, figure_text, stated_text


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("  rule: guess", r"some\.yaml, entry an-entry: field 'rule' must be one of exact, .*, got 'guess'"),
        ("  verdict: fine", r"entry an-entry: field 'verdict' must be one of reproduced, .*, got 'fine'"),
        ("  verdict: reproduced", r"field 'compute' is missing: the verdict 'reproduced' is computed, never declared"),
        ("  colour: red", r"field 'colour' is unknown; the fields are id, model"),
        ("  compute: params", r"field 'compute' must name a function, such as \{function: params\}, got 'params'"),
        ("  step: 0", r"field 'step' must be a positive number, got 0"),
        ("  cell: {table: 1}", r"field 'cell' must have table, row and column"),
        ("  cell: {table: 1, row: 2, column: [a, b]}", r"one column or one for each of the 1 parts, got 2"),
        ("  explained_by: {gives: 3}", r"field 'explained_by' must have compute and gives"),
        ("  reason: [a]", r"field 'reason' must be a text, got \['a'\]"),
        ("- id: other", r"entry other: field 'model' is missing"),
        ("- 5", r"entry 2: an entry must be a mapping, got int"),
        ("  unit: a: b", r"some\.yaml is not YAML: mapping values are not allowed"),
    ],
)
def test_a_mistake_in_a_file_names_the_entry_the_field_and_the_rule(tmp_path, change, message):
    with pytest.raises(EntryError, match=message):
        load(written(tmp_path, ENTRY.format(id="an-entry", stated=1) + change + "\n"))


def test_mistakes_in_ids(tmp_path):
    with pytest.raises(EntryError, match=r"field 'id' must be small letters .*, got 'An_Entry'"):
        entry_of(tmp_path, 1, name="An_Entry")
    with pytest.raises(EntryError, match=r"entry an-entry: the id stands twice"):
        load(written(tmp_path, 2 * ENTRY.format(id="an-entry", stated=1)))
    with pytest.raises(EntryError, match=r"the id an-entry stands in two files"):
        Ledger([entry_of(tmp_path, 1), entry_of(tmp_path, 1)])
    with pytest.raises(EntryError, match=r"must hold a list of entries, got dict"):
        load(written(tmp_path, "id: 5"))


REVIEWED = "  compute: {function: sum, of: [1, 2]}\n  found: 3\n  verdict: reproduced\n"
PARTLY = "  compute: [{function: sum, of: [3]}, null]\n  found: [3, null]\n  verdict: reproduced\n"


@pytest.mark.parametrize(
    ("stated", "more", "expected"),
    [
        (3, REVIEWED, []),
        (4, REVIEWED, ["the verdict is now 'differs', recorded 'reproduced'", "the verdict 'differs' needs a reason"]),
        (3, REVIEWED.replace("found: 3", "found: 5"), ["found is now 3, recorded 5"]),
        (3, REVIEWED.replace("[1, 2]", "[1, 3]"), None),
        (4, "  verdict: not attempted\n  reason: Needs training.\n", []),
        (4, "  verdict: ambiguous\n", ["the verdict 'ambiguous' needs a reason"]),
        (4, "", ["the verdict is now 'not attempted', recorded None", "'not attempted' needs a reason"]),
        ("null", REVIEWED.replace("reproduced", "ambiguous") + "  reason: Not printed.\n", []),
        ("[3, 4]", PARTLY, ["the verdict 'reproduced' needs a reason for the missing parts"]),
    ],
)  # fmt: skip
def test_problems_of_an_entry(tmp_path, stated, more, expected):
    entry = entry_of(tmp_path, stated, more)

    lines = problems(review(entry, Ledger([entry])))

    if expected is None:
        assert len(lines) == 3
        return
    assert len(lines) == len(expected)
    assert all(line.startswith("an-entry: ") and text in line for line, text in zip(lines, expected, strict=True))


EXPLAINED = """\
  compute: {function: product, of: [33, 33, 2]}
  found: 2178
  verdict: differs
  reason: There are 33 places.
  explained_by:
    compute: {function: product, of: [32, 32, 2]}
    gives: 2048
"""


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("", ""), []),
        (("gives: 2048", "gives: 2047"), ["the explanation gives 2048, recorded 2047"]),
        (
            ("32, 32, 2]}\n    gives: 2048", "31, 31, 2]}\n    gives: 1922"),
            ["gives 1922, which is not the printed 2048"],
        ),
    ],
)
def test_an_explanation_must_give_the_printed_figure(tmp_path, change, expected):
    entry = entry_of(tmp_path, 2048, EXPLAINED.replace(*change))

    lines = problems(review(entry, Ledger([entry])))

    assert len(lines) == len(expected)
    assert all(text in line for line, text in zip(lines, expected, strict=True))


@pytest.mark.parametrize(("recorded", "wrong"), [(0.3 + 1e-12, 0), (0.3 + 1e-8, 1), (0.3001, 1)])
def test_floats_are_as_recorded_to_nine_digits(tmp_path, recorded, wrong):
    text = "  compute: {function: sum, of: [0.1, 0.2]}\n  rule: rounded\n  verdict: reproduced\n"
    entry = entry_of(tmp_path, 0.3, text + f"  found: {recorded!r}\n")

    assert len(problems(review(entry, Ledger([entry])))) == wrong


def test_an_explanation_needs_a_difference(tmp_path):
    entry = entry_of(tmp_path, 2178, EXPLAINED.replace("verdict: differs", "verdict: reproduced"))

    assert "an explanation is for a figure that differs" in problems(review(entry, Ledger([entry])))[0]


def test_fill_writes_what_was_found_and_leaves_the_rest(tmp_path):
    draft = (
        EXPLAINED.replace("  found: 2178\n", "").replace("verdict: differs", "verdict: rounded").replace("2048", "0")
    )
    path = written(tmp_path, ENTRY.format(id="an-entry", stated=2048) + draft + "\n# the end\n")
    before = path.read_text("utf-8").splitlines()

    reviews, lines = fill_file(path)

    after = path.read_text("utf-8").splitlines()
    assert ([found.verdict for found in reviews], lines) == (["differs"], [])
    assert set(after) - set(before) == {"  found: 2178", "  verdict: differs", "    gives: 2048"}
    assert set(before) - set(after) == {"  verdict: rounded", "    gives: 0"}
    assert filled(path.read_text("utf-8"), [review(entry) for entry in load(path)]) == path.read_text("utf-8")


def test_filling_goes_on_after_an_entry_that_cannot_be_computed_and_says_what_is_wrong(tmp_path):
    broken = ENTRY.format(id="broken", stated=1) + "  compute: {function: no_such}\n"
    path = written(tmp_path, broken + ENTRY.format(id="an-entry", stated=4) + REVIEWED.replace("found: 3", "found: 2"))

    reviews, lines = fill_file(path)

    assert "  found: 3\n  verdict: differs\n" in path.read_text("utf-8")
    assert [found.entry.id for found in reviews] == ["an-entry"]
    assert lines[0].startswith("broken: ")
    assert lines[1:] == ["an-entry: the verdict 'differs' needs a reason"]


def test_only_the_chosen_entries_are_filled(tmp_path):
    path = written(tmp_path, ENTRY.format(id="an-entry", stated=3) + REVIEWED.replace("found: 3", "found: 2"))

    assert fill_file(path, lambda entry: "other" in entry.id) == ([], [])
    assert "found: 2" in path.read_text("utf-8")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (122304, "122,304"), (1516, "1516"), (138.357544, "138.358"), ([5, None], "5 / –"), (True, "holds"),
        ({"n": 3, "mean": 99.01, "spread": 0.1}, "99.01 ± 0.10 (n = 3)"), ("6@28x28", "6@28x28"),
    ],
)  # fmt: skip
def test_figures_as_text(value, text):
    assert figure_text(value) == text


def test_printed_figures_keep_their_digits_as_text():
    assert stated_text([7.0, "17.00", 122304, None]) == "7.0 / 17.00 / 122,304 / –"


def test_importing_the_ledger_loads_no_torch():
    code = "import sys, course_suite.ledger as l; l.entries(); l.text; print('torch' in sys.modules)"
    code = code.replace("l.text; ", "import course_suite.ledger.text; ")
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert ran.stdout.strip() == "False"


def test_the_command_prints_tables_json_and_csv(capsys):
    assert course(["ledger", "--source", "lecun1998", "--model", "lenet"]) == 0
    count = len(entries("lecun1998gradient"))
    assert f"{count} entries: " in capsys.readouterr().out

    assert course(["ledger", "--source", "lecun1998", "--verdict", "rounded", "--format", "json"]) == 0
    (entry,) = json.loads(capsys.readouterr().out)
    assert entry["id"] == "lenet-5-squashing-amplitude-a"
    assert entry["compute"] == {"function": "lenet_squashing_amplitude"}

    assert course(["ledger", "--source", "lecun1998", "--format", "csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert len(rows) == count
    assert rows[0]["found"] == "156"


def test_the_command_checks(capsys):
    assert course(["ledger", "--source", "lecun1998", "--check"]) == 0
    assert f"{len(entries('lecun1998gradient'))} entries computed again in " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--verdict", "fine"], "--verdict must be one of reproduced, "),
        (["--model", "no such"], "no entry fits; the sources are: "),
    ],
)
def test_mistakes_at_the_command(arguments, message, capsys):
    assert course(["ledger", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_counts_leave_out_verdicts_without_entries(tmp_path):
    assert counts_text([entry_of(tmp_path, 3, REVIEWED)]) == "1 reproduced"
