"""Where a record says that it comes from: the commit, and whether the files were as committed."""

from __future__ import annotations

import subprocess
import sys

import pytest

from course_suite.records import provenance

MODULE = sys.modules["course_suite.records.provenance"]  # the package offers the function under the same name


@pytest.fixture
def clone(tmp_path, monkeypatch):
    """A repository with one commit, in which the module seems to lie."""
    path = tmp_path / "file.py"
    path.write_text("x = 1\n")
    who = ["-c", "user.name=a", "-c", "user.email=a@b.example"]
    for words in (["init", "-q"], ["add", "."], [*who, "commit", "-q", "-m", "first"]):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    monkeypatch.setattr(MODULE, "__file__", str(path))
    return path


def test_files_as_committed_are_clean_and_a_changed_one_is_not(clone):
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=clone.parent, capture_output=True, text=True).stdout.strip()
    found = provenance()
    assert (found["commit"], found["clean"]) == (head, True)

    clone.write_text("x = 2\n")
    assert provenance()["clean"] is False

    clone.write_text("x = 1\n")
    (clone.parent / "notes.txt").write_text("not of the repository")
    assert provenance()["clean"] is True


def test_outside_a_repository_neither_is_known(tmp_path, monkeypatch):
    monkeypatch.setattr(MODULE, "__file__", str(tmp_path / "file.py"))
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    found = provenance()
    assert (found["commit"], found["clean"]) == (None, None)
