"""What works without the makers' extras: ``course analyze`` and ``course train``, on a reader's packages alone."""

import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from course_suite.lock import requirements
from course_suite.project import Project

ROOT = Path(__file__).parents[2]
SCRIPT = """
import sys
BLOCKED = set(sys.argv[1].split(","))
class Without:
    def __init__(self, finder):
        self.finder = finder
    def find_spec(self, name, path=None, target=None):
        return None if name.split(".")[0] in BLOCKED else self.finder.find_spec(name, path, target)
sys.meta_path[:] = [Without(finder) for finder in sys.meta_path]
from course_suite.cli import main
sys.exit(main(sys.argv[2:]))
"""


def needed(names: set[str]) -> set[str]:
    """These distributions and all that they need, as installed here."""
    found, waiting = set(), {canonicalize_name(name) for name in names}
    while waiting:
        name = waiting.pop()
        found.add(name)
        try:
            lines = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue
        wanted = [Requirement(line) for line in lines]
        wanted = [one for one in wanted if not one.marker or one.marker.evaluate({"extra": ""})]
        waiting |= {canonicalize_name(one.name) for one in wanted} - found
    return found


def makers_modules() -> set[str]:
    """The modules that a plain install does not bring."""
    table = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    readers = needed({Requirement(line).name for line in table["dependencies"]})
    extras = needed({requirement.name for requirement in requirements(Project(ROOT))}) - readers
    places = metadata.packages_distributions().items()
    return {module for module, names in places if {canonicalize_name(name) for name in names} <= extras}


@pytest.mark.parametrize(
    "arguments",
    [
        ["analyze", "lenet5", "--format", "json"],
        ["train", "lenet5", "--resize", "28", "--pad", "32", "--take", "60", "--epochs", "1", "--device", "cpu"],
        ["ledger", "--source", "lecun1998"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_it_works_without_the_makers_packages(tmp_path, arguments):
    blocked = makers_modules()
    assert {"jupytext", "papermill", "nbformat", "sphinx", "pytest"} <= blocked
    assert not {"torch", "jsonschema", "PIL", "matplotlib_inline", "rich", "packaging"} & blocked
    command = [sys.executable, "-c", SCRIPT, ",".join(sorted(blocked)), *arguments]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=250)
    assert ended.returncode == 0, ended.stderr[-2000:]
