"""The benchmarks of the analysis: the true counts are true, and targets are judged as they say."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture
def benchmark(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Imports a script of the benchmarks."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))

    def load(name: str) -> ModuleType:
        return importlib.import_module(name)

    return load


def test_ours_is_right_in_every_case(benchmark: Any) -> None:
    exactness = benchmark("exactness")

    ratios = {name: exactness.measured("course_lib", case) for name, case in exactness.CASES.items()}

    assert {name: (found["ratio"], found["params_ratio"]) for name, found in ratios.items()} == dict.fromkeys(
        exactness.CASES, (1.0, 1.0)
    )


def test_torchs_own_counter_agrees_where_it_sees_everything(benchmark: Any) -> None:
    exactness = benchmark("exactness")
    hidden = {"self-attention"}  # torch runs it in one piece on a CPU

    for name in exactness.CASES.keys() - hidden:
        assert exactness.measured("FlopCounterMode", exactness.CASES[name])["ratio"] == 1, name


def test_tool_that_is_not_installed_is_said_to_be(benchmark: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    exactness = benchmark("exactness")
    monkeypatch.setitem(exactness.TOOLS, "thop", exactness.TOOLS["thop"]._replace(package="no_such_package"))

    assert exactness.measured("thop", exactness.CASES["conv with bias"]) == "not installed"


def test_targets_are_met_or_missed(benchmark: Any) -> None:
    speed_of = benchmark("analysis_speed")
    ours, theirs = {"median_seconds": 0.1}, {"median_seconds": 1.0}
    speed = {name: {"course_lib": ours, "torchinfo": theirs} for name in speed_of.NETWORKS}
    memory = {"course_lib": {"median_bytes": 4}, "torchinfo": {"median_bytes": 100}}
    imports = {"course_lib": {"median_seconds": 0.04}, "torch": {"median_seconds": 1.0}}

    judged = {entry["what"]: entry["met"] for entry in speed_of.targets(speed, memory, imports)}

    assert judged == {
        "vgg19: times faster than torchinfo": False,
        "googlenet: times faster than torchinfo": True,
        "resnet152: times faster than torchinfo": False,
        "vgg19: memory, of torchinfo's": True,
        "import course_lib, of import torch": False,
    }
