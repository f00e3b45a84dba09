"""The committed notebook: made from source and recorded run, held in step, and never made over somebody's work."""

import json

import nbformat
import pytest
from conftest import code

from course_suite.check import pair_problems
from course_suite.pairing import pair_chapters
from course_suite.project import Project
from course_suite.reader.recorded import Recorded, code_digest, read_recorded, recorded_from, write_recorded

PAIR, SOURCE = "notebooks/01_toy.ipynb", "notebooks/01_toy.md"


def record(toy, **values):
    """What a run of the toy chapter as it is now would have recorded, and the notebook made from it."""
    chapter = Project(toy.root).chapters[0]
    shown = nbformat.v4.new_output("stream", name="stdout", text="params 10\n")
    cells = [cell for cell in chapter.notebook.cells if "nbval-check-output" in cell.metadata.get("tags", [])]
    outputs = {cell.id: {"execution_count": 3, "outputs": [shown]} for cell in cells}
    write_recorded(chapter, Recorded(code_digest(chapter.notebook.cells), values, outputs))
    return pair(toy)


def pair(toy):
    project = Project(toy.root)
    return pair_chapters(project, project.chapters)


def problems(toy):
    project = Project(toy.root)
    return pair_problems(project, project.chapters)


@pytest.fixture
def paired(toy):
    """The toy course with one chapter, recorded and paired."""
    toy.edit("_toc.yml", "- file: notebooks/02_toy\n", "")
    (toy.root / "notebooks/02_toy.md").unlink()
    assert record(toy)[1] == []
    assert problems(toy) == []
    return toy


def edit_notebook(toy, change):
    notebook = json.loads(toy.read(PAIR))
    change(notebook)
    toy.write(PAIR, json.dumps(notebook, indent=1, ensure_ascii=False) + "\n")


def test_only_checked_outputs_are_stored(paired):
    cells = json.loads(paired.read(PAIR))["cells"]
    assert [cell["outputs"][0]["text"] for cell in cells if cell.get("outputs")] == [["params 10\n"]]
    assert [cell["id"] for cell in cells[1:3]] == ["about", "install"]


@pytest.mark.parametrize(
    "change",
    [
        lambda cells: cells[-1]["outputs"][0].update(text=["params 11\n"]),
        lambda cells: cells[-1].update(outputs=[]),
        lambda cells: cells[-2].update(source="my own answer"),
        lambda cells: cells.append(nbformat.v4.new_code_cell("my own cell")),
        lambda cells: cells[-2].update(outputs=[nbformat.v4.new_output("stream", text="x")]),
    ],
)
def test_a_notebook_changed_by_hand_is_told_and_kept_under_another_name(paired, change):
    edit_notebook(paired, lambda notebook: change(notebook["cells"]))
    mine = paired.read(PAIR)
    assert problems(paired) == [f"{PAIR} was changed by hand; run: course pair (it keeps yours under another name)"]
    done, _ = pair(paired)
    assert done[0] == f"kept {PAIR} as it was in notebooks/01_toy.mine.ipynb: it was changed by hand"
    assert paired.read("notebooks/01_toy.mine.ipynb") == mine
    assert problems(paired) == []


def test_a_second_changed_notebook_does_not_take_the_place_of_the_first(paired):
    for words in ("first", "second"):
        edit_notebook(paired, lambda notebook, words=words: notebook["cells"][-2].update(source=words))
        pair(paired)
    assert "first" in paired.read("notebooks/01_toy.mine.ipynb")
    assert "second" in paired.read("notebooks/01_toy.mine-2.ipynb")


@pytest.mark.parametrize("damage", ["{", "", "<<<<<<< HEAD\n{}\n=======\n{}\n>>>>>>> x\n", "[]", "{}"])
def test_a_damaged_notebook_is_told_kept_and_made_anew(paired, damage):
    whole = paired.read(PAIR)
    paired.write(PAIR, damage)
    assert len(problems(paired)) == 1
    pair(paired)
    assert (paired.read(PAIR), paired.read("notebooks/01_toy.mine.ipynb")) == (whole, damage)


def test_a_notebook_of_an_older_source_is_made_anew_without_a_copy(paired):
    paired.edit(SOURCE, "A toy chapter", "A small chapter")
    assert problems(paired) == [f"{PAIR} is out of step with 01_toy.md; run: course pair"]
    assert pair(paired) == ([f"wrote {PAIR}"], [])
    assert not list(paired.root.glob("notebooks/*.mine*"))


def test_a_source_with_other_code_than_the_recorded_run_is_told(paired):
    paired.edit(SOURCE, "size * size", "size * size + 0")
    assert problems(paired) == [
        "notebooks/01_toy.md: its code is not that of the recorded run; run: course pair --record 1"
    ]


def test_nothing_flows_back_even_when_the_notebook_is_newer(paired):
    source = paired.read(SOURCE)
    edit_notebook(paired, lambda notebook: notebook["cells"][-2].update(source="square = 5"))
    pair(paired)
    assert paired.read(SOURCE) == source
    assert "square = 5" not in paired.read(PAIR)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda output: output.update(outputs=[]), "has no stored output; run: course pair --record 1"),
        (lambda output: output.update(execution_count=None), "has no execution count; run: course pair --record 1"),
    ],
)
def test_a_checked_cell_that_would_check_nothing_is_told(paired, change, message):
    stored = json.loads(paired.read("notebooks/recorded/01_toy.json"))
    change(next(iter(stored["outputs"].values())))
    paired.write("notebooks/recorded/01_toy.json", json.dumps(stored))
    assert message in problems(paired)[0]


def test_a_chapter_without_a_checked_cell_is_told(paired):
    paired.edit(SOURCE, ":tags: [nbval-check-output]\n", "")
    record(paired)
    assert "no cell is tagged nbval-check-output" in problems(paired)[0]


def test_a_damaged_recording_is_told_in_one_line(paired):
    paired.write("notebooks/recorded/01_toy.json", "<<<<<<< HEAD\n")
    told = "notebooks/recorded/01_toy.json cannot be read; run: course pair --record 1"
    assert (problems(paired), pair(paired)[1]) == ([told], [told])


def test_what_has_no_form_in_a_notebook_is_told_and_the_old_notebook_stays(paired):
    whole = paired.read(PAIR)
    paired.edit(SOURCE, "Nothing in it matters", "\n\n:::{tip}\nNew.\n:::\n\nNothing in it matters")
    done, found = pair(paired)
    assert (done, len(found)) == ([], 1)
    assert found[0].startswith("notebooks/01_toy.md: the directive {tip} has no form in a notebook")
    assert problems(paired) == found
    assert paired.read(PAIR) == whole


def test_a_stranger_is_told_and_an_own_copy_is_not(paired):
    paired.write("notebooks/99_old.ipynb", "{}")
    paired.write("notebooks/01_toy.mine.ipynb", "{}")
    assert problems(paired) == ["notebooks/99_old.ipynb belongs to no chapter of _toc.yml; delete it or list it"]


def test_a_changed_address_reaches_the_notebook(paired):
    paired.edit("pyproject.toml", "OWNER", "someone")
    pair(paired)
    assert 'ADDRESS = \\"https://github.com/someone/cnn-recomputed\\"' in paired.read(PAIR)
    assert problems(paired) == []


def test_values_are_read_from_executed_cells_with_their_quotes_taken_off(paired):
    from course_suite.reader.recorded import MIME, glued

    data = {MIME: "'61,706'", "text/plain": "params = 61,706"}
    shown = nbformat.v4.new_output("display_data", data=data, metadata={"scrapbook": {"name": "params"}})
    assert glued([nbformat.v4.new_code_cell(code("x"), outputs=[shown])]) == {"params": "61,706"}
    assert read_recorded(Project(paired.root).chapters[0]).values == {}


def test_a_recording_carries_the_code_that_ran_whatever_the_source_says_now(paired):
    chapter = Project(paired.root).chapters[0]
    executed = nbformat.from_dict(chapter.notebook)
    injected = nbformat.v4.new_code_cell("size = 7", metadata={"tags": ["injected-parameters"]})
    executed.cells.insert(2, injected)
    for cell in executed.cells:
        cell.setdefault("outputs", [])
    assert recorded_from(executed).code == code_digest(chapter.notebook.cells)
    paired.edit(SOURCE, "size * size", "size * size + 0")
    assert recorded_from(executed).code != code_digest(Project(paired.root).chapters[0].notebook.cells)
