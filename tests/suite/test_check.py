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


def edit_recorded(toy, change):
    stored = json.loads(toy.read("notebooks/recorded/01_toy.json"))
    change(stored)
    toy.write("notebooks/recorded/01_toy.json", json.dumps(stored))
    assert toy.course("pair").status == 0


def only_output(stored):
    return next(iter(stored["outputs"].values()))["outputs"][0]


def take_for_recorded(toy):
    """Pretend that the code as it is now is what the recorded run ran."""
    from course_suite.project import Project
    from course_suite.reader.recorded import code_digest

    cells = Project(toy.root).chapters[0].notebook.cells
    edit_recorded(toy, lambda stored: stored.update(code_sha256=code_digest(cells)))


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


def test_a_wrong_stored_count_is_found_by_running(recorded):
    edit_recorded(recorded, lambda stored: only_output(stored).update(text="params 11\n"))
    assert recorded.course("pair", "--check").status == 0
    ended = recorded.course("check")
    assert ended.status == 1
    assert "params 11" in ended.out
    assert "params 10" in ended.out
    assert recorded.course("check").status == 1  # a failure is not remembered as a success


def test_a_killed_and_a_hanging_kernel_fail_the_check(recorded):
    recorded.chapter(1, code("import os\nos.kill(os.getpid(), 9)"))
    take_for_recorded(recorded)
    ended = recorded.course("check", "--timeout", "5")
    assert (ended.status, "the kernel died" in ended.out) == (1, True)
    recorded.chapter(1, code("import time\ntime.sleep(60)"))
    take_for_recorded(recorded)
    ended = recorded.course("check", "--timeout", "2")
    assert ended.status == 1
    assert "the cell ran longer than 2 s" in ended.out


def test_a_value_of_the_text_is_recorded_and_a_run_that_lacks_it_is_told(recorded):
    glued = "from course_lib.notebook import glue\nglue('answer', f'{6 * 7:,}')"
    recorded.chapter(1, code(glued) + "\nIt is {glue:text}`answer`, by computation.\n")
    ended = recorded.course("pair")
    assert (ended.status, "has no value 'answer'; run: course pair --record 1" in ended.out) == (1, True)
    assert recorded.course("pair", "--record").status == 0
    assert "It is 42, by computation." in recorded.read("notebooks/01_toy.ipynb")
    assert recorded.course("pair", "--check").status == 0
