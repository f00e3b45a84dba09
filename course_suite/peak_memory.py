"""The largest memory of one run: of the GPU where it trains, else of this process."""

from __future__ import annotations

import platform
from pathlib import Path

import torch

STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
RESET_PEAK = "5"  # proc(5): the peak of resident memory becomes what is resident now


def reset_peak(device: str) -> None:
    """Let the peak begin anew, where the system can: on a CUDA GPU, and on the CPU under Linux."""
    if device.startswith("cuda"):
        torch.cuda.reset_peak_memory_stats(device)
    elif CLEAR.exists():
        try:
            CLEAR.write_text(RESET_PEAK)
        except OSError:  # some containers refuse; the peak is then that of the whole process
            return


def peak_memory_mib(device: str) -> float:
    """The largest memory since ``reset_peak``, MiB: of tensors on a CUDA GPU, else resident memory of this process."""
    if device.startswith("cuda"):
        return torch.cuda.max_memory_allocated(device) / 2**20
    if STATUS.exists():
        peak = next(line for line in STATUS.read_text().splitlines() if line.startswith("VmHWM"))
        return int(peak.split()[1]) / 2**10
    if platform.system() == "Windows":
        import psutil

        return psutil.Process().memory_info().peak_wset / 2**20
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if platform.system() == "Darwin" else peak / 2**10
