"""What torch says at length when a run cannot go on, in one line and with a remedy."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator

import torch

from course_lib.training.errors import TrainingError

NO_MEMORY = ("out of memory", "can't allocate memory", "not enough memory", "failed to allocate")
TRIED = re.compile(r"tried to allocate ([\d.]+ ?\w+)", re.IGNORECASE)
NOT_DETERMINISTIC = re.compile(r"(\w+) does not have a deterministic implementation")


@contextlib.contextmanager
def in_one_line(device: torch.device, batch_size: int) -> Iterator[None]:
    """Say what a lack of memory, or of a deterministic algorithm, means for this run, and what to do.

    Raises:
        TrainingError: the run needs more memory than there is.
        ValueError: the model uses what has no deterministic form.
    """
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        text = str(error)
        refused = NOT_DETERMINISTIC.search(text)
        if isinstance(error, MemoryError | torch.OutOfMemoryError) or any(words in text.lower() for words in NO_MEMORY):
            tried = TRIED.search(text)
            amount = f" ({tried[0].lower()})" if tried else ""
            raise TrainingError(
                f"out of memory on {device}{amount}: make batch_size smaller (it is {batch_size}), or the images, or "
                f"the network" + ("; precision bf16 halves the feature maps" if device.type == "cuda" else "")
            ) from None
        if refused:
            raise ValueError(
                f"model uses {refused[1]}, which has no deterministic form on {device}: with deterministic=False it "
                f"trains, and two runs may differ in the last digits"
            ) from None
        if "CUBLAS_WORKSPACE_CONFIG" in text:
            raise ValueError(
                "matrix products are deterministic on CUDA only if CUBLAS_WORKSPACE_CONFIG=:4096:8 is set before the "
                "first of them: import course_lib.training first, or set the variable before Python starts"
            ) from None
        raise
