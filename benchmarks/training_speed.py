"""How fast does the course train on a CPU? Its loop beside a plain one, and how much of the machine each uses.

The plain loop is the one of many introductions: a torchvision data set with ``ToTensor``, a ``DataLoader`` with two
workers, one optimiser step per batch. Both loops train the same network from the same first weights on the 60,000
images of MNIST, with the same batch size, optimiser, learning rate and scale of the pixels (the plain loop scales a
whole batch at once, which costs it next to nothing), with all cores; in every round they take turns in being first.
Writes ``results/training_speed.json``; ``python training_speed.py [rounds]``, at least five. MNIST must be at hand.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

from course_lib.complexity import analyze
from course_lib.data import ImageData, Normaliser, data_root, load, pad_to
from course_lib.measuring import matrix_product_peak, measure_in_turn
from course_lib.models import build
from course_lib.training import evaluate, fit, join_group, leave_group, seeded
from course_lib.training.checkpoint import Checkpoints
from course_suite.records.provenance import environment, provenance
from course_suite.training_record import MACS_OF_TRAINING

RESULTS = Path(__file__).parent / "results"
BATCH_SIZE, LR, WORKERS = 256, 2e-4, 2
FAST = {"precision": "bf16", "channels_last": True}


class Network(NamedTuple):
    """A network for MNIST, the field of its images, how many times faster ours must be, and images for the groups."""

    name: str
    options: dict[str, Any]
    side: int
    target: float
    group_images: int  # an epoch of one or two processes takes so many, enough for a ratio


NETWORKS = {
    "LeNet-5": Network("lenet5", {}, 32, 4.0, 20_000),
    "small CNN": Network("mnist_cnn", {}, 28, 4.0, 6_000),
    "ResNet-20": Network("resnet20", {"in_channels": 1}, 28, 2.5, 2_560),
}


def first_model(network: Network) -> nn.Module:
    """The network with the same first weights each time."""
    with seeded(0):
        return build(network.name, **network.options)


def images_for(network: Network) -> ImageData:
    """The images in the field that the network takes."""
    return load("mnist").map(lambda images: pad_to(images, network.side))


def plain_epoch(network: Network, data: ImageData) -> tuple[nn.Module, float]:
    """The plain loop: the model after one epoch, and the epoch's wall seconds."""
    model = first_model(network)
    mean, std = (torch.tensor(values).view(1, -1, 1, 1) for values in data.stats)
    files = datasets.MNIST(data_root(), train=True, transform=transforms.ToTensor())
    loader = DataLoader(files, batch_size=BATCH_SIZE, shuffle=True, num_workers=WORKERS)
    optimiser = torch.optim.Adam(model.parameters(), lr=LR)
    criterion, padding = nn.CrossEntropyLoss(), (network.side - 28) // 2
    model.train()
    started = time.perf_counter()
    for images, labels in loader:
        optimiser.zero_grad()
        loss = criterion(model((F.pad(images, (padding,) * 4) - mean) / std), labels)
        loss.backward()
        optimiser.step()
    return model, time.perf_counter() - started


def own_epoch(network: Network, data: ImageData, **options: Any) -> tuple[nn.Module, float]:
    """The course's loop: the model after one epoch, and the epoch's wall seconds."""
    model, arguments = first_model(network), {"optimizer": "adam", "lr": LR, "schedule": "constant"} | options
    history = fit(model, data, epochs=1, batch_size=BATCH_SIZE, progress=False, device="cpu", **arguments)
    return model, history.seconds[0]


def measure_epochs(network: Network, data: ImageData, rounds: int) -> dict[str, Any]:
    """Seconds and test accuracy of one epoch of both loops, and of ours in plain float32."""
    kinds = {
        "plain loop": lambda: plain_epoch(network, data),
        "course_lib": lambda: own_epoch(network, data, **FAST),
        "course_lib, float32": lambda: own_epoch(network, data),
    }
    seconds: dict[str, list[float]] = {kind: [] for kind in kinds}
    accuracy: dict[str, list[float]] = {kind: [] for kind in kinds}
    for turn in range(rounds):
        names = list(kinds)
        for kind in names[turn % 3 :] + names[: turn % 3]:
            model, spent = kinds[kind]()
            seconds[kind].append(spent)
            accuracy[kind].append(evaluate(model, data.test).accuracy)
        print(f"{network.name}, round {turn + 1}", file=sys.stderr)
    return {"seconds": seconds, "test_accuracy": accuracy}


def data_share(network: Network, data: ImageData) -> float:
    """What part of a step goes into taking the images out of their tensor and normalising them."""
    model, prepare = first_model(network).to(memory_format=torch.channels_last), Normaliser(data.stats)
    optimiser = torch.optim.Adam(model.parameters(), lr=LR, fused=True)
    chosen = torch.randperm(len(data.train))[:BATCH_SIZE]

    def take() -> tuple[torch.Tensor, torch.Tensor]:
        return prepare(data.train.images.index_select(0, chosen)), data.train.labels.index_select(0, chosen)

    def step() -> None:
        images, labels = take()
        with torch.enable_grad(), torch.autocast("cpu", torch.bfloat16):
            loss = F.cross_entropy(model(images).float(), labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

    timings = measure_in_turn({"take": take, "step": step}, repeats=15)
    return timings["take"].median / timings["step"].median


def checkpoint_seconds(network: Network, data: ImageData, rounds: int) -> list[float]:
    """Wall seconds that writing the checkpoint behind an epoch takes."""
    save, spent = Checkpoints.save, []

    def timed(*arguments: Any) -> None:
        started = time.perf_counter()
        save(*arguments)
        spent.append(time.perf_counter() - started)

    small = data.take(BATCH_SIZE, BATCH_SIZE)
    Checkpoints.save = timed
    try:
        for _ in range(rounds):
            with tempfile.TemporaryDirectory() as folder:
                own_epoch(network, small, **FAST, checkpoint=Path(folder) / "run")
    finally:
        Checkpoints.save = save
    return spent


def processes_seconds(label: str, size: int) -> float:
    """Seconds of one epoch over some of the images, shared by ``size`` processes of one thread each."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={size}", __file__]
    env = os.environ | {"OMP_NUM_THREADS": "1"}
    run = subprocess.run([*command, "one-of-a-group", label], env=env, capture_output=True, text=True, check=True)
    return json.loads(run.stdout.splitlines()[-1])


def one_of_a_group(label: str) -> None:
    """A process of a group: rank 0 prints the seconds."""
    torch.set_num_threads(1)
    group, _ = join_group("cpu")
    network = NETWORKS[label]
    seconds = own_epoch(network, images_for(network).take(network.group_images, 100), **FAST)[1]
    if group.rank == 0:
        print(json.dumps(seconds))
    leave_group()


def main(rounds: int) -> None:
    """Measure everything and write the figures."""
    torch.set_num_threads(os.cpu_count() or 1)
    peaks = {"fp32": matrix_product_peak(), "bf16": matrix_product_peak(torch.bfloat16)}
    result: dict[str, Any] = {
        "networks": {},
        "peak_macs_per_second": peaks,
        "batch_size": BATCH_SIZE,
    }
    for label, network in NETWORKS.items():
        data = images_for(network)
        found = measure_epochs(network, data, rounds)
        medians = {kind: statistics.median(values) for kind, values in found["seconds"].items()}
        ratios = sorted(a / b for a, b in zip(*list(found["seconds"].values())[:2], strict=True))
        macs = MACS_OF_TRAINING * len(data.train) * analyze(first_model(network), data.image_shape).macs
        checkpoints = checkpoint_seconds(network, data, rounds)
        result["networks"][label] = found | {
            "median_seconds": medians,
            "ratio": statistics.median(ratios),
            "ratio_range": [ratios[0], ratios[-1]],
            "target": network.target,
            "share_of_fp32_peak": {kind: macs / spent / peaks["fp32"] for kind, spent in medians.items()},
            "share_of_bf16_peak": macs / medians["course_lib"] / peaks["bf16"],
            "data_share": data_share(network, data),
            "checkpoint_seconds": checkpoints,
            "checkpoint_share": statistics.median(checkpoints) / medians["course_lib"],
        }
        alone, together = ([processes_seconds(label, size) for _ in range(rounds)] for size in (1, 2))
        efficiency = statistics.median(alone) / statistics.median(together) / 2
        result["networks"][label]["processes"] = {"one": alone, "two": together, "efficiency": efficiency}
    result |= {"environment": environment("cpu"), "provenance": provenance()}
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "training_speed.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:2] == ["one-of-a-group"]:
        one_of_a_group(sys.argv[2])
    else:
        main(max(5, int(sys.argv[1])) if len(sys.argv) > 1 else 5)
