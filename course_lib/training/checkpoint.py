"""Checkpoints: what a run needs to go on after an epoch, put in place whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import re
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Generator, Tensor, nn, optim

from course_lib.training.errors import TrainingError
from course_lib.training.history import History

WEIGHTS, STATE, SETTINGS = "weights.safetensors", "state.pt", "settings.json"
ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


class Live(NamedTuple):
    """What changes while a run goes on, besides its history; ``rank`` is the number of this process in its group."""

    model: nn.Module
    optimiser: optim.Optimizer
    generator: Generator
    device: torch.device
    rank: int = 0


def random_state(device: torch.device) -> dict[str, Tensor | None]:
    """The states of torch's global random generators."""
    return {
        "cpu": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state(device) if device.type == "cuda" else None,
    }


class Checkpoints:
    """The folder of one run. ``epoch-0003/`` in it holds the state after three epochs, in three files:

    - ``weights.safetensors``: parameters and buffers under their names;
    - ``state.pt``: the optimiser, the random states and the history;
    - ``settings.json``: what makes the run this one; a run with other settings is refused.

    A checkpoint is written under another name and renamed when it is complete; the one before goes after that. So a
    run that is killed at any moment leaves a complete one, if it had any.
    """

    def __init__(self, folder: Path, settings: dict[str, Any]) -> None:
        self.folder, self.settings = folder, settings

    @property
    def last(self) -> Path | None:
        """The newest checkpoint, or None."""
        return max(self.folder.glob("epoch-*"), key=lambda path: (len(path.name), path.name), default=None)

    def save(self, live: Live, history: History, random_states: list[dict[str, Tensor | None]]) -> None:
        """Put the checkpoint of the last epoch in place, then remove older ones.

        Args:
            random_states: ``random_state`` of each process of the group.

        Raises:
            TrainingError: the folder cannot be written to.
        """
        name = f"epoch-{history.epochs:04}"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            for leftover in self.folder.glob(".*-epoch-*"):
                shutil.rmtree(leftover)
            temporary = self.folder / f".writing-{name}"
            temporary.mkdir()
            _write(temporary, live, history, self.settings, random_states)
            temporary.rename(self.folder / name)
            for older in self.folder.glob("epoch-*"):
                if older.name != name:
                    shutil.rmtree(older.rename(self.folder / f".removing-{older.name}"))
        except (OSError, SafetensorError, RuntimeError) as error:
            raise TrainingError(
                f"the checkpoint of epoch {history.epochs} cannot be written to {self.folder} ({_first_line(error)}): "
                f"make room or name another folder; {self.note()}"
            ) from None

    def restore(self, live: Live) -> History:
        """Set everything to where the last checkpoint left it; without one, change nothing.

        Raises:
            ValueError: the checkpoint is of a run with other settings.
            TrainingError: the checkpoint cannot be read.
        """
        if self.last is None:
            return History()
        settings, weights, state = _read(self.last)
        changed = _differences(settings, self.settings)
        if changed:
            raise ValueError(
                f"checkpoint {self.folder} is of another run: {'; '.join(changed)}. Go on with what it was, or name "
                f"another folder"
            )
        live.model.load_state_dict(weights)
        live.optimiser.load_state_dict(state["optimizer"])
        live.generator.set_state(state["generator"])
        random = state["random"][live.rank]
        torch.set_rng_state(random["cpu"])
        if live.device.type == "cuda":
            torch.cuda.set_rng_state(random["cuda"], live.device)
        return History.from_dict(state["history"])

    def note(self) -> str:
        """Where the last good checkpoint is, for a message."""
        return f"the last good checkpoint is {self.last}" if self.last else "there is no checkpoint yet"


def load_checkpoint(model: nn.Module, folder: str | Path) -> History:
    """Give ``model`` the weights of the last checkpoint in a run's folder, in evaluation mode; return its history.

    Raises:
        ValueError: the folder has no checkpoint, or one of another model.
        TrainingError: the checkpoint cannot be read.
    """
    last = Checkpoints(Path(folder), {}).last
    if last is None:
        raise ValueError(f"folder must hold a checkpoint, epoch-0001 or later; {folder} has none")
    settings, weights, state = _read(last)
    if settings["model"] != fingerprint(model):
        raise ValueError(f"model must be the one that {last} is of; its layers or shapes differ")
    model.load_state_dict(weights)
    model.eval()
    return History.from_dict(state["history"])


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
    """A phrase for each setting that is not what it was."""
    changed = [name for name in now if before.get(name) != now[name]]
    hashes = {"model": "the model has other layers or shapes", "data": "the data differ"}
    return [hashes.get(name) or f"{name} is {now[name]!r}, was {before.get(name)!r}" for name in changed]


def _write(
    folder: Path, live: Live, history: History, settings: dict[str, Any], random_states: list[dict[str, Tensor | None]]
) -> None:
    weights = {
        name: tensor.detach().to("cpu", copy=True, memory_format=torch.contiguous_format)
        for name, tensor in live.model.state_dict().items()
    }
    state = {
        "optimizer": live.optimiser.state_dict(),
        "generator": live.generator.get_state(),
        "random": random_states,
        "history": history.to_dict(),
    }
    save_file(weights, folder / WEIGHTS)
    torch.save(state, folder / STATE)
    (folder / SETTINGS).write_text(json.dumps(settings, indent=1) + "\n", encoding="utf-8")
    for path in folder.iterdir():  # else a power cut could leave the name without the content
        with path.open("rb") as file:
            os.fsync(file.fileno())


def _read(folder: Path) -> tuple[dict[str, Any], dict[str, Tensor], dict[str, Any]]:
    """Settings, weights and state of one checkpoint."""
    try:
        settings = json.loads((folder / SETTINGS).read_text(encoding="utf-8"))
        return settings, load_file(folder / WEIGHTS), torch.load(folder / STATE, map_location="cpu", weights_only=True)
    except (OSError, ValueError, RuntimeError, EOFError, SafetensorError, pickle.UnpicklingError) as error:
        raise TrainingError(
            f"the checkpoint {folder} cannot be read ({_first_line(error)}): delete {folder.parent} and start again"
        ) from None


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0][:200] or type(error).__name__
