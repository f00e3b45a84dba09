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

LOST = (
    "closed by peer", "reset by peer", "broken pipe", "collective operation timeout", "remote process exited",
    "ncclremoteerror", "communicator was aborted", "timed out waiting",
)  # fmt: skip
TALKING = ("gloo", "nccl", "distributed", "process group")


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
        devices = None
        if device.type == "cuda":
            devices = [torch.cuda.current_device() if device.index is None else device.index]
        return nn.parallel.DistributedDataParallel(model, device_ids=devices)

    def alone(self, forward: Any, *, until: bool) -> contextlib.AbstractContextManager[None]:
        """Keep the gradients of a backward pass to this process, ``until`` the last one of a step sends their sum."""
        return contextlib.nullcontext() if until or self.size == 1 else forward.no_sync()

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

        With NCCL, torch's watchdog may end this process before it can say so.

        Raises:
            TrainingError: another process has gone, or ``torchrun`` noticed first and asked this one to stop; or the
                processes cannot talk to each other.
        """
        lost = f"process {self.rank} of {self.size} lost another one, so training stops:"

        def stop(*_: Any) -> None:
            raise TrainingError(f"{lost} {note()}")

        try:
            with _on_sigterm(stop) if self.size > 1 else contextlib.nullcontext():
                yield
        except RuntimeError as error:
            text = str(error).lower()
            if self.size > 1 and any(words in text for words in LOST):
                raise TrainingError(f"{lost} {note()}") from error
            if self.size > 1 and any(words in text for words in TALKING):
                cause = str(error).partition("\n")[0][:200]
                raise TrainingError(
                    f"process {self.rank} of {self.size} cannot talk to the others ({cause}): {note()}"
                ) from error
            raise


def join_group(device: str = "auto") -> tuple[Group, str]:
    """Join the processes that ``torchrun`` started (NCCL on GPUs, gloo on CPUs): the group, and this one's device.

    Without ``torchrun``: a group of one, and the device unchanged.

    Raises:
        ValueError: there are more processes than GPUs, or the variables that ``torchrun`` sets are not whole.
        TrainingError: the processes do not find each other.
    """
    size = _whole_number("WORLD_SIZE", default=1)
    if size == 1:
        return Group(), device
    missing = [name for name in ("RANK", "MASTER_ADDR", "MASTER_PORT") if not os.environ.get(name)]
    if missing:
        raise ValueError(f"WORLD_SIZE is {size} and {missing[0]} is not set: start with torchrun, or unset WORLD_SIZE")
    on_gpu = device.startswith("cuda") or (device == "auto" and torch.cuda.is_available())
    place = f"cuda:{_local_rank(device)}" if on_gpu else "cpu"
    if on_gpu:
        torch.cuda.set_device(place)
    try:
        dist.init_process_group("nccl" if on_gpu else "gloo", device_id=torch.device(place) if on_gpu else None)
    except RuntimeError as error:
        raise TrainingError(
            f"the {size} processes do not find each other: {str(error).partition(chr(10))[0]}"
        ) from error
    return Group.current(), place


def _whole_number(name: str, default: int) -> int:
    """A variable of the environment; unset and empty mean the default."""
    text = os.environ.get(name, "").strip()
    if text and not text.isdecimal():
        raise ValueError(f"{name} must be a whole number as torchrun sets it, got {text!r}")
    return int(text) if text else default


def _local_rank(device: str) -> int:
    """The number of this process's GPU on its machine."""
    if ":" in device:
        raise ValueError(f"device must be cuda for a group, each process takes the GPU of its own number; got {device}")
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if count == 0:
        raise ValueError("device cuda was asked for, and torch sees no CUDA GPU: use auto or cpu")
    among_all = _whole_number("RANK", 0) % count  # for schedulers that do not count the processes of a machine
    local = _whole_number("LOCAL_RANK", _whole_number("SLURM_LOCALID", among_all))
    if local >= count:
        raise ValueError(f"nproc-per-node must be at most {count}, the number of GPUs")
    return local


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
