"""The pages of the ledger, as far as they can be checked without rendering the book."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from ledger_drafts import entry_of

from course_suite.ledger import ENTRIES, Entry

ROOT = Path(__file__).resolve().parents[1]
BLANK = "\u00a0"  # keeps a sign and its number on one line
nodes = pytest.importorskip("docutils.nodes")
pytest.importorskip("sphinx")


@pytest.fixture(scope="module")
def extension():
    """The modules of the extension."""
    sys.path.insert(0, str(ROOT / "book" / "extensions"))
    import ledger_nodes
    import ledger_paper
    import ledger_tables

    yield {"nodes": ledger_nodes, "paper": ledger_paper, "tables": ledger_tables}
    sys.path.pop(0)


@pytest.mark.texts
def test_each_file_of_entries_has_a_page():
    pages = {path.stem: path.read_text("utf-8") for path in (ROOT / "book" / "ledger").glob("*.md")}

    for path in ENTRIES.glob("*.yaml"):
        assert f"```{{ledger-paper}} {path.stem}\n" in pages[path.stem], path.name


PART = """\
  unit: px
  cell: {table: Table 1, row: ours, column: [width, height, depth]}
  compute: [{function: sum, of: [7]}, {function: sum, of: [8.2]}, null]
  found: [7, 8.2, null]
  verdict: differs
  reason: A reason.
"""


def test_a_rebuilt_table_shows_printed_beside_computed_and_marks_the_difference_by_a_sign(extension, tmp_path):
    entry = entry_of(tmp_path, "[7, 9, 10]", PART)

    unit, table, notes = extension["paper"].rebuilt([entry])[0].children[1:]

    assert unit.astext() == "In px."

    cells = [cell.astext().replace(BLANK, " ") for cell in table.findall(nodes.entry)]
    assert cells == ["", "width", "height", "depth", "ours", "7 = 7", "9 ≠ 8.2", "10"]
    assert notes.astext() == "A reason."
    marked = [
        node.astext().replace(BLANK, " ") for node in table.findall(nodes.inline) if "ledger-differs" in node["classes"]
    ]
    assert marked == ["≠ 8.2"]


def test_notes_are_numbered_where_cells_do_not_share_one(extension, tmp_path):
    right = "  cell: {table: Table 1, row: theirs, column: width}\n  compute: {function: sum, of: [3]}\n  found: 3\n"
    entries = [entry_of(tmp_path, "[7, 9, 10]", PART), entry_of(tmp_path, 3, right + "  verdict: reproduced\n")]

    table, notes = extension["paper"].rebuilt(entries)[0].children[1:]

    cells = [cell.astext().replace(BLANK, " ") for cell in table.findall(nodes.entry)]
    assert cells[4:] == ["ours", "7 = 7", "91 ≠ 8.2", "101", "theirs", "3 = 3", "", ""]
    assert isinstance(notes, nodes.enumerated_list)


def test_the_columns_of_a_table_stand_as_in_its_fullest_row(extension, tmp_path):
    def told(row: str, column: str) -> Entry:
        where = f"  cell: {{table: Table 1, row: {row}, column: {column}}}\n"
        return entry_of(tmp_path, 3, where + "  compute: {function: sum, of: [3]}\n  found: 3\n  verdict: reproduced\n")

    entries = [told("conv1", "params"), *[told("inception", name) for name in ("width", "params", "ops")]]

    (table,) = extension["paper"].rebuilt(entries)[0].children[1:]

    cells = [cell.astext() for cell in table.findall(nodes.entry)]
    assert cells[:4] == ["", "width", "params", "ops"]


@pytest.mark.parametrize(
    ("column", "unit", "title"),
    [
        ("Parameters", "M", "Parameters, M"), ("parameters", "M parameters", "parameters, M parameters"),
        ("G FLOPs", "G", "G FLOPs"), ("input (MiB)", "MiB", "input (MiB)"),
    ],
)  # fmt: skip
def test_a_unit_stands_in_the_head_of_its_column_unless_it_does_already(extension, tmp_path, column, unit, title):
    def told(place: str, measure: str) -> Entry:
        where = f"  unit: {measure}\n  cell: {{table: Table 1, row: ours, column: {place}}}\n"
        return entry_of(tmp_path, 3, where + "  compute: {function: sum, of: [3]}\n  found: 3\n  verdict: reproduced\n")

    (table,) = extension["paper"].rebuilt([told("width", "px"), told(column, unit)])[0].children[1:]

    assert [cell.astext() for cell in table.findall(nodes.entry)][:3] == ["", "width, px", title]


def test_a_row_shows_what_the_ledger_says_of_a_figure(extension, tmp_path):
    entry = entry_of(tmp_path, "[7, 9, 10]", PART)

    row = extension["tables"].figure_row(entry, True)

    assert row["ids"] == ["figure-an-entry"]
    assert "ledger-differs" in row["classes"]
    texts = [cell.astext().replace(BLANK, " ") for cell in row.children]
    assert texts[0].startswith("Some network: something")
    assert texts[1:] == ["7 / 9 / 10 px", "= 7 / ≠ 8.2 / –", "≠ differs", "A reason."]


EXPLAINED = """\
  compute: {function: sum, of: [4]}
  found: 4
  verdict: differs
  reason: It differs.
  explained_by:
    compute: {function: sum, of: [3]}
    gives: 3
    text: the same without it
"""


def test_an_explanation_stands_behind_the_reason(extension, tmp_path):
    entry = entry_of(tmp_path, 3, EXPLAINED)

    assert extension["nodes"].why(entry) == "It differs. What gives 3: the same without it."


def test_every_verdict_has_a_sign_and_a_meaning(extension):
    from course_suite.ledger import VERDICTS

    signs = extension["nodes"].SIGNS
    assert set(signs) == set(extension["tables"].MEANINGS) == set(VERDICTS)
    assert len(set(signs.values())) == len(VERDICTS)
