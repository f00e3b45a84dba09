"""Which device a run is on."""

from __future__ import annotations

import platform

import torch

KINDS = ("cpu", "cuda", "mps")
SLOW = "this processor has no AVX-512: bfloat16 is emulated, some ten times slower than float32"


def find_device(device: str | torch.device) -> torch.device:
    """The device of that name; "auto" is the first CUDA GPU where there is one, else the CPU.

    Raises:
        ValueError: there is no device of that name, or not on this machine.
    """
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        place = torch.device(device)
    except RuntimeError:
        place = None
    if place is None or place.type not in KINDS:
        raise ValueError(f"device must be auto, cpu, cuda, cuda:NUMBER or mps, got {str(device)!r}")
    if place.type == "mps" and not torch.backends.mps.is_available():
        raise ValueError(f"device {device} was asked for, and torch sees no Apple GPU: use auto or cpu")
    if place.type == "cuda":
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if (place.index or 0) >= count:
            seen = f"only {count} of them, from cuda:0" if count else "no CUDA GPU"
            raise ValueError(f"device {device} was asked for, and torch sees {seen}: use auto or cpu")
    return place


def slow_bf16(device: str | torch.device) -> str | None:
    """One line where bfloat16 is slower than float32, on an x86 processor without its instructions; else None."""
    if torch.device(device).type != "cpu" or platform.machine().lower() not in ("x86_64", "amd64"):
        return None
    if torch.ops.mkldnn._is_mkldnn_bf16_supported():
        return None
    return SLOW
