"""No notebook tells where the machine that recorded it keeps its files."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted([*ROOT.glob("notebooks/*.ipynb"), *ROOT.glob("notebooks/recorded/*.json")])
OF_A_MACHINE = re.compile(r"site-packages|\.venv/|/(?:tmp|home|root|Users)/")

pytestmark = pytest.mark.texts


def test_there_are_notebooks():
    assert FILES


@pytest.mark.parametrize("path", [path for path in FILES if ".mine" not in path.name], ids=lambda path: path.name)
def test_no_folder_of_a_machine_is_named(path):
    assert OF_A_MACHINE.findall(path.read_text(encoding="utf-8")) == []
