"""Checkpoints: what a run needs to go on after an epoch, put in place whole or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import shutil
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from filelock import FileLock, Timeout
from safetensors import SafetensorError
from torch import Generator, Tensor, nn, optim

from course_lib.training import checkpoint_files as files
from course_lib.training.errors import TrainingError
from course_lib.training.history import History
from course_lib.training.keeper import Keeper

ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
LOCK = ".lock"


class Live(NamedTuple):
    """What changes while a run goes on, besides its history; ``rank`` is the number of this process in its group."""

    model: nn.Module
    optimiser: optim.Optimizer
    generator: Generator
    device: torch.device
    rank: int = 0
    keeper: Keeper | None = None


def random_state(device: torch.device) -> dict[str, Tensor | None]:
    """The states of torch's global random generators."""
    return {
        "cpu": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state(device) if device.type == "cuda" else None,
    }


class Checkpoints:
    """The folder of one run. ``epoch-0003/`` in it holds the state after three epochs, in three files:

    - ``weights.safetensors``: parameters and buffers under their names, as the run gives them if it ends there;
    - ``state.pt``: the optimiser, the random states, the history, and the weights in training where these are others;
    - ``settings.json``: what makes the run this one, so that a run with other settings is refused; ``about``, what is
      needed to use the network; and the SHA-256 of each file.

    A checkpoint is written under another name and renamed when it is complete; the one before goes after that. So a
    run that is killed at any moment leaves a complete one, if it had any.
    """

    def __init__(self, folder: Path, settings: dict[str, Any], about: Mapping[str, Any] | None = None) -> None:
        self.folder, self.settings, self.about = folder, settings, dict(about or {})

    @property
    def all(self) -> list[Path]:
        """The checkpoints, the newest first."""
        return sorted(self.folder.glob("epoch-*"), key=lambda path: (len(path.name), path.name), reverse=True)

    @property
    def last(self) -> Path | None:
        """The newest checkpoint, or None."""
        return next(iter(self.all), None)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other runs out of the folder. A process that is killed lets go of it.

        Raises:
            TrainingError: another run is in it, or the folder cannot be made.
        """
        lock = FileLock(self.folder / LOCK, timeout=0)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock.acquire()
        except Timeout:
            raise TrainingError(f"another training is running in {self.folder}: wait for it, or name another") from None
        except OSError as error:
            raise TrainingError(f"{self.folder} cannot be written to ({error.strerror}): name another folder") from None
        try:
            yield
        finally:
            lock.release()

    def save(self, live: Live, history: History, random_states: list[dict[str, Tensor | None]]) -> None:
        """Put the checkpoint of the last epoch in place, then remove older ones.

        Args:
            random_states: ``random_state`` of each process of the group.

        Raises:
            TrainingError: the folder cannot be written to.
        """
        name, keeper = f"epoch-{history.epochs:04}", live.keeper or Keeper(live.model, None, None)
        state = {
            "optimizer": live.optimiser.state_dict(),
            "generator": live.generator.get_state(),
            "random": random_states,
            "history": history.to_dict(),
            "keeper": keeper.state_dict(),
        }
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            for leftover in self.folder.glob(".*-epoch-*"):
                shutil.rmtree(leftover)
            temporary = self.folder / f".writing-{name}"
            temporary.mkdir()
            files.write(temporary, files.Contents(self.settings | {"about": self.about}, keeper.weights(), state))
            if (self.folder / name).exists():  # a damaged one, which an older one was taken for
                self._remove(self.folder / name)
            temporary.rename(self.folder / name)
            for older in self.folder.glob("epoch-*"):
                if older.name != name:
                    self._remove(older)
        except (OSError, SafetensorError, RuntimeError) as error:
            raise TrainingError(
                f"the checkpoint of epoch {history.epochs} cannot be written to {self.folder} "
                f"({files.first_line(error)}): make room or name another folder; {self.note()}"
            ) from None

    def _remove(self, checkpoint: Path) -> None:
        """Take a checkpoint out of sight at once, then off the disk."""
        shutil.rmtree(checkpoint.rename(self.folder / f".removing-{checkpoint.name}"))

    def restore(self, live: Live) -> History:
        """Set everything to where the last whole checkpoint left it; without any, change nothing.

        Raises:
            ValueError: the checkpoint is of a run with other settings.
            TrainingError: no checkpoint can be read.
        """
        if self.last is None:
            return History()
        settings, weights, state = self.read()
        changed = _differences(settings, self.settings)
        if changed:
            raise ValueError(
                f"checkpoint {self.folder} is of another run: {'; '.join(changed)}. Go on with what it was, or name "
                f"another folder"
            )
        keeper = live.keeper or Keeper(live.model, None, None)
        keeper.load_state_dict(state["keeper"], weights)
        live.optimiser.load_state_dict(state["optimizer"])
        live.generator.set_state(state["generator"])
        random = state["random"][live.rank]
        torch.set_rng_state(random["cpu"])
        if live.device.type == "cuda":
            torch.cuda.set_rng_state(random["cuda"], live.device)
        return History.from_dict(state["history"])

    def read(self) -> files.Contents:
        """The newest checkpoint that is whole; a newer one that is not is named in a warning.

        Raises:
            TrainingError: none is whole.
        """
        damaged = []
        for place in self.all:
            try:
                contents = files.read(place)
            except files.DamagedError as error:
                damaged.append(f"the checkpoint {place} cannot be read ({error})")
                continue
            if damaged:
                warnings.warn(f"{damaged[0]}: {place.name} is taken instead", stacklevel=2)
            return contents
        raise TrainingError(f"{damaged[0]}: delete {self.folder} and start again")

    def note(self) -> str:
        """Where the last good checkpoint is, for a message."""
        return f"the last good checkpoint is {self.last}" if self.last else "there is no checkpoint yet"


def load_checkpoint(model: nn.Module, folder: str | Path) -> History:
    """Give ``model`` the weights of the last checkpoint in a run's folder, in evaluation mode; return its history.

    Raises:
        ValueError: the folder has no checkpoint, or one of another model.
        TrainingError: the checkpoint cannot be read.
    """
    last, contents = open_run(folder)
    if contents.settings["model"] != fingerprint(model):
        raise ValueError(f"model must be the one that {last} is of; its layers or shapes differ")
    model.load_state_dict(contents.weights)
    model.eval()
    return History.from_dict(contents.state["history"])


def open_run(folder: str | Path) -> tuple[Path, files.Contents]:
    """The newest checkpoint of a run's folder, or of the only seed of a ``course train``.

    Raises:
        ValueError: the folder has no checkpoint, or those of several seeds.
        TrainingError: the checkpoint cannot be read.
    """
    place = Path(folder)
    if place.name.startswith("epoch-"):
        place = place.parent
    runs = [place] if Checkpoints(place, {}).last else sorted({path.parent for path in place.glob("seed-*/epoch-*")})
    if len(runs) > 1:
        raise ValueError(f"folder must be of one run; {folder} holds {', '.join(run.name for run in runs)}")
    if not runs:
        raise ValueError(f"folder must hold a checkpoint, epoch-0001 or later; {folder} has none")
    checkpoints = Checkpoints(runs[0], {})
    return checkpoints.last, checkpoints.read()


def fingerprint(model: nn.Module) -> str:
    """SHA-256 of a model's layers as it prints them and of its weights' names, shapes and types; no value is read."""
    weights = [[name, list(tensor.shape), str(tensor.dtype)] for name, tensor in model.state_dict().items()]
    return hashlib.sha256(json.dumps([describe(model), weights]).encode()).hexdigest()


def describe(value: Any) -> Any:
    """A setting as JSON has it: numbers and texts as they are, anything else as it prints itself, without addresses.

    Two functions of the same name are not told apart.
    """
    return value if value is None or isinstance(value, bool | int | float | str) else ADDRESS.sub("", repr(value))


def _differences(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """A phrase for each setting that is not what it was; a run may become longer."""
    changed = [name for name in now if before.get(name) != now[name]]
    if "epochs" in changed and isinstance(before.get("epochs"), int) and now["epochs"] > before["epochs"]:
        changed.remove("epochs")
    hashes = {"model": "the model has other layers or shapes", "data": "the data differ"}
    return [hashes.get(name) or f"{name} is {now[name]!r}, was {before.get(name)!r}" for name in changed]
