"""The record of a finished ``course train``, put together from its runs."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import torch

from course_lib.complexity import analyze, build_meta
from course_lib.measuring import matrix_product_peak
from course_lib.training import Evaluation, History
from course_suite.records import environment, model_hash, provenance
from course_suite.training_plan import Plan

MACS_OF_TRAINING = 3  # forward, the gradient by the weights, the gradient by the inputs: each as many multiply-adds


def measured_peak(precision: str, device: str) -> float:
    """Multiply-adds a second of matrix products on this machine, in the run's precision and with its threads.

    On a GPU, torch lets convolutions of float32 round their factors to TF32, so these products do the same.
    """
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    on_gpu = device.startswith("cuda")
    with _products_as_convolutions() if on_gpu else contextlib.nullcontext():
        return matrix_product_peak(dtype, sizes=(4096, 8192) if on_gpu else (512, 1024), device=device)


@contextlib.contextmanager
def _products_as_convolutions() -> Iterator[None]:
    products = torch.backends.cuda.matmul
    before = products.fp32_precision
    products.fp32_precision = torch.backends.cudnn.conv.fp32_precision
    try:
        yield
    finally:
        products.fp32_precision = before


def run_entry(
    plan: Plan, seed: int, history: History, train: Evaluation, test: Evaluation, *, peak: float, peak_memory_mib: float
) -> dict[str, Any]:
    """What one seed gave; the training images are tested as they are, when the training is done.

    ``peak`` is the machine's, in multiply-adds a second.
    """
    count, seconds = len(plan.images.train) * history.epochs, sum(history.seconds)
    macs = analyze(build_meta(plan.model, **plan.built_options), plan.images.image_shape).macs
    values = {name: numbers for name, numbers in history.to_dict().items() if numbers and name != "step_loss"}
    return {
        "seed": seed,
        "metrics": {
            "train_accuracy": train.accuracy,
            "train_loss": train.loss,
            "test_accuracy": test.accuracy,
            "test_loss": test.loss,
        },
        "history": {name: [float(f"{value:.6g}") for value in numbers] for name, numbers in values.items() if numbers},
        "wall_seconds": seconds,
        "peak_memory_mib": peak_memory_mib,
        "images_per_second": count / seconds,
        "peak_fraction": MACS_OF_TRAINING * macs * count / seconds / peak,
    }


def record_of(plan: Plan, name: str, runs: list[dict[str, Any]], device: str, processes: int) -> dict[str, Any]:
    """The whole record, in the form of ``course_suite/records/schema.json``."""
    options, shape = plan.built_options, plan.images.image_shape
    model = build_meta(plan.model, **options)
    data = plan.images
    return {
        "schema": 1,
        "name": name,
        "provenance": provenance(),
        "environment": environment(device),
        "device": device,
        "model": {
            "name": plan.model,
            "options": options,
            "input_shape": list(shape),
            "params": sum(parameter.numel() for parameter in model.parameters()),
            "macs": analyze(model, shape).macs,
            "hash": model_hash(model, shape),
        },
        "data": {
            "name": "folder" if plan.data.startswith("folder:") else plan.data,
            "title": plan.data_title,
            "resize": plan.resize,
            "pad": plan.pad,
            "take": plan.take,
            "pixels": plan.pixels,
            "validate": plan.validate,
            **({"hold_out": plan.hold_out} if plan.hold_out else {}),
            "sha256": data.sha256,
            "num_train": len(data.train),
            "num_test": len(data.test),
            "image_shape": list(shape),
        },
        "hyperparameters": plan.settings | {"processes": processes},
        "runs": runs,
    }
