"""Processes that kill themselves in the middle of something, for the tests of what they leave behind.

They are forked from a server that has imported the library once, and so start in no time. What they run stands here,
so that they import nothing else.
"""

import multiprocessing
import os
import signal
import sys
from pathlib import Path

import torch
from training_cases import noise, small_net

from course_lib.data import cache, decoded, load
from course_lib.data.files import download
from course_lib.training import Augment, checkpoint_files, fit
from course_lib.training.checkpoint import Checkpoints

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["course_lib.training", "torch._dynamo"])  # the latter comes with the first step

OPERATIONS = {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir"}


def run_apart(function, *args):
    """Run ``function`` in a process of its own, with one thread; whether it was killed. It must not fail otherwise."""
    process = CONTEXT.Process(target=_with_one_thread, args=(function, args))
    process.start()
    process.join(60)
    code = process.exitcode
    process.close()
    assert code in (0, -signal.SIGKILL)
    return code != 0


def kill_this_process(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)


def _with_one_thread(function, args):
    torch.set_num_threads(1)
    function(*args)


def download_half_of_mnist(root: Path):
    """A download that is killed when it has written half of a file."""

    def fetch(parent):
        raw = parent / "MNIST" / "raw"
        raw.mkdir(parents=True)
        (raw / "train-images-idx3-ubyte").write_bytes(b"half a file")
        kill_this_process()

    download("mnist", root / "MNIST", fetch, verify=print)


RUN = {"epochs": 4, "batch_size": 16, "lr": 0.1, "seed": 3, "augment": Augment(crop=1, flip=True), "weight_decay": 0.01}
STEPS = 6  # an epoch of 90 images


def train_and_die_at_step(folder: Path, step: int):
    """A run that is killed in the forward pass of its ``step``-th step, counted from 0."""
    model, seen = small_net(dropout=0.5), []

    def count(module, *_):
        if module.training and len(seen) == step:
            kill_this_process()
        seen.extend([0] * module.training)

    model.register_forward_hook(count)
    fit(model, noise(), checkpoint=folder, resume=True, **RUN)


def train_and_die_at_file_operation(folder: Path, epoch: int, number: int):
    """A run that is killed just before a file operation of the checkpoint of ``epoch``; it ends if there are fewer."""
    save, seen, armed = Checkpoints.save, [], []

    def watch(event, arguments):
        if armed and event in OPERATIONS:
            if len(seen) == number:
                kill_this_process()
            seen.append(event)

    def watched(checkpoints, live, history, states):
        armed.extend([True] * (history.epochs == epoch))
        save(checkpoints, live, history, states)
        armed.clear()

    sys.addaudithook(watch)
    Checkpoints.save = watched
    fit(small_net(dropout=0.5), noise(), checkpoint=folder, **RUN)


def train_and_die_in_half_a_file(folder: Path):
    """A run that is killed when half of the second checkpoint's weights are on disk."""
    save_file = checkpoint_files.save_file

    def half(weights, path):
        save_file(weights, path)
        if "epoch-0002" in str(path):
            os.truncate(path, path.stat().st_size // 2)
            kill_this_process()

    checkpoint_files.save_file = half
    fit(small_net(dropout=0.5), noise(), checkpoint=folder, **RUN)


def decode_and_die_at_row(folder: Path, cache_root: Path, row: int):
    """A folder of images that is loaded by a process that is killed at its ``row``-th picture, counted from 0."""
    seen, decode = [], decoded.decode

    def counted(path, **options):
        if len(seen) == row:
            kill_this_process()
        seen.append(path)
        return decode(path, **options)

    os.environ["COURSE_CACHE"] = str(cache_root)  # the server was forked with another environment
    cache.IN_MEMORY_BYTES, decoded.AT_A_TIME, decoded.CHUNK, decoded.os.cpu_count = 0, 4 * 90, 1, lambda: 1
    decoded.decode = counted
    load(f"folder:{folder}")
