"""The data of the live pieces: scripts that set one value, and weights that are those of their record."""

from __future__ import annotations

import json
import re
import shutil

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from course_lib.data.prepared import load_prepared
from course_lib.models import build
from course_lib.training import evaluate
from course_suite.live import DATA, script_of
from course_suite.live.weights import WEIGHTS, read
from course_suite.records import RECORDS, read_record

NAMES = sorted(path.stem for path in WEIGHTS.glob("*.safetensors"))


@pytest.mark.parametrize("name", sorted(DATA))
def test_a_script_says_its_origin_and_sets_one_value(name):
    comment, statement = script_of(name).splitlines()

    assert re.fullmatch(r"// Generated\. \S.{20,}", comment)
    start = f"(window.courseData ??= {{}}).{name} = "
    assert statement.startswith(start)
    assert json.loads(statement.removeprefix(start).removesuffix(";"))


@pytest.mark.parametrize("name", NAMES)
def test_weights_lose_nothing_that_counts_in_sixteen_bits(name):
    tensors, origin = read(name)
    record = read_record(RECORDS / f"{name}.json")

    assert origin["test_accuracy"] == pytest.approx(record["runs"][0]["metrics"]["test_accuracy"], abs=0.002)
    assert sum(tensor.numel() for tensor in tensors.values()) == record["model"]["params"]
    assert {tensor.dtype for tensor in tensors.values()} == {torch.float16}


def test_the_accuracy_that_weights_carry_is_what_they_reach():
    tensors, origin = read("lenet5_tanh_digits")
    model = build("lenet5")
    model.load_state_dict({name: tensor.float() for name, tensor in tensors.items()})

    assert evaluate(model, load_prepared("digits", resize=24, pad=32).test).accuracy == origin["test_accuracy"]


def changed(folder, number=None, **origin):
    """A copy of the smallest weights with one number or their origin changed."""
    name = "lenet5_tanh_digits"
    shutil.copy(WEIGHTS / f"{name}.safetensors", folder)
    with safe_open(folder / f"{name}.safetensors", framework="pt") as file:
        told = json.loads(file.metadata()["origin"])
        tensors = {key: file.get_tensor(key).clone() for key in file.keys()}  # noqa: SIM118
    if number is not None:
        tensors["c1.bias"][0] = number
    save_file(tensors, folder / f"{name}.safetensors", metadata={"origin": json.dumps(told | origin)})
    return name


def test_weights_with_another_number_are_refused(tmp_path):
    name = changed(tmp_path, number=0.5)

    with pytest.raises(ValueError, match="are not those that were recorded"):
        read(name, tmp_path)


def test_weights_of_another_run_are_refused(tmp_path):
    name = changed(tmp_path, commit="0" * 40)

    with pytest.raises(ValueError, match="come from another run than its record"):
        read(name, tmp_path)
