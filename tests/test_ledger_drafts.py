"""``course ledger new``: an entry takes its place, a new paper gets its page, and a mistake leaves nothing behind."""

from __future__ import annotations

import pytest

from course_suite.errors import UserError
from course_suite.ledger import load
from course_suite.ledger.draft import add_entry
from course_suite.project import Project

FIELDS = {
    "id": "net-weights", "model": "Net", "quantity": "weights", "stated": "1,000", "unit": "", "source": "known2020",
    "location": "Table 1", "compute": {"function": "sum", "of": [600, 400]}, "reason": "", "chapter": "ch-one",
}  # fmt: skip


@pytest.fixture
def project(tmp_path):
    (tmp_path / "book" / "ledger").mkdir(parents=True)
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "book" / "references.bib").write_text("@article{known2020,\n}\n@article{new2021,\n}\n")
    (tmp_path / "notebooks" / "01_one.md").write_text("(ch-one)=\n# One\n")
    (tmp_path / "_toc.yml").write_text(
        "root: book/preface\nchapters:\n- file: notebooks/01_one\n- file: book/ledger/articles\n"
    )
    folder = tmp_path / "entries"
    folder.mkdir()
    (folder / "known2020.yaml").write_text(
        "# Figures as printed.\n\n- id: first\n  model: Net\n  quantity: layers\n  stated: 3\n  source: known2020\n"
        "  location: Table 1\n  chapter: ch-one\n"
    )
    return Project(tmp_path)


def add(project, **change):
    fields = FIELDS | change
    return add_entry(project, project.root / "entries", fields["source"], fields)


def test_an_entry_stands_at_the_end_of_its_file(project):
    path = project.root / "entries" / "known2020.yaml"
    before = path.read_text()

    assert add(project) == [path]

    assert path.read_text().startswith(before)
    assert [entry.id for entry in load(path)] == ["first", "net-weights"]
    assert load(path)[1].stated == "1,000"
    assert load(path)[1].compute == {"function": "sum", "of": [600, 400]}


def test_a_new_paper_gets_its_page_before_that_of_the_articles(project):
    written = add(project, source="new2021")

    assert [path.name for path in written] == ["new2021.yaml", "new2021.md", "_toc.yml"]
    assert "```{ledger-paper} new2021\n" in written[1].read_text()
    assert Project(project.root).pages[-2:] == ["book/ledger/new2021", "book/ledger/articles"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"source": "unknown"}, "'unknown' is not in book/references.bib: put the paper there first"),
        ({"chapter": "ch-two"}, "no chapter has the label 'ch-two'; the labels are: ch-one"),
        ({"id": "first"}, "known2020.yaml, entry first: the id stands twice"),
        ({"id": "Net Weights"}, "small letters and digits joined by hyphens"),
        ({"rule": "roughly"}, "field 'rule' must be one of exact, rounded"),
        ({"location": ""}, "field 'location' is missing"),
    ],
)
def test_a_mistake_is_told_and_leaves_everything_as_it_was(project, change, message):
    before = {path: path.read_bytes() for path in project.root.rglob("*") if path.is_file()}

    with pytest.raises(UserError, match=message):
        add(project, **change)

    assert {path: path.read_bytes() for path in project.root.rglob("*") if path.is_file()} == before
