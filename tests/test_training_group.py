"""Several processes that train one network. The oracle is one process, and torch's BatchNorm2d."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from course_lib.training.group import Group
from course_lib.training.loop import batches
from course_lib.training.synced_norm import SyncedBatchNorm2d

pytestmark = pytest.mark.posix
SCRIPT = Path(__file__).with_name("group_run.py")
TOLERANCE = 2e-4  # relative: sums of float32 in another order, over 18 steps through batch normalisations


def start(folder: Path, size: int, *arguments: str) -> list[subprocess.CompletedProcess]:
    """Run a group of ``size`` processes to its end."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    shared = {"WORLD_SIZE": str(size), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "OMP_NUM_THREADS": "1"}
    processes = [
        subprocess.Popen(
            [sys.executable, str(SCRIPT), str(folder), *arguments],
            env=os.environ | shared | {"RANK": str(rank), "LOCAL_RANK": str(rank)},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for rank in range(size)
    ]  # fmt: skip
    return [
        subprocess.CompletedProcess(process.args, process.returncode, *output)
        for process in processes
        for output in [process.communicate(timeout=120)]
    ]


def history_of(done: list[subprocess.CompletedProcess]) -> dict[str, list[float]]:
    """What rank 0 printed, once all have ended well."""
    assert [process.returncode for process in done] == [0] * len(done), done
    assert all(not process.stdout for process in done[1:])
    return json.loads(done[0].stdout)


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """The history of one process, without a checkpoint from elsewhere."""
    return history_of(start(tmp_path_factory.mktemp("alone") / "run", 1))


@pytest.fixture(scope="module")
def together(tmp_path_factory):
    """The history of two processes, and their folder."""
    folder = tmp_path_factory.mktemp("together") / "run"
    return history_of(start(folder, 2)), folder


def test_two_processes_follow_the_losses_of_one(alone, together):
    history, folder = together
    assert history["step_loss"] == pytest.approx(alone["step_loss"], rel=TOLERANCE)
    assert history["test_loss"] == pytest.approx(alone["test_loss"], rel=TOLERANCE)
    assert history["train_accuracy"] == alone["train_accuracy"]
    assert [path.name for path in folder.glob("epoch-*")] == ["epoch-0003"]


def test_a_group_that_lost_a_process_says_so_and_resumes_to_the_same_numbers(together, tmp_path):
    folder = tmp_path / "run"
    survivor, lost = start(folder, 2, "8")  # the second of six steps of epoch 2
    assert lost.returncode == -9
    assert survivor.returncode == 3
    assert "process 0 of 2 lost another one, so training stops: the last good checkpoint is" in survivor.stderr
    assert [path.name for path in folder.glob("epoch-*")] == ["epoch-0001"]
    history = history_of(start(folder, 2))
    expected = together[0]
    assert {name: history[name] for name in history if name != "seconds"} == {
        name: expected[name] for name in expected if name != "seconds"
    }


def torchrun(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    """Two processes, started and watched by torchrun."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", str(SCRIPT)]
    return subprocess.run(
        [*command, str(folder), *arguments],
        env=os.environ | {"OMP_NUM_THREADS": "1"}, capture_output=True, text=True, timeout=120,
    )  # fmt: skip


@pytest.mark.parametrize("way", ["8", "8 slow"])
def test_torchrun_ends_a_run_that_lost_a_process_with_a_message_and_its_checkpoint(together, tmp_path, way):
    """In the slow way the survivor is still computing when torchrun tells it to stop."""
    folder = tmp_path / "run"
    lost = torchrun(folder, *way.split())
    assert lost.returncode != 0
    message = f"process 0 of 2 lost another one, so training stops: the last good checkpoint is {folder / 'epoch-0001'}"
    assert lost.stderr.splitlines().count(message) == 1
    resumed = torchrun(folder)
    assert resumed.returncode == 0
    history, expected = json.loads(resumed.stdout), together[0]
    assert {name: history[name] for name in history if name != "seconds"} == {
        name: expected[name] for name in expected if name != "seconds"
    }


def test_a_run_of_another_number_of_processes_is_refused(together, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(together[1], folder)
    (process,) = start(folder, 1)
    assert process.returncode != 0
    assert "processes is 1, was 2" in process.stderr


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_the_shares_of_a_batch_are_the_batch(size):
    values = torch.arange(17)
    shares = [Group(rank, size).share(values) for rank in range(size)]
    assert torch.equal(torch.cat(shares), values)
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


@pytest.mark.parametrize(("count", "processes", "groups"), [(9, 1, 2), (10, 1, 3), (10, 2, 3), (10, 3, 2), (11, 3, 3)])
def test_a_last_batch_that_leaves_a_process_empty_is_left_out(count, processes, groups):
    assert len(batches(count, 4, torch.Generator(), processes)) == groups


def test_synced_batch_norm_of_a_group_of_one_is_batch_norm(tmp_path):
    torch.manual_seed(0)
    ours, theirs = SyncedBatchNorm2d(3), nn.BatchNorm2d(3)
    x = torch.randn(5, 3, 4, 6)
    first, second = x.clone().requires_grad_(), x.clone().requires_grad_()
    weights = torch.randn(5, 3, 4, 6)
    torch.distributed.init_process_group("gloo", init_method=f"file://{tmp_path}/meet", rank=0, world_size=1)
    try:
        result = ours(first)
        (result * weights).sum().backward()
    finally:
        torch.distributed.destroy_process_group()
    expected = theirs(second)
    (expected * weights).sum().backward()
    torch.testing.assert_close(result, expected)
    torch.testing.assert_close(first.grad, second.grad)
    torch.testing.assert_close(ours.weight.grad, theirs.weight.grad)
    torch.testing.assert_close(ours.running_var, theirs.running_var)
    torch.testing.assert_close(ours.running_mean, theirs.running_mean)
    torch.testing.assert_close(ours.eval()(x), theirs.eval()(x))
