"""The three files of one checkpoint: written with their sums, and read only if they are as they were written."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

WEIGHTS, STATE, SETTINGS = "weights.safetensors", "state.pt", "settings.json"
SUMS = "sha256"


class DamagedError(Exception):
    """A checkpoint is not whole, or not as it was written. The message says in what."""


class Contents(NamedTuple):
    """What one checkpoint holds."""

    settings: dict[str, Any]
    weights: dict[str, Tensor]
    state: dict[str, Any]


def write(folder: Path, contents: Contents) -> None:
    """Put the files into an existing folder, and see them on the disk.

    Raises:
        OSError, SafetensorError, RuntimeError: the disk does not take them.
    """
    save_file(contents.weights, folder / WEIGHTS)
    torch.save(contents.state, folder / STATE)
    sums = {name: _sha256((folder / name).read_bytes()) for name in (WEIGHTS, STATE)}
    sums[SETTINGS] = _sum_of_settings(contents.settings)
    text = json.dumps(contents.settings | {SUMS: sums}, indent=1) + "\n"
    (folder / SETTINGS).write_text(text, encoding="utf-8")
    for path in folder.iterdir():  # else a power cut could leave the name without the content
        with path.open("r+b") as file:  # Windows flushes only what may be written to
            os.fsync(file.fileno())


def read(folder: Path) -> Contents:
    """The contents, as they were written.

    Raises:
        DamagedError: a file is missing, cut short or changed.
    """
    try:
        settings = json.loads((folder / SETTINGS).read_text(encoding="utf-8"))
        sums = settings.pop(SUMS)
        found = {name: _sha256((folder / name).read_bytes()) for name in (WEIGHTS, STATE)}
        found[SETTINGS] = _sum_of_settings(settings)
        changed = [name for name, value in found.items() if sums[name] != value]
        if changed:
            raise DamagedError(f"{changed[0]} is not as it was written")
        state = torch.load(folder / STATE, map_location="cpu", weights_only=True)
        return Contents(settings, load_file(folder / WEIGHTS), state)
    except (
        OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError, EOFError, SafetensorError,
        pickle.UnpicklingError,
    ) as error:  # fmt: skip
        raise DamagedError(first_line(error)) from None


def first_line(error: Exception) -> str:
    """What an error says, cut short."""
    return str(error).partition("\n")[0][:200] or type(error).__name__


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _sum_of_settings(settings: dict[str, Any]) -> str:
    return _sha256(json.dumps(settings, sort_keys=True).encode())
