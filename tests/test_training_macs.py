"""The multiply-adds of a training step, on which each record's share of the peak rests, against torch's counter."""

from __future__ import annotations

import torch
from torch.utils.flop_counter import FlopCounterMode

from course_lib.complexity import analyze
from course_lib.models import build
from course_suite.training_record import MACS_OF_TRAINING


def test_a_step_takes_three_times_the_multiply_adds_of_a_forward_pass():
    network, images = build("lenet5"), torch.randn(4, 1, 32, 32, requires_grad=True)

    with FlopCounterMode(display=False) as counter:
        network(images).sum().backward()

    forward = 4 * analyze(network, (1, 32, 32)).macs
    assert counter.get_total_flops() / 2 == MACS_OF_TRAINING * forward
