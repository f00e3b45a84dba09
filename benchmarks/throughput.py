"""How many images a second do ResNet-50, VGG-16 and GoogLeNet train on, beside torchvision's modules?

Both train on random images of 224x224 with the same batch, precision, memory layout and optimiser, and take turns.
Writes ``results/throughput_DEVICE.json``; ``python throughput.py [cpu|cuda]``. It takes a GPU where there is one.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn
from torchvision import models

from course_lib.models import build
from course_suite.records.provenance import environment, provenance

RESULTS = Path(__file__).parent / "results"
ROUNDS = 5
BATCH_SIZE = {"cpu": 8, "cuda": 256}
STEPS = {"cpu": 1, "cuda": 20}

PAIRS: dict[str, tuple[Callable[[], nn.Module], Callable[[], nn.Module]]] = {
    "ResNet-50": (lambda: build("resnet50"), models.resnet50),
    "VGG-16": (lambda: build("vgg16"), models.vgg16),
    "GoogLeNet": (
        lambda: build("googlenet_torchvision", aux_heads=False),
        lambda: models.googlenet(aux_logits=False, init_weights=False),
    ),
}


def stepper(model: nn.Module, device: str) -> Callable[[], None]:
    """A function that trains ``model`` for one step on the same random images each time."""
    model.to(device, memory_format=torch.channels_last).train()
    optimiser = torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9, fused=True)
    images = torch.randn(BATCH_SIZE[device], 3, 224, 224, device=device).to(memory_format=torch.channels_last)
    labels = torch.randint(1000, (len(images),), device=device)

    def step() -> None:
        with torch.autocast(device, torch.bfloat16):
            output = model(images)
            loss = F.cross_entropy(getattr(output, "logits", output).float(), labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

    return step


def images_per_second(step: Callable[[], None], device: str) -> float:
    """Images a second over a few steps."""
    wait = torch.cuda.synchronize if device == "cuda" else (lambda: None)
    wait()
    started = time.perf_counter()
    for _ in range(STEPS[device]):
        step()
    wait()
    return STEPS[device] * BATCH_SIZE[device] / (time.perf_counter() - started)


def main(device: str) -> None:
    """Measure all pairs in turn and write the figures."""
    torch.backends.cudnn.benchmark = True
    found: dict[str, Any] = {}
    for name, (ours, theirs) in PAIRS.items():
        torch.manual_seed(0)
        steps = {"course_lib": stepper(ours(), device), "torchvision": stepper(theirs(), device)}
        samples: dict[str, list[float]] = {kind: [] for kind in steps}
        for step in steps.values():
            images_per_second(step, device)
        for turn in range(ROUNDS):
            for kind in list(steps)[:: 1 if turn % 2 else -1]:
                samples[kind].append(images_per_second(steps[kind], device))
        ratios = [a / b for a, b in zip(*samples.values(), strict=True)]
        medians = {kind: statistics.median(values) for kind, values in samples.items()}
        found[name] = {
            "images_per_second": samples,
            "median": medians,
            "ratio": statistics.median(ratios),
            "ratio_range": [min(ratios), max(ratios)],
        }
        print(name, medians, file=sys.stderr)
    settings = {"batch_size": BATCH_SIZE[device], "precision": "bf16", "memory_format": "channels last", "side": 224}
    result = {"networks": found, "settings": settings, "environment": environment(device), "provenance": provenance()}
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"throughput_{device}.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "cuda" if torch.cuda.is_available() else "cpu")
