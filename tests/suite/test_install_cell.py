"""The cell that brings the library: what it installs, says, and how it fails. A stand-in plays the part of pip."""

import subprocess
import sys

import pytest

from course_suite.project import Settings
from course_suite.reader.install import install_cell

# What `python -m pip` finds first: it notes what it was asked for, and installs a library, or fails as told.
PIP = """\
import os, pathlib, sys
place = pathlib.Path(__file__).parent
(place / "asked.txt").write_text(" ".join(sys.argv[1:]))
if os.environ.get("FAILS"):
    sys.exit("ERROR: Could not find a version: Temporary failure in name resolution")
(place / "course_lib").mkdir()
(place / "course_lib" / "__init__.py").write_text("")
(place / "torchinfo.py").write_text("")
"""


SOURCE = "cnn-recomputed @ git+https://host.test/someone/cnn-recomputed@v0.1.0"


class Machine:
    """A folder with a stand-in for pip, in whose Python nothing else is installed."""

    def __init__(self, root):
        self.root, self.folder = root, root / "notebooks"
        self.folder.mkdir()
        (root / "site").mkdir()
        (root / "site" / "pip.py").write_text(PIP)

    def run(self, repository="https://host.test/someone/cnn-recomputed", version="0.1.0", after="", **variables):
        """Run the cell, then ``after``, in one process."""
        cell = install_cell(Settings(repository, "main", "https://site.test", version)).source
        env = {"PYTHONPATH": str(self.root / "site"), "PATH": "", **variables}
        command = [sys.executable, "-S", "-c", f"{cell}\n{after}"]  # -S: without the packages of this environment
        return subprocess.run(command, cwd=self.folder, env=env, capture_output=True, text=True, timeout=60)

    @property
    def asked(self):
        """What pip was asked for."""
        path = self.root / "site" / "asked.txt"
        return path.read_text() if path.is_file() else ""


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


def test_the_library_is_installed_at_the_versions_tag_and_can_be_imported_at_once(machine):
    ended = machine.run(after="import course_lib")
    assert ended.stdout == f"course_lib was installed from {SOURCE}.\n"
    assert machine.asked == f"install --quiet {SOURCE}"
    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_version_under_development_has_no_tag_yet(machine):
    assert "cnn-recomputed@main." in machine.run(version="0.2.0.dev0").stdout


def test_nothing_is_installed_where_the_library_is_here(machine):
    machine.run()
    (machine.root / "site" / "asked.txt").unlink()
    assert machine.run().stdout == "course_lib is here already: nothing was installed.\n"
    assert machine.asked == ""


def test_a_copy_of_the_course_without_git_is_used_as_it_is(machine):
    (machine.root / "course_lib").mkdir()
    (machine.root / "course_lib" / "__init__.py").write_text("here = 1")
    (machine.root / "site" / "torchinfo.py").write_text("")
    ended = machine.run(after="import course_lib; assert course_lib.here")
    assert ended.stdout == "course_lib is here already: nothing was installed.\n"
    assert (machine.asked, ended.stderr) == ("", "")


def test_what_a_copy_of_the_course_needs_is_installed(machine):
    (machine.root / "course_lib").mkdir()
    (machine.root / "course_lib" / "__init__.py").write_text("")
    machine.run()
    assert machine.asked == f"install --quiet {machine.root}"


@pytest.mark.parametrize(
    ("how", "message"),
    [
        (
            {"repository": "https://github.com/OWNER/cnn-recomputed"},
            "OWNER/cnn-recomputed is a placeholder: there is",
        ),
        ({"FAILS": "1"}, "Is there a network? pip says: ERROR: Could not find a version: Temporary failure in name"),
    ],
)
def test_what_stands_in_the_way_is_said_in_the_last_line(machine, how, message):
    ended = machine.run(**how)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert message in ended.stderr.splitlines()[-1]
