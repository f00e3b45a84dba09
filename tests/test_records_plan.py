"""The plan of recorded runs: its commands are the records' commands, and what it names exists."""

import re
import shlex
from pathlib import Path

import pytest

from course_lib.models import names
from course_suite.records import errors, is_trained, load_plan, load_records, trained_below

ROOT = Path(__file__).parents[1]
PLAN = load_plan()
RECORDS = {record["name"]: record for record in load_records()}


def test_names_are_unique_and_every_record_is_planned():
    planned = [entry["name"] for entry in PLAN]
    assert len(set(planned)) == len(planned)
    assert set(RECORDS) <= set(planned)


@pytest.mark.texts
@pytest.mark.parametrize("entry", PLAN, ids=lambda entry: entry["name"])
def test_what_an_entry_names_exists(entry):
    words = shlex.split(entry["command"])
    assert words[0] == "train"
    assert words[1] in names()
    labels = re.findall(r"^\((ch-[a-z0-9-]+)\)=$", "\n".join(map(Path.read_text, ROOT.glob("notebooks/*.md"))), re.M)
    assert entry["chapter"] in labels
    assert 0 < trained_below(entry) <= 100
    if "published" in entry:
        assert f"{{{entry['source']}," in (ROOT / "book/references.bib").read_text(encoding="utf-8")
        assert float(entry["published"]) > 0
        assert entry["difference"].endswith(".")


@pytest.mark.parametrize("name", RECORDS)
def test_a_record_was_made_by_the_planned_command(name):
    command = RECORDS[name]["provenance"]["command"]
    planned = next(entry["command"] for entry in PLAN if entry["name"] == name)
    assert shlex.split(command)[1 : 1 + len(shlex.split(planned))] == shlex.split(planned)
    assert RECORDS[name]["provenance"]["clean"]
    assert RECORDS[name]["provenance"]["commit"]


def test_what_was_not_trained_is_found_by_its_training_error():
    assert not is_trained(RECORDS["plain56_digits"], {})
    assert is_trained(RECORDS["plain56_digits"], {"trained_below": 100})
    assert is_trained(RECORDS["lenet5_mnist"], {})
    found = errors(RECORDS["lenet5_1998_sdlm_first_weights_mnist"], "train")
    assert [round(error, 1) for error in found] == [
        round(100 - 100 * run["metrics"]["train_accuracy"], 1)
        for run in RECORDS["lenet5_1998_sdlm_first_weights_mnist"]["runs"]
    ]
