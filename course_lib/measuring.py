"""Measuring small pieces of torch code: how long they take, what they compute and move, and what the machine can do.

Times of calls are those of the CPU, with as many threads as torch has been given. One multiply-add counts 1, as in the
rest of the course; FLOPs are twice as many.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import Generator, Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry

SAMPLE_SECONDS = 1e-3  # a sample repeats the function for about as long, so that the clock's own cost does not matter


class Timing(NamedTuple):
    """Seconds of one call: the median of the samples, half the distance between their quartiles, and the shortest."""

    median: float
    spread: float
    best: float
    samples: int


class Work(NamedTuple):
    """What a function does: multiply-adds, and bytes that its operators read and write.

    Each operator reads its tensors once and writes its results once; views are free. No cache keeps anything between
    two operators in this count, so a machine with caches moves less from and to its memory.
    """

    macs: int
    bytes: int

    @property
    def intensity(self) -> float:
        """Multiply-adds per byte."""
        return self.macs / self.bytes


def measure(function: Callable[[], Any], *, repeats: int = 7) -> Timing:
    """Time ``function()``: one call to warm up, then ``repeats`` samples.

    Raises:
        ValueError: ``repeats`` is below 1.
    """
    return measure_in_turn({"": function}, repeats=repeats)[""]


def measure_in_turn(functions: Mapping[str, Callable[[], Any]], *, repeats: int = 7) -> dict[str, Timing]:
    """Time several functions, one sample of each in turn, so that a busy moment of the machine meets all of them.

    Raises:
        ValueError: ``repeats`` is below 1.
    """
    if repeats < 1:
        raise ValueError(f"repeats must be at least 1, got repeats={repeats}")
    calls = {name: _calls_per_sample(function) for name, function in functions.items()}
    samples: dict[str, list[float]] = {name: [] for name in functions}
    with torch.no_grad():
        for _ in range(repeats):
            for name, function in functions.items():
                samples[name].append(_seconds(function, calls[name]))
    return {name: _timing(values) for name, values in samples.items()}


def matrix_product_peak(
    dtype: torch.dtype = torch.float32,
    *,
    sizes: Sequence[int] = (256, 512, 1024),
    repeats: int = 21,
    device: str | torch.device = "cpu",
) -> float:
    """The highest speed at which this machine was seen to multiply two square matrices, in multiply-adds a second.

    The best of all samples counts: a peak is what the machine can do, and other programs only take away from it. On a
    GPU give larger sizes, such as 4096 and 8192; each product is waited for.
    """
    wait = partial(torch.cuda.synchronize, device) if torch.device(device).type == "cuda" else _nothing
    products = {}
    for size in sizes:
        # of random numbers: a processor does equal ones with less power, and so at a higher clock
        left, right = torch.rand(2, size, size, generator=Generator().manual_seed(0)).to(device, dtype).unbind()
        result = torch.empty_like(left)
        products[str(size)] = lambda left=left, right=right, result=result: (torch.mm(left, right, out=result), wait())
    timings = measure_in_turn(products, repeats=repeats)
    return max(int(size) ** 3 / timing.best for size, timing in timings.items())


def bandwidth(num_bytes: int, *, repeats: int = 7) -> float:
    """Bytes a second while two float32 arrays are added into a third; the three have ``num_bytes`` together.

    The best of all samples counts. Small arrays stay in the caches, large ones do not.

    Source: McCalpin 1995, Memory Bandwidth and Machine Balance in Current High Performance Computers: "Add" of STREAM.
    Differs from the paper: single precision, and arrays of any size.

    Raises:
        ValueError: ``num_bytes`` is below 12, or ``repeats`` is below 1.
    """
    if num_bytes < 12:
        raise ValueError(f"num_bytes must hold three numbers of 4 bytes, got num_bytes={num_bytes}")
    left, right, total = torch.ones(3, num_bytes // 12).unbind()
    timing = measure(lambda: torch.add(left, right, out=total), repeats=repeats)
    return 12 * total.numel() / timing.best


def count_work(function: Callable[[], Any]) -> Work:
    """Run ``function()`` once and count its multiply-adds and its traffic, operator by operator.

    Matrix products and convolutions are counted by torch's own rules; a complex multiply-add is four real ones. A
    Fourier transform of n real numbers counts as 1.25 n log2(n). Other operators count 0 multiply-adds.

    Source of the rule for transforms: Frigo and Johnson 2005, The Design and Implementation of FFTW3.
    Differs from the paper: one multiply-add for two of its operations.
    """
    with torch.no_grad(), _Counter() as counter:
        function()
    return Work(counter.macs, counter.bytes)


class _Counter(TorchDispatchMode):
    """Adds up the work of every operator that runs while it is active."""

    def __init__(self) -> None:
        super().__init__()
        self.macs = self.bytes = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        """Run one operator and count it."""
        kwargs = kwargs or {}
        result = func(*args, **kwargs)
        read = args, {name: value for name, value in kwargs.items() if name != "out"}  # ``out`` is only written
        given = [value for value in tree_leaves(read) if isinstance(value, Tensor)]
        made = [value for value in tree_leaves(result) if isinstance(value, Tensor)]
        if not _moves_nothing(func, given, made):
            self.bytes += sum(map(_num_bytes, given + made))
            self.macs += _macs(func, args, kwargs, given, result)
        return result


def _moves_nothing(func: Any, given: list[Tensor], made: list[Tensor]) -> bool:
    """Whether an operator only makes a view, or memory that nobody has written to yet."""
    if func.overloadpacket.__name__.startswith(("empty", "new_empty")):
        return True
    shared = {tensor.untyped_storage().data_ptr() for tensor in given}
    return not func._schema.is_mutable and all(tensor.untyped_storage().data_ptr() in shared for tensor in made)


def _num_bytes(tensor: Tensor) -> int:
    """Bytes of a tensor; numbers that several of its places share, as in overlapping windows, count once."""
    span = 1 + sum((size - 1) * stride for size, stride in zip(tensor.shape, tensor.stride(), strict=True))
    return min(tensor.numel(), span) * tensor.element_size()


def _macs(func: Any, args: tuple, kwargs: dict[str, Any], given: list[Tensor], result: Any) -> int:
    packet = func.overloadpacket
    if packet in (torch.ops.aten._fft_r2c, torch.ops.aten._fft_c2r):
        real = given[0] if packet == torch.ops.aten._fft_r2c else result
        points = math.prod(real.shape[axis] for axis in args[1])
        return round(1.25 * real.numel() * math.log2(points))
    if packet not in flop_registry:
        return 0
    factor = 4 if any(tensor.is_complex() for tensor in given) else 1
    return factor * flop_registry[packet](*args, **kwargs, out_val=result) // 2


def _nothing() -> None:
    pass


def _calls_per_sample(function: Callable[[], Any]) -> int:
    """Warm up, then find how many calls fill a sample; a slow function need not be called again for that."""
    with torch.no_grad():
        if _seconds(function, 1) > 100 * SAMPLE_SECONDS:
            return 1
        return max(1, round(SAMPLE_SECONDS / max(_seconds(function, 1), 1e-9)))


def _seconds(function: Callable[[], Any], calls: int) -> float:
    start = time.perf_counter()
    for _ in range(calls):
        function()
    return (time.perf_counter() - start) / calls


def _timing(samples: list[float]) -> Timing:
    low, high = statistics.quantiles(samples, n=4, method="inclusive")[::2] if len(samples) > 1 else (0.0, 0.0)
    return Timing(statistics.median(samples), (high - low) / 2, min(samples), len(samples))
