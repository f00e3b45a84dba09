"""How a group is joined, and what is said when its processes cannot be one: no process is started here."""

import pytest
import torch
from fake_cuda import emulated_cuda

from course_lib.training import Group, TrainingError, join_group
from course_lib.training import group as groups

TORCHRUN = ("WORLD_SIZE", "RANK", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT", "SLURM_LOCALID")


@pytest.fixture
def started(monkeypatch):
    """Sets the variables that a launcher sets, and records how the group would be made."""
    calls = []
    monkeypatch.setattr(groups.dist, "init_process_group", lambda *args, **options: calls.append((*args, options)))
    monkeypatch.setattr(groups.Group, "current", classmethod(lambda cls: cls(1, 2)))
    for name in TORCHRUN:
        monkeypatch.delenv(name, raising=False)

    def start(**variables):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        return calls

    return start


WHOLE = {"WORLD_SIZE": "2", "RANK": "1", "MASTER_ADDR": "localhost", "MASTER_PORT": "29500"}


@pytest.mark.parametrize("variables", [{}, {"WORLD_SIZE": ""}, {"WORLD_SIZE": " "}, {"WORLD_SIZE": "1"}])
def test_without_other_processes_it_is_a_group_of_one(started, variables):
    assert started(**variables) == []
    assert join_group("cpu") == (Group(), "cpu")


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"WORLD_SIZE": "two"}, "WORLD_SIZE must be a whole number as torchrun sets it, got 'two'"),
        ({"WORLD_SIZE": "-1"}, "WORLD_SIZE must be a whole number as torchrun sets it, got '-1'"),
        ({"WORLD_SIZE": "2"}, "WORLD_SIZE is 2 and RANK is not set: start with torchrun, or unset WORLD_SIZE"),
        ({**WHOLE, "MASTER_ADDR": ""}, "WORLD_SIZE is 2 and MASTER_ADDR is not set: start with torchrun"),
    ],
)
def test_variables_that_are_not_whole_are_one_line(started, variables, message):
    started(**variables)
    with pytest.raises(ValueError, match=f"^{message}"):
        join_group("cpu")


@pytest.mark.parametrize(
    ("variables", "place"),
    [
        ({"LOCAL_RANK": "1", "RANK": "5"}, "cuda:1"),
        ({"SLURM_LOCALID": "0"}, "cuda:0"),
        ({"RANK": "5"}, "cuda:1"),  # of two GPUs, where nobody counts the processes of a machine
    ],
)
def test_each_process_takes_the_gpu_of_its_number(started, variables, place):
    calls = started(**{**WHOLE, **variables})
    with emulated_cuda(count=2):
        assert join_group("auto") == (Group(1, 2), place)
    assert calls == [("nccl", {"device_id": torch.device(place)})]


def test_processes_on_cpus_talk_by_gloo(started):
    calls = started(**WHOLE)
    assert join_group("cpu") == (Group(1, 2), "cpu")
    assert calls == [("gloo", {"device_id": None})]


@pytest.mark.parametrize(
    ("device", "local", "message"),
    [
        ("cuda:1", "0", "device must be cuda for a group, each process takes the GPU of its own number; got cuda:1"),
        ("cuda", "2", "nproc-per-node must be at most 2, the number of GPUs"),
    ],
)
def test_a_gpu_that_is_not_there_is_refused(started, device, local, message):
    started(**WHOLE, LOCAL_RANK=local)
    with emulated_cuda(count=2), pytest.raises(ValueError, match=f"^{message}"):
        join_group(device)


@pytest.mark.skipif(torch.cuda.is_available(), reason="is about machines without a GPU")
def test_a_group_on_gpus_needs_one(started):
    started(**WHOLE)
    with pytest.raises(ValueError, match="device cuda was asked for, and torch sees no CUDA GPU: use auto or cpu"):
        join_group("cuda")


def test_processes_that_do_not_meet_say_why(started, monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("The client socket has timed out while trying to connect.\nmore")

    started(**WHOLE)
    monkeypatch.setattr(groups.dist, "init_process_group", fail)
    with pytest.raises(
        TrainingError, match=r"^the 2 processes do not find each other: The client socket has timed out .*\.$"
    ):
        join_group("cpu")


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (
            "[pair.cc:534] Connection closed by peer [127.0.0.1]:1",
            "^process 1 of 2 lost another one, so training stops: so$",
        ),
        ("NCCL error: remote process exited or there was a network error", "^process 1 of 2 lost another one"),
        (
            "NCCL error in: x.cpp:1, invalid usage, NCCL version 2.21\nDuplicate GPU detected",
            r"^process 1 of 2 cannot talk to the others \(NCCL error in: x\.cpp:1, invalid usage, NCCL .*\): so$",
        ),
    ],
)
def test_what_ended_a_group_is_told_apart(error, message):
    with pytest.raises(TrainingError, match=message) as told, Group(1, 2).watched(lambda: "so"):
        raise RuntimeError(error)
    assert str(told.value.__cause__) == error


def test_other_errors_stay_as_they_are():
    with pytest.raises(RuntimeError, match=r"^shape mismatch$"), Group(1, 2).watched(lambda: "so"):
        raise RuntimeError("shape mismatch")
    with pytest.raises(RuntimeError, match=r"^nccl$"), Group().watched(lambda: "so"):
        raise RuntimeError("nccl")
