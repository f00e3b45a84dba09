"""``course diff``: what two versions of the book say differently, by number, figure and record."""

import json

import pytest

from course_suite.cli import main
from course_suite.differing import differences, lines_of, read_book
from course_suite.records import RECORDS


def course(*arguments):
    try:
        return main(list(arguments))
    except SystemExit as error:
        return error.code


def glued(name, text):
    data = {"application/papermill.record/text/plain": [text]}
    return {"output_type": "display_data", "metadata": {"scrapbook": {"name": name}}, "data": data}


def figure(name, image):
    metadata = {"mystnb": {"figure": {"name": name}}}
    outputs = [{"output_type": "execute_result", "metadata": {}, "data": {"image/svg+xml": image, "text/plain": "Fig"}}]
    return {"cell_type": "code", "metadata": metadata, "source": [], "outputs": outputs}


def book(folder, chapter, values, figures=(), place="_build/executed"):
    """A folder with one executed chapter, which glues these values and draws these figures."""
    outputs = [glued(name, text) for name, text in values.items()]
    cells = [{"cell_type": "code", "metadata": {}, "source": [], "outputs": outputs}]
    cells += [figure(name, image) for name, image in dict(figures).items()]
    path = folder / place / f"{chapter}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"cells": cells}))
    return folder


@pytest.fixture
def books(tmp_path):
    before = {"best": "'2.50'", "same": "'7'", "gone": "'1'", "word": "'better'", "key-ex-one": "'9QfAb'"}
    after = {"best": "'2.00'", "same": "'7'", "new": "'3 ± 1'", "word": "'worse'", "key-ex-one": "'0QfAc'"}
    return (
        book(tmp_path / "A", "06_first_cnn", before, {"fig-a": "<svg>1</svg>", "fig-b": "<svg>2</svg>"}),
        book(tmp_path / "B", "07_first_cnn", after, {"fig-a": "<svg>1</svg>", "fig-b": "<svg>3</svg>"}),
    )


def test_values_and_figures_are_compared_by_name_though_the_chapter_moved(books):
    found = differences(*map(read_book, books))
    assert found.common == {"value": 3, "figure": 2, "record": 0}
    assert [(*change.item, change.before, change.after, change.size) for change in found.changes[:4]] == [
        ("first_cnn", "value", "best", "2.50", "2.00", "-20.0 %"),
        ("first_cnn", "value", "gone", "1", None, ""),
        ("first_cnn", "value", "new", None, "3 ± 1", ""),
        ("first_cnn", "value", "word", "better", "worse", ""),
    ]
    (changed,) = found.changes[4:]
    assert changed.item == ("first_cnn", "figure", "fig-b")
    assert changed.before != changed.after


def test_a_chapter_that_one_side_has_not_executed_is_left_out(books, tmp_path):
    book(books[1], "08_lenet5", {"only-here": "'1'"})
    assert not any(change.item.place == "lenet5" for change in differences(*map(read_book, books)).changes)


def test_a_book_does_not_differ_from_itself(books):
    (only,) = lines_of(differences(read_book(books[0]), read_book(books[0])))
    assert only == "4 values, 2 figures, 0 records in both; 0 changed, 0 new, 0 gone"


def test_records_are_compared_run_by_run(books):
    for folder in books:
        (folder / "course_suite/records/data").mkdir(parents=True)
    text = (RECORDS / "lenet5_mnist.json").read_text(encoding="utf-8")
    (books[0] / "course_suite/records/data/lenet5_mnist.json").write_text(text)
    record = json.loads(text)
    record["runs"][0]["metrics"]["test_accuracy"] = 0.5
    (books[1] / "course_suite/records/data/lenet5_mnist.json").write_text(json.dumps(record))
    (change,) = [c for c in differences(*map(read_book, books)).changes if c.item.kind == "record"]
    assert change.item.name == "lenet5_mnist"
    assert change.before == "0.74, 0.79, 0.85 %"
    assert change.after == "50.00, 0.79, 0.85 %"


@pytest.mark.parametrize("place", ["html/_sources/notebooks", "_sources/notebooks", "."])
def test_a_built_site_and_a_plain_folder_are_books_too(tmp_path, place):
    found = read_book(book(tmp_path, "09_lenet5", {"errors": "'95'"}, place=place))
    assert [(*item, text) for item, text in found.items()] == [("lenet5", "value", "errors", "95")]


def test_the_command_prints_the_changes_and_writes_a_page(books, tmp_path, capsys):
    assert course("diff", *map(str, books), "--page", str(tmp_path / "out/diff.html")) == 0
    printed = capsys.readouterr().out
    assert "3 values, 2 figures, 0 records in both; 3 changed, 1 new, 1 gone" in printed
    assert "value  first_cnn: best: 2.50 -> 2.00  (-20.0 %)" in printed
    page = (tmp_path / "out/diff.html").read_text(encoding="utf-8")
    assert "<td>best</td><td>2.50</td><td>2.00</td><td>-20.0 %</td>" in page
    assert "http" not in page


def test_a_folder_without_a_book_is_one_line(tmp_path, capsys):
    assert course("diff", str(tmp_path), str(tmp_path)) == 2
    assert "holds no executed chapters: give a checkout after make book, or a built site" in capsys.readouterr().err
    (tmp_path / "01_broken.ipynb").write_text("{")
    assert course("diff", str(tmp_path), str(tmp_path)) == 2
    assert "01_broken.ipynb is not a notebook" in capsys.readouterr().err
