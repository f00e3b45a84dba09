"""``course run``: what runs, what rests, what is kept, and how failures are told."""

import json
import signal
import time
from xml.etree import ElementTree

import nbformat
import psutil
import pytest
from conftest import code

pytestmark = pytest.mark.slow


def statuses(toy, name="report.json"):
    report = json.loads(toy.read(name))
    return {chapter["stem"]: chapter["status"] for chapter in report["chapters"]}


def outputs(path):
    cells = nbformat.read(path, as_version=4).cells
    return "".join(o.get("text", "") for c in cells if c.cell_type == "code" for o in c.outputs)


def run(toy, *arguments):
    ended = toy.course("run", "--json", "report.json", *arguments)
    return ended, statuses(toy) if (toy.root / "report.json").exists() else {}


def test_chapters_run_once_and_rest_while_nothing_changes(toy):
    ended, first = run(toy)
    assert ended.status == 0, ended.err
    assert first == {"01_toy": "ran", "02_toy": "ran"}
    assert "params 10" in outputs(toy.executed("01_toy"))
    stamp = toy.executed("01_toy").stat().st_mtime_ns

    ended, second = run(toy)
    assert second == {"01_toy": "unchanged", "02_toy": "unchanged"}
    assert toy.executed("01_toy").stat().st_mtime_ns == stamp


def test_a_changed_chapter_runs_alone_and_changed_prose_runs_nothing(toy):
    run(toy)
    toy.edit("notebooks/01_toy.md", "size * size", "size * size * size")
    _, after_code = run(toy)
    assert after_code == {"01_toy": "ran", "02_toy": "unchanged"}
    assert "params 28" in outputs(toy.executed("01_toy"))

    toy.edit("notebooks/02_toy.md", "# Toy 2", "# Toy the second")
    _, after_prose = run(toy)
    assert after_prose == {"01_toy": "unchanged", "02_toy": "unchanged"}
    text = toy.executed("02_toy").read_text()
    assert "Toy the second" in text
    assert "params 11" in text


def test_a_line_of_the_library_runs_the_chapter_that_reaches_it_alone(toy):
    toy.chapter(1, code("import course_lib.arithmetic"))
    run(toy)
    toy.edit("course_suite/cli.py", "x = 1", "x = 2")
    toy.write("course_suite/ledger/entries.yaml", "[]\n")
    toy.edit("course_lib/arithmetic.py", "x = 1", '"""A docstring."""\n\nx = 1  # and a comment')
    assert run(toy)[1] == {"01_toy": "unchanged", "02_toy": "unchanged"}
    toy.edit("course_lib/arithmetic.py", "x = 1", "x = 2")
    assert run(toy)[1] == {"01_toy": "ran", "02_toy": "unchanged"}


def test_a_package_that_chapters_run_with_runs_all_and_a_maker_s_tool_none(toy):
    run(toy)
    toy.edit("requirements.lock", "ruff==0.1", "ruff==0.2")
    assert set(run(toy)[1].values()) == {"unchanged"}
    toy.edit("requirements.lock", "torch==2.10", "torch==2.11")
    assert set(run(toy)[1].values()) == {"ran"}
    assert set(run(toy, "--force")[1].values()) == {"ran"}


def test_a_failing_cell_names_chapter_cell_and_error_and_stops_no_other_chapter(toy):
    toy.chapter(1, code("raise ValueError('boom')"))
    ended, status = run(toy, "--jobs", "1", "--junit", "report.xml")
    assert ended.status == 1
    assert status == {"01_toy": "failed", "02_toy": "ran"}
    assert "FAILED 01_toy, code cell 4 (raise ValueError('boom')): ValueError: boom" in ended.out
    assert "Traceback" not in ended.err
    assert "params 10" in outputs(toy.executed("01_toy").with_suffix(".failed.ipynb"))
    assert not toy.executed("01_toy").exists()
    suite = ElementTree.parse(toy.root / "report.xml").getroot()
    assert suite.attrib["failures"] == "1"
    assert "boom" in suite.find("testcase/failure").attrib["message"]

    toy.chapter(1)
    ended, status = run(toy)
    assert (ended.status, status["01_toy"]) == (0, "ran")
    assert not toy.executed("01_toy").with_suffix(".failed.ipynb").exists()


def test_a_failure_leaves_the_last_good_copy_in_place(toy):
    run(toy)
    good = toy.executed("01_toy").read_text()
    toy.chapter(1, code("1 / 0"))
    assert run(toy)[1]["01_toy"] == "failed"
    assert toy.executed("01_toy").read_text() == good


@pytest.mark.posix
def test_a_killed_kernel_is_a_failure_with_its_cell(toy):
    toy.chapter(1, code("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"))
    ended, status = run(toy, "1")
    assert (ended.status, status["01_toy"]) == (1, "failed")
    assert "code cell 4" in ended.out
    assert "the kernel died" in ended.out


@pytest.mark.parametrize("wait", ["time.sleep(100)", "[time.sleep(0.1) for _ in iter(int, 1)]"])
def test_a_hanging_cell_is_ended_at_its_time(toy, wait):
    toy.chapter(1, code(f"import time\n{wait}"))
    start = time.monotonic()
    ended, status = run(toy, "1", "--timeout", "1")
    assert (ended.status, status["01_toy"]) == (1, "failed")
    assert "the cell ran longer than 1 s" in ended.out
    assert time.monotonic() - start < 30


def test_parameters_reach_the_chapter_with_their_type(toy):
    toy.chapter(1, code("print(type(rate).__name__, rate, type(label).__name__, label, size)"))
    ended, _ = run(toy, "1", "-p", "rate", "1e-3", "-p", "label", "123", "-p", "size", "4")
    assert ended.status == 0, ended.err
    copy = toy.root / "_build" / "runs" / "01_toy-rate-1e-3-label-123-size-4.ipynb"
    assert "float 0.001 str 123 4" in outputs(copy)
    assert f"executed: {copy}" in ended.out


def test_a_run_with_parameters_leaves_the_book_s_copy_and_other_runs_alone(toy):
    run(toy)
    book = toy.executed("01_toy").read_text()
    run(toy, "1", "-p", "size", "4")
    run(toy, "1", "-p", "size", "5")
    assert toy.executed("01_toy").read_text() == book
    kept = {path.name: "params 17" in outputs(path) for path in (toy.root / "_build" / "runs").glob("*.ipynb")}
    assert kept == {"01_toy-size-4.ipynb": True, "01_toy-size-5.ipynb": False}
    assert run(toy)[1] == {"01_toy": "unchanged", "02_toy": "unchanged"}


def test_the_full_profile_has_its_values_and_its_own_folder(toy):
    run(toy, "1")
    _, status = run(toy, "1", "--profile", "full")
    assert status == {"01_toy": "ran"}
    full = toy.root / "_build" / "executed-full" / "01_toy.ipynb"
    assert "params 50" in outputs(full)
    assert "params 10" in outputs(toy.executed("01_toy"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("-p", "width", "3"), "chapter 01_toy has no parameter 'width'; it has: size = 3, rate = 0.5"),
        (("-p", "size=1;import os", "3"), "is not a Python identifier"),
        (("-p", "size", "1.5"), "parameter size takes int (default 3), got '1.5'"),
        (("-p", "size"), "-p takes a name and a value"),
        (("--parameter=size",), "--parameter takes a name and a value"),
        (("9",), "'9' is not a chapter; the chapters are: 01_toy, 02_toy"),
        (("0",), "'0' is not a chapter"),
        (("--jobs", "0"), "'--jobs'"),
        (("--profile", "huge"), "'--profile'"),
        (("--device", "cuda"), "torch sees no CUDA GPU here"),
        (("--out", "notebooks"), "would overwrite the course's own notebooks; name another folder"),
    ],
)
def test_a_users_mistake_is_one_line_and_status_2(toy, arguments, message):
    if "cuda" in arguments and pytest.importorskip("torch").cuda.is_available():
        pytest.skip("there is a GPU here")
    ended = toy.course("run", *arguments)
    assert ended.status == 2
    assert message in ended.err
    assert ended.err.count("\n") == 1
    assert not (toy.root / "_build").exists()


@pytest.mark.posix
def test_ctrl_c_ends_the_kernels_and_keeps_what_was_finished(toy):
    toy.chapter(2, code("import os, pathlib, time\npathlib.Path('pid').write_text(str(os.getpid()))\ntime.sleep(100)"))
    process = toy.start("run", "--jobs", "2")
    pid_file = toy.root / "_build" / "executed" / ".02_toy.work" / "pid"
    deadline = time.monotonic() + 60
    while not (pid_file.exists() and pid_file.read_text() and toy.executed("01_toy").exists()):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    kernel = int(pid_file.read_text())
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert "stopped    02_toy" in out
    assert not psutil.pid_exists(kernel)
    _, status = run(toy, "1")
    assert status == {"01_toy": "unchanged"}
