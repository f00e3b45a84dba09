"""One process of a group that trains a small network: ``python group_run.py FOLDER [KILL_AT_STEP [slow]]``.

The network has batch normalisation, dropout is off, and the last batch of an epoch is smaller and odd. The process of
rank 1 kills itself at the given step; if slow, rank 0 takes ten seconds for that step. Rank 0 prints the history as
JSON.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path

import torch

from course_lib.data import load
from course_lib.models import build
from course_lib.training import Augment, TrainingError, fit, join_group, leave_group, seeded


def main(folder: str, kill_at: int | None, slow: bool) -> int:
    """Train; 3 is the exit status of a run that lost a process."""
    torch.set_num_threads(1)
    group = join_group("cpu")[0]
    data = load("digits")
    data = data.take(169, 61)  # batches of 32 leave 9, and 61 test images are odd too
    with seeded(group.rank):  # the ranks start differently: rank 0's weights are to count
        model = build("resnet_cifar", depth=8, in_channels=1, widths=(4, 8, 8))
    steps = []

    def count(module, *_):
        steps.extend([0] * module.training)
        if group.rank == 1 and len(steps) == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        if slow and group.rank == 0 and len(steps) == kill_at:
            time.sleep(10)

    model.register_forward_hook(count)
    try:
        history = fit(
            model, data, epochs=3, batch_size=32, lr=0.05, augment=Augment(crop=1), device="cpu",
            checkpoint=Path(folder), resume=True,
        )  # fmt: skip
    except TrainingError as error:
        print(error, file=sys.stderr)
        return 3
    if group.rank == 0:
        print(json.dumps(history.to_dict()))
    leave_group()
    return 0


if __name__ == "__main__":
    status = main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else None, "slow" in sys.argv)
    sys.stderr.flush()
    os._exit(status)  # a group that lost a process would wait for it at exit
