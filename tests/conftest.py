"""What all tests share."""

import os
import sys
from pathlib import Path

import pytest

from course_suite.testing import SKIPPED_FOLDERS, STEPS

ROOT = Path(__file__).resolve().parents[1]
opened: set[str] = set()


def note_opened(event, arguments):
    """Keep the names of the project's files that are opened in this process."""
    if event == "open" and isinstance(arguments[0], str) and arguments[0].startswith(f"{ROOT}/"):
        opened.add(arguments[0][len(str(ROOT)) + 1 :])


sys.addaudithook(note_opened)


def pytest_collection_modifyitems(items):
    """Leave out on Windows what only Unix can do."""
    for item in items:
        if os.name == "nt" and item.get_closest_marker("posix"):
            item.add_marker(pytest.mark.skip(reason="needs the signals of Unix"))


@pytest.fixture(autouse=True)
def reads_what_its_step_depends_on(request):
    """A test of the code runs again when what its step reads has changed: so it must read nothing else."""
    opened.clear()
    yield
    if not {"texts", "site", "browser"} & {mark.name for mark in request.node.iter_markers()}:
        known = STEPS["unit"].reads
        strangers = {
            name
            for name in opened
            if not SKIPPED_FOLDERS & set(Path(name).parts)
            and not any(name == read or name.startswith(f"{read}/") for read in known)
        }
        assert not strangers, f"mark this test `texts`, or let the step `unit` read {sorted(strangers)}"


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    """One torch thread a worker: two threads on two busy cores run slower than one."""
    import torch

    torch.set_num_threads(1)
