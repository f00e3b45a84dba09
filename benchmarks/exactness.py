"""How right are the tools that count multiply-adds? Small modules whose true counts are sums by hand.

One multiply-add counts 1, biases are not counted, normalisation, activations and pooling count 0. Writes
``results/exactness.json``: for each case and tool the count, and its ratio to the true one.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from peers import TOOLS, build_and_count
from torch import Tensor, nn

from course_suite.records.provenance import environment, provenance, version

RESULTS = Path(__file__).parent / "results"


class Function(nn.Module):
    """A function of an image and of one parameter."""

    def __init__(self, function: Callable[[Tensor, Tensor], Tensor], *shape: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(shape))
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x, self.weight)


class Shared(nn.Module):
    """One convolution, called twice."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(8, 8, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(self.conv(x))


class Functional(nn.Module):
    """A convolution, then activations and poolings as functions."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(8, 8, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return F.avg_pool2d(F.max_pool2d(F.relu(self.conv(x)), 2).sigmoid(), 2)


class Attention(nn.Module):
    """Self-attention with four heads."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.MultiheadAttention(16, 4, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x, x, x, need_weights=False)[0]


class Case(NamedTuple):
    """A module, the shape of its input, and its true counts."""

    make: Callable[[], nn.Module]
    shape: tuple[int, ...]
    macs: int
    params: int


PIXELS = 12 * 16
IMAGE = (8, 12, 16)
CASES = {
    "conv without bias": Case(lambda: nn.Conv2d(8, 8, 3, padding=1, bias=False), IMAGE, PIXELS * 8 * 72, 576),
    "conv with bias": Case(lambda: nn.Conv2d(8, 8, 3, padding=1), IMAGE, PIXELS * 8 * 72, 584),
    "conv in groups": Case(lambda: nn.Conv2d(8, 8, 3, padding=1, groups=4), IMAGE, PIXELS * 8 * 18, 152),
    "depthwise conv": Case(lambda: nn.Conv2d(8, 8, 3, padding=1, groups=8), IMAGE, PIXELS * 8 * 9, 80),
    "dilated conv": Case(lambda: nn.Conv2d(8, 8, 3, padding=2, dilation=2), IMAGE, PIXELS * 8 * 72, 584),
    "transposed conv, stride 2": Case(
        lambda: nn.ConvTranspose2d(8, 8, 3, 2, 1, 1, bias=False), IMAGE, PIXELS * 8 * 72, 576
    ),
    "functional conv": Case(
        lambda: Function(lambda x, w: F.conv2d(x, w, padding=1), 8, 8, 3, 3), IMAGE, PIXELS * 8 * 72, 576
    ),
    "x @ w with a parameter": Case(lambda: Function(lambda x, w: x @ w, 16, 32), (12, 16), PIXELS * 32, 512),
    "einsum": Case(
        lambda: Function(lambda x, w: torch.einsum("bij,jk->bik", x, w), 16, 32), (12, 16), PIXELS * 32, 512
    ),
    "linear with bias": Case(lambda: nn.Linear(16, 32), (16,), 512, 544),
    "shared module, called twice": Case(Shared, IMAGE, 2 * PIXELS * 8 * 72, 576),
    "conv and batch norm": Case(
        lambda: nn.Sequential(nn.Conv2d(8, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8)), IMAGE, PIXELS * 576, 592
    ),
    "functional activations and poolings": Case(Functional, IMAGE, PIXELS * 8 * 72, 576),
    "self-attention": Case(Attention, (12, 16), 4 * PIXELS * 16 + 2 * 12 * PIXELS, 4 * (256 + 16)),
}


def measured(name: str, case: Case) -> dict[str, Any] | str:
    """What one tool says of one case."""
    if not TOOLS[name].is_installed:
        return "not installed"
    try:
        found = build_and_count(name, case.make, case.shape)
    except Exception as error:
        return f"failed: {type(error).__name__}: {' '.join(str(error).split())[:160]}"
    params = None if found.params is None else found.params / case.params
    return {"macs": found.macs, "ratio": found.macs / case.macs, "params": found.params, "params_ratio": params}


def main() -> None:
    """Count every case with every tool, print the ratios, and write the results."""
    tools = [name for name in TOOLS if name != "torchinfo on meta"]
    table = {
        case: {
            "true_macs": CASES[case].macs,
            "true_params": CASES[case].params,
            "tools": {tool: measured(tool, CASES[case]) for tool in tools},
        }
        for case in CASES
    }
    results = {
        "question": "What is each tool's count of multiply-adds, as a ratio to the true count?",
        "environment": environment("cpu"),
        "provenance": provenance(),
        "tools": {tool: {"version": version(TOOLS[tool].package), "unit": TOOLS[tool].unit} for tool in tools},
        "cases": table,
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "exactness.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print(f"{'':38}" + "".join(f"{tool:>16}" for tool in tools))
    for case, entry in table.items():
        cells = [f"{v['ratio']:.4g}" if isinstance(v, dict) else v.split(":")[0] for v in entry["tools"].values()]
        print(f"{case:38}" + "".join(f"{cell:>16}" for cell in cells))


if __name__ == "__main__":
    main()
