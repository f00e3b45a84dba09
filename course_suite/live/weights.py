"""Weights of recorded runs for the page where a digit is drawn: LeNet-5 in 16 bits, with where they come from.

``python -m course_suite.live RECORD WORK`` makes ``course_suite/records/weights/RECORD.safetensors`` from the
last checkpoint of the record's first seed, which ``course train`` left in the folder ``WORK``.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from course_suite.records import RECORDS, read_record

WEIGHTS = RECORDS.parent / "weights"


def bytes_of(tensors: dict[str, Tensor]) -> bytes:
    """The tensors' numbers one after the other, little-endian, as the page reads them."""
    return b"".join(tensor.contiguous().numpy().astype("<f2").tobytes() for tensor in tensors.values())


def export(record: Path, work: Path, folder: Path = WEIGHTS) -> Path:
    """Round the weights of a record's first seed to 16 bits, test them so, and write both with their origin."""
    from course_lib.data.prepared import load_prepared
    from course_lib.models import build
    from course_lib.training import evaluate

    told = read_record(record)
    seed = told["runs"][0]["seed"]
    checkpoint = max((work / told["name"] / f"seed-{seed}").glob("epoch-*"))
    model = build(told["model"]["name"], **told["model"]["options"])
    names = [name for name, _ in model.named_parameters()]
    stored = load_file(checkpoint / "weights.safetensors")
    halves = {name: stored[name].half() for name in names}
    model.load_state_dict({name: tensor.float() for name, tensor in halves.items()})
    data = load_prepared(told["data"]["name"], resize=told["data"]["resize"], pad=told["data"]["pad"], take=None)
    if data.sha256 != told["data"]["sha256"]:
        raise ValueError(f"{told['name']} was trained on other data: {told['data']['sha256']}, here {data.sha256}")
    origin = {
        "record": told["name"],
        "seed": seed,
        "commit": told["provenance"]["commit"],
        "sha256": hashlib.sha256(bytes_of(halves)).hexdigest(),
        "stats": [data.stats.mean[0], data.stats.std[0]],
        "test_accuracy": evaluate(model, data.test).accuracy,
    }
    folder.mkdir(exist_ok=True)
    path = folder / f"{told['name']}.safetensors"
    save_file(halves, path, metadata={"origin": json.dumps(origin)})
    path.chmod(0o644)
    return path


def read(name: str, folder: Path = WEIGHTS) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The weights in 16 bits, in the order of the network's layers, and their origin.

    Raises:
        ValueError: the numbers are not those that were written, or the record is not the one they come from.
    """
    with safe_open(folder / f"{name}.safetensors", framework="pt") as file:
        origin = json.loads(file.metadata()["origin"])
        found = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118, a file is no dict
    order = ("c1", "c3", "c5", "f6", "output")
    tensors = {f"{layer}.{part}": found[f"{layer}.{part}"] for layer in order for part in ("weight", "bias")}
    if hashlib.sha256(bytes_of(tensors)).hexdigest() != origin["sha256"]:
        raise ValueError(f"the weights of {name} are not those that were recorded")
    record = read_record(RECORDS / f"{name}.json")
    if (record["provenance"]["commit"], record["runs"][0]["seed"]) != (origin["commit"], origin["seed"]):
        raise ValueError(f"the weights of {name} come from another run than its record: make them anew")
    return tensors, origin


def of_record(name: str) -> Callable[[], dict[str, Any]]:
    """What makes the data of one set of weights."""

    def make() -> dict[str, Any]:
        tensors, origin = read(name)
        shapes = [[key, list(tensor.shape)] for key, tensor in tensors.items()]
        return {**origin, "shapes": shapes, "halves": base64.b64encode(bytes_of(tensors)).decode("ascii")}

    make.__doc__ = f"The weights of the record {name}, in 16 bits; their SHA-256, seed and commit stand in the value."
    return make
