"""How fast is a network built and counted, and with how much memory? Ours beside the tools that others use.

Seconds are those of the processor, build and analysis together, one thread: each tool in turn in every round, after a
small model has warmed it up. Memory is what vgg19 adds to a process that has imported everything, a process a sample.
Writes ``results/analysis_speed.json``; ``python analysis_speed.py [rounds]``, at least five.
"""

from __future__ import annotations

import gc
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import torch
from peers import TOOLS, build_and_count
from torch import nn
from torchvision import models

from course_suite.records.provenance import environment, provenance, version

RESULTS = Path(__file__).parent / "results"
OWN, YARDSTICK = "course_lib", "torchinfo"


class Network(NamedTuple):
    """A network of torchvision, its image, and how many times faster than torchinfo ours must be; None: no target."""

    make: Callable[[], nn.Module]
    side: int
    target: int | None


NETWORKS = {
    "vgg19": Network(models.vgg19, 224, 50),
    "googlenet": Network(partial(models.googlenet, init_weights=True), 224, 4),
    "resnet152": Network(models.resnet152, 224, 12),
    "efficientnet_b7": Network(models.efficientnet_b7, 600, None),
}
MEMORY_TARGET = 0.05  # of torchinfo's
IMPORT_TARGET = 0.03  # of torch's


def small() -> nn.Module:
    """What warms a tool up."""
    layers = nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 2)
    return nn.Sequential(*layers)


def seconds(tool: str, make: Callable[[], nn.Module], side: int) -> float:
    """Processor seconds of one build and count."""
    gc.collect()
    start = time.process_time()
    build_and_count(tool, make, (3, side, side))
    return time.process_time() - start


def measure_speed(rounds: int) -> dict[str, dict[str, Any]]:
    """The samples of every network and tool, and their medians; the tools take turns in being first."""
    tools = [name for name, tool in TOOLS.items() if tool.is_installed]
    samples: dict[str, dict[str, list[float]]] = {name: {tool: [] for tool in tools} for name in NETWORKS}
    for tool in tools:
        build_and_count(tool, small, (3, 32, 32))
    for turn in range(rounds):
        order = tools[turn % len(tools) :] + tools[: turn % len(tools)]
        for name, network in NETWORKS.items():
            for tool in order:
                samples[name][tool].append(seconds(tool, network.make, network.side))
            print(f"round {turn + 1}, {name}", file=sys.stderr)
    return {
        name: {tool: {"median_seconds": statistics.median(values), "seconds": values} for tool, values in found.items()}
        | {tool: "not installed" for tool in TOOLS if tool not in tools}
        for name, found in samples.items()
    }


def added_memory(tool: str) -> int | None:
    """Bytes by which building and counting vgg19 raises this process's highest memory; None where it cannot be told."""
    build_and_count(tool, small, (3, 32, 32))
    gc.collect()
    try:
        Path("/proc/self/clear_refs").write_text("5")  # the highest mark starts again from now
        before = _status("VmRSS")
        build_and_count(tool, NETWORKS["vgg19"].make, (3, 224, 224))
        return max(0, _status("VmHWM") - before)
    except OSError:
        return None


def _status(key: str) -> int:
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(key))
    return int(line.split()[1]) * 1024


def measure_memory(rounds: int) -> dict[str, Any]:
    """Bytes that each tool adds on vgg19, in fresh processes."""
    found: dict[str, Any] = {}
    for tool, entry in TOOLS.items():
        if not entry.is_installed:
            found[tool] = "not installed"
            continue
        values = [json.loads(_fresh(__file__, "--memory", tool)) for _ in range(rounds)]
        found[tool] = {"median_bytes": statistics.median(values), "bytes": values} if None not in values else "unknown"
    return found


def measure_imports(rounds: int) -> dict[str, Any]:
    """Processor seconds of ``import course_lib`` and of ``import torch``, in fresh processes."""
    code = "import time; start = time.process_time(); import {}; print(time.process_time() - start)"
    values = {name: [float(_fresh("-c", code.format(name))) for _ in range(rounds)] for name in ("course_lib", "torch")}
    return {
        name: {"median_seconds": statistics.median(samples), "seconds": samples} for name, samples in values.items()
    }


def _fresh(*arguments: str) -> str:
    environ = {**os.environ, "OMP_NUM_THREADS": "1"}
    environ.pop("PYTHONDONTWRITEBYTECODE", None)
    return subprocess.run([sys.executable, *arguments], check=True, capture_output=True, text=True, env=environ).stdout


def targets(speed: dict[str, Any], memory: dict[str, Any], imports: dict[str, Any]) -> list[dict[str, Any]]:
    """What was aimed at, what was reached, and whether that is enough."""
    found = []
    for name, network in NETWORKS.items():
        times = network.target and speed[name][YARDSTICK]["median_seconds"] / speed[name][OWN]["median_seconds"]
        if times:
            found.append({"what": f"{name}: times faster than {YARDSTICK}", "at_least": network.target, "value": times})
    share = memory[OWN]["median_bytes"] / memory[YARDSTICK]["median_bytes"] if isinstance(memory[OWN], dict) else None
    found.append({"what": f"vgg19: memory, of {YARDSTICK}'s", "at_most": MEMORY_TARGET, "value": share})
    share = imports["course_lib"]["median_seconds"] / imports["torch"]["median_seconds"]
    found.append({"what": "import course_lib, of import torch", "at_most": IMPORT_TARGET, "value": share})
    for entry in found:
        value = entry["value"]
        met = value is not None and entry.get("at_least", value) <= value <= entry.get("at_most", value)
        entry["met"] = met
    return found


def main(rounds: int) -> None:
    """Measure everything, print the medians, and write the results."""
    torch.set_num_threads(1)
    speed, memory, imports = measure_speed(rounds), measure_memory(rounds), measure_imports(rounds)
    results = {
        "question": "How long does it take, and how much memory, to build and count a network?",
        "environment": environment("cpu"),
        "provenance": provenance(),
        "tools": {name: {"version": version(tool.package), "unit": tool.unit} for name, tool in TOOLS.items()},
        "rounds": rounds,
        "speed": speed,
        "vgg19_added_memory": memory,
        "imports": imports,
        "targets": targets(speed, memory, imports),
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "analysis_speed.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print(f"{'seconds (median)':18}" + "".join(f"{name:>18}" for name in NETWORKS) + f"{'MiB on vgg19':>15}")
    for tool in TOOLS:
        entries = [speed[name][tool] for name in NETWORKS]
        cells = [f"{e['median_seconds']:.4f}" if isinstance(e, dict) else e for e in entries]
        mib = f"{memory[tool]['median_bytes'] / 2**20:.1f}" if isinstance(memory[tool], dict) else memory[tool]
        print(f"{tool:18}" + "".join(f"{cell:>18}" for cell in cells) + f"{mib:>15}")
    for entry in results["targets"]:
        limit = f"at least {entry['at_least']}" if "at_least" in entry else f"at most {entry['at_most']}"
        print(f"{'met' if entry['met'] else 'MISSED':7} {entry['what']}: {entry['value']:.3g} ({limit})")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--memory"]:
        print(json.dumps(added_memory(sys.argv[2])))
    else:
        main(max(5, int(sys.argv[1]) if len(sys.argv) > 1 else 7))
