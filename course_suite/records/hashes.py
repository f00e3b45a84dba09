"""One hash for what a network is: a record made with another network is found by it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from torch import nn

from course_lib.complexity import analyze


def model_hash(model: nn.Module, input_shape: Sequence[int]) -> str:
    """SHA-256 of a network's weights' names and shapes and of every call of its training pass; no value is read.

    Two networks with the same hash have the same layers, in the same order, on the same shapes.
    """
    weights = [[name, list(tensor.shape), str(tensor.dtype)] for name, tensor in model.state_dict().items()]
    rows = analyze(model, tuple(input_shape), training=True).rows
    calls = [[row.type, row.input_shapes, row.output_shape, row.macs] for row in rows]
    return hashlib.sha256(json.dumps([weights, calls]).encode()).hexdigest()
