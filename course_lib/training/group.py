"""Several processes that train one network together: who takes which images, and how their sums become one.

Started by ``torchrun``, each process has the whole data set and the whole network. Of each batch it takes its share;
the gradients are added up before every step. One process alone is a group of one, for which all of this does nothing.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from course_lib.training.errors import TrainingError
from course_lib.training.synced_norm import synchronise_norms

LOST = ("closed by peer", "reset by peer", "broken pipe", "timed out", "gloo", "nccl")


@dataclass(frozen=True)
class Group:
    """This process's number, from 0, and how many there are."""

    rank: int = 0
    size: int = 1

    @classmethod
    def current(cls) -> Group:
        """The group that ``torch.distributed`` was initialised with, or a group of one."""
        ready = dist.is_available() and dist.is_initialized()
        return cls(dist.get_rank(), dist.get_world_size()) if ready else cls()

    def share(self, values: Tensor) -> Tensor:
        """This process's part of a batch: the parts are in order and differ in length by one at most."""
        return values.tensor_split(self.size)[self.rank]

    def wrap(self, model: nn.Module, device: torch.device) -> nn.Module:
        """The model in DistributedDataParallel, its batch normalisations over the whole batch; alone, the model."""
        if self.size == 1:
            return model
        synchronise_norms(model)
        devices = [device.index] if device.type == "cuda" else None
        return nn.parallel.DistributedDataParallel(model, device_ids=devices)

    def total(self, values: Tensor) -> Tensor:
        """The sum of ``values`` over the processes."""
        if self.size > 1:
            dist.all_reduce(values)
        return values

    def gather(self, value: Any) -> list[Any]:
        """The value of every process, in order."""
        values = [value] * self.size
        if self.size > 1:
            dist.all_gather_object(values, value)
        return values

    @contextlib.contextmanager
    def watched(self, note: Callable[[], str]) -> Iterator[None]:
        """Say in one line what a lost process means; ``note`` tells how to go on.

        Raises:
            TrainingError: another process has gone, or ``torchrun`` noticed first and asked this one to stop.
        """
        lost = f"process {self.rank} of {self.size} lost another one, so training stops:"

        def stop(*_: Any) -> None:
            raise TrainingError(f"{lost} {note()}")

        try:
            with _on_sigterm(stop) if self.size > 1 else contextlib.nullcontext():
                yield
        except RuntimeError as error:
            text = str(error).lower()
            if self.size == 1 or not any(word in text for word in LOST):
                raise
            raise TrainingError(f"{lost} {note()}") from None


def join_group(device: str = "auto") -> tuple[Group, str]:
    """Join the processes that ``torchrun`` started (NCCL on GPUs, gloo on CPUs): the group, and this one's device.

    Without ``torchrun``: a group of one, and the device unchanged.

    Raises:
        ValueError: there are more processes than GPUs.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return Group(), device
    on_gpu = device.startswith("cuda") or (device == "auto" and torch.cuda.is_available())
    place = f"cuda:{os.environ['LOCAL_RANK']}" if on_gpu else "cpu"
    if on_gpu:
        if int(os.environ["LOCAL_RANK"]) >= torch.cuda.device_count():
            raise ValueError(f"nproc-per-node must be at most {torch.cuda.device_count()}, the number of GPUs")
        torch.cuda.set_device(place)
    dist.init_process_group("nccl" if on_gpu else "gloo")
    return Group.current(), place


@contextlib.contextmanager
def _on_sigterm(handler: Callable[..., None]) -> Iterator[None]:
    """Answer SIGTERM with ``handler`` for a while; outside the main thread, where Python allows none, do nothing."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def leave_group() -> None:
    """Say goodbye to the other processes, if there are any."""
    if dist.is_available() and dist.is_initialized():
        dist.destroy_process_group()
