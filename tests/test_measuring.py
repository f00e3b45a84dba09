"""Times by a clock that the test turns, work against counts by hand."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F

from course_lib import measuring
from course_lib.measuring import bandwidth, count_work, matrix_product_peak, measure, measure_in_turn


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still until a test moves it: ``clock[0]`` is the time in seconds."""
    now = [0.0]
    monkeypatch.setattr(measuring.time, "perf_counter", lambda: now[0])
    return now


def sleeper(clock, seconds):
    """A function that takes the next of ``seconds`` at each call, as the clock sees it."""
    steps = iter(seconds)

    def function() -> None:
        clock[0] += next(steps)

    return function


def test_median_spread_and_best_leave_the_first_call_out(clock) -> None:
    timing = measure(sleeper(clock, [100, 1, 2, 3, 4, 5]), repeats=5)
    assert timing == (3.0, 1.0, 1.0, 5)


def test_one_sample_has_no_spread(clock) -> None:
    assert measure(sleeper(clock, [9, 2]), repeats=1) == (2.0, 0.0, 2.0, 1)


def test_a_short_function_is_repeated_within_a_sample(clock) -> None:
    calls = []

    def short() -> None:
        calls.append(1)
        clock[0] += 1e-4

    assert measure(short, repeats=3).median == pytest.approx(1e-4)
    assert len(calls) == 1 + 1 + 3 * 10


def test_functions_take_turns(clock) -> None:
    order = []

    def named(name):
        def function() -> None:
            order.append(name)
            clock[0] += 1.0

        return function

    measure_in_turn({"a": named("a"), "b": named("b")}, repeats=2)
    assert "".join(order) == "ab" + "ab" * 2


def test_no_gradients_are_recorded_while_measuring() -> None:
    seen = []
    measure(lambda: seen.append(torch.is_grad_enabled()), repeats=1)
    assert set(seen) == {False}


@pytest.mark.parametrize("repeats", [0, -1])
def test_no_repeats_are_refused(repeats) -> None:
    with pytest.raises(ValueError, match=f"repeats must be at least 1, got repeats={repeats}"):
        measure(lambda: None, repeats=repeats)


def test_the_peak_is_the_fastest_product_of_all(monkeypatch) -> None:
    timings = {"10": measuring.Timing(3e-6, 0, 2e-6, 7), "20": measuring.Timing(5e-6, 0, 4e-6, 7)}
    monkeypatch.setattr(measuring, "measure_in_turn", lambda *_, **__: timings)
    assert matrix_product_peak(sizes=(10, 20)) == pytest.approx(20**3 / 4e-6)


def test_bandwidth_counts_two_reads_and_one_write(monkeypatch) -> None:
    monkeypatch.setattr(measuring, "measure", lambda *_, **__: measuring.Timing(2.0, 0, 1.0, 7))
    assert bandwidth(1200) == 1200
    with pytest.raises(ValueError, match="num_bytes must hold three numbers of 4 bytes, got num_bytes=11"):
        bandwidth(11)


def test_peak_and_bandwidth_are_positive_on_this_machine() -> None:
    assert matrix_product_peak(sizes=(64,), repeats=1) > 0
    assert bandwidth(2**16, repeats=1) > 0


X, Y = torch.ones(8, 16), torch.ones(16, 4)
IMAGE, WEIGHT, DEPTHWISE = torch.ones(1, 6, 10, 10), torch.ones(4, 6, 3, 3), torch.ones(6, 1, 3, 3)
COMPLEX = torch.ones(2, 3, dtype=torch.complex64), torch.ones(3, 5, dtype=torch.complex64)
WORK = {
    "a product reads both and writes one": (lambda: X @ Y, 8 * 16 * 4, 4 * (8 * 16 + 16 * 4 + 8 * 4)),
    "what is only written is no input": (
        lambda: torch.mm(X, Y, out=torch.empty(8, 4)),
        8 * 16 * 4,
        4 * (8 * 16 + 16 * 4 + 8 * 4),
    ),
    "views are free": (lambda: X.T.reshape(4, 4, 8).permute(2, 0, 1)[0], 0, 0),
    "a copy reads and writes": (lambda: X.T.contiguous(), 0, 2 * 4 * 8 * 16),
    "overlapping windows are read once": (lambda: X[0].unfold(0, 4, 1).clone(), 0, 4 * (16 + 13 * 4)),
    "in place reads and writes": (lambda: torch.empty(5).add_(1), 0, 2 * 4 * 5),
    "a convolution": (lambda: F.conv2d(IMAGE, WEIGHT), 4 * 6 * 9 * 64, 4 * (600 + 216 + 4 * 64)),
    "a depthwise one": (lambda: F.conv2d(IMAGE, DEPTHWISE, groups=6), 6 * 9 * 64, 4 * (600 + 54 + 6 * 64)),
    "complex numbers count four times": (lambda: COMPLEX[0] @ COMPLEX[1], 4 * 30, 8 * (6 + 15 + 10)),
}


@pytest.mark.parametrize("case", WORK)
def test_work_by_hand(case) -> None:
    function, macs, num_bytes = WORK[case]
    work = count_work(function)
    assert (work.macs, work.bytes) == (macs, num_bytes)


def test_a_fourier_transform_counts_as_frigo_and_johnson_count_it() -> None:
    image = torch.ones(3, 8, 16)
    nominal = 3 * 1.25 * 128 * math.log2(128)
    assert count_work(lambda: torch.fft.rfft2(image)).macs == nominal
    assert count_work(lambda: torch.fft.irfft2(torch.ones(3, 8, 9, dtype=torch.complex64))).macs == nominal


def test_intensity_is_multiply_adds_per_byte() -> None:
    assert measuring.Work(12, 4).intensity == 3
