"""``course pair`` and ``course check``: each way in which a committed notebook can be wrong is found."""

import json
import subprocess
import sys

import pytest
from conftest import code

pytestmark = pytest.mark.slow


@pytest.fixture
def recorded(toy):
    """The toy course with one chapter, its pair generated and its checked outputs recorded."""
    toy.edit("_toc.yml", "- file: notebooks/02_toy\n", "")
    (toy.root / "notebooks/02_toy.md").unlink()
    ended = toy.course("pair", "--record")
    assert ended.status == 0, ended.out + ended.err
    assert toy.course("pair").status == 0
    return toy


def edit_notebook(toy, change):
    notebook = json.loads(toy.read("notebooks/01_toy.ipynb"))
    change(notebook)
    toy.write("notebooks/01_toy.ipynb", json.dumps(notebook, indent=1, ensure_ascii=False) + "\n")


def check_cell(notebook):
    return next(c for c in notebook["cells"] if "nbval-check-output" in c["metadata"].get("tags", []))


def rehash(toy):
    """Give a changed notebook the hash of its outputs, as a careful forger would."""
    import nbformat

    from course_suite.pair import outputs_digest

    path = toy.root / "notebooks/01_toy.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.metadata.course.outputs_sha256 = outputs_digest(notebook)
    path.write_text(nbformat.writes(notebook) + "\n")


def test_a_chapter_is_executed_once_to_be_recorded_checked_and_checked_again(recorded):
    recorded.chapter(1, code(f"with open({str(recorded.root / 'runs')!r}, 'a') as file:\n    file.write('x')"))
    assert recorded.course("pair", "--record").status == 0
    assert recorded.course("pair", "--check").status == 0
    first = recorded.course("check")
    assert first.status == 0, first.out
    assert "5 passed" in first.out
    second = recorded.course("check")
    assert second.status == 0
    assert "passed" not in second.out
    assert recorded.read("runs") == "x"


def test_nbval_by_hand_executes_with_the_real_kernel(recorded):
    recorded.chapter(1, code(f"with open({str(recorded.root / 'runs')!r}, 'a') as file:\n    file.write('x')"))
    assert recorded.course("pair", "--record").status == 0
    command = [sys.executable, "-m", "pytest", "--nbval-lax", "notebooks", "-q", "-p", "no:cacheprovider"]
    ended = subprocess.run(command, cwd=recorded.root, capture_output=True, text=True, timeout=120)
    assert (ended.returncode, "5 passed" in ended.stdout) == (0, True), ended.stdout
    assert recorded.read("runs") == "xx"


def test_a_stream_is_stored_whole_however_the_kernel_cut_it(recorded):
    cell = "```{code-cell} ipython3\n:tags: [nbval-check-output]\n\n%s\n```\n"
    recorded.chapter(
        1, "\n" + cell % "import sys, time\nfor i in range(3):\n    print(i, flush=True)\n    time.sleep(0.3)"
    )
    assert recorded.course("pair", "--record").status == 0
    notebook = json.loads(recorded.read("notebooks/01_toy.ipynb"))
    assert [output["text"] for output in notebook["cells"][-1]["outputs"]] == [["0\n", "1\n", "2\n"]]
    assert recorded.course("check").status == 0


def test_only_checked_outputs_are_stored(recorded):
    notebook = json.loads(recorded.read("notebooks/01_toy.ipynb"))
    with_outputs = [c for c in notebook["cells"] if c.get("outputs")]
    assert with_outputs == [check_cell(notebook)]
    assert with_outputs[0]["outputs"][0]["text"] == ["params 10\n"]
    assert notebook["cells"][0]["id"] == "install"


def test_a_wrong_stored_count_is_found_without_running(recorded):
    edit_notebook(recorded, lambda nb: check_cell(nb)["outputs"][0].update(text=["params 11\n"]))
    ended = recorded.course("pair", "--check")
    assert ended.status == 1
    assert "a stored output was changed by hand" in ended.out


def test_a_wrong_stored_count_with_a_forged_hash_is_found_by_running(recorded):
    edit_notebook(recorded, lambda nb: check_cell(nb)["outputs"][0].update(text=["params 11\n"]))
    rehash(recorded)
    assert recorded.course("pair", "--check").status == 0
    ended = recorded.course("check")
    assert ended.status == 1
    assert "params 11" in ended.out
    assert "params 10" in ended.out
    assert recorded.course("check").status == 1  # a failure is not remembered as a success


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda nb: check_cell(nb).update(outputs=[]), "has no stored output"),
        (lambda nb: check_cell(nb).update(execution_count=None), "has no execution count"),
        (lambda nb: check_cell(nb)["metadata"].update(tags=[]), "no cell is tagged nbval-check-output"),
        (lambda nb: nb["cells"][-2].update(source="square = 5"), "out of step with 01_toy.md"),
        (
            lambda nb: nb["cells"][-2].update(outputs=[{"output_type": "stream", "name": "stdout", "text": "x"}]),
            "holds an output but is not a check cell",
        ),
    ],
)
def test_a_stripped_or_edited_notebook_is_found(recorded, change, message):
    edit_notebook(recorded, change)
    ended = recorded.course("check")
    assert ended.status == 1
    assert message in ended.out
    assert recorded.course("pair").status == 0


def test_an_edited_source_is_found_and_paired_again(recorded):
    recorded.edit("notebooks/01_toy.md", "size * size", "size * size + 0")
    ended = recorded.course("pair", "--check")
    assert (ended.status, "out of step" in ended.out) == (1, True)
    assert "wrote notebooks/01_toy.ipynb" in recorded.course("pair").out
    assert recorded.course("pair", "--check").status == 0


def test_pairing_goes_one_way_even_when_the_notebook_is_newer(recorded):
    source = recorded.read("notebooks/01_toy.md")
    edit_notebook(recorded, lambda nb: nb["cells"][-2].update(source="square = 5"))
    recorded.course("pair")
    assert recorded.read("notebooks/01_toy.md") == source
    assert "square = 5" not in recorded.read("notebooks/01_toy.ipynb")


def test_a_killed_and_a_hanging_kernel_fail_the_check(recorded):
    recorded.chapter(1, code("import os\nos.kill(os.getpid(), 9)"))
    recorded.course("pair")
    ended = recorded.course("check", "--timeout", "5")
    assert (ended.status, "the kernel died" in ended.out) == (1, True)
    recorded.chapter(1, code("import time\ntime.sleep(60)"))
    recorded.course("pair")
    ended = recorded.course("check", "--timeout", "2")
    assert ended.status == 1
    assert "the cell ran longer than 2 s" in ended.out


def test_a_broken_notebook_and_a_stranger_are_told_in_one_line(recorded):
    recorded.write("notebooks/01_toy.ipynb", "{")
    ended = recorded.course("check")
    assert (ended.status, ended.err.count("\n")) == (2, 1)
    assert "cannot be read" in ended.err
    (recorded.root / "notebooks/01_toy.ipynb").unlink()
    recorded.course("pair")
    recorded.write("notebooks/99_old.ipynb", "{}")
    assert "belongs to no chapter" in recorded.course("pair", "--check").out


def test_changed_settings_show_until_paired_again(recorded):
    recorded.edit("pyproject.toml", "github.com/OWNER/", "github.com/someone/")
    ended = recorded.course("pair", "--check")
    assert ended.status == 1
    assert "CITATION.cff is out of step" in ended.out
    recorded.course("pair")
    assert "git+https://github.com/someone/cnn-recomputed@main" in recorded.read("notebooks/01_toy.ipynb")
    assert recorded.course("pair", "--check").status == 0
