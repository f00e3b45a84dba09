"""Every chapter's cells run on an emulated GPU, where torch finds one: one chapter always, all once a week."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
CHAPTERS = sorted(ROOT.glob("notebooks/*.md"))
ALWAYS = ("05_counting",)  # quick, and it builds, counts, copies and optimises

pytestmark = [pytest.mark.slow, pytest.mark.texts, pytest.mark.timeout(1200)]


def chapters(*, always):
    chosen = [path for path in CHAPTERS if (path.stem in ALWAYS) == always]
    return pytest.mark.parametrize("path", chosen, ids=lambda path: path.stem)


def run(path):
    command = [sys.executable, str(ROOT / "tests" / "chapter_on_gpu.py"), str(path)]
    ended = subprocess.run(command, cwd=ROOT / "tests", capture_output=True, text=True)
    assert (ended.returncode, ended.stdout.splitlines()[-1:]) == (0, ["all cells ran"]), ended.stderr[-3000:]


@chapters(always=True)
def test_a_chapter_runs_on_a_gpu(path):
    run(path)


@pytest.mark.weekly
@chapters(always=False)
def test_every_other_chapter_runs_on_a_gpu(path):
    run(path)


def test_the_chapters_that_always_run_are_there():
    assert set(ALWAYS) <= {path.stem for path in CHAPTERS}
