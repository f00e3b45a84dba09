"""Counts of multiply-adds and parameters, against torch's own counter on real tensors and against sums by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from complexity_cases import BY_HAND, CASES, Function, Shared, TwoBranches
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from course_lib.complexity import analyze


@pytest.mark.parametrize("name", CASES)
def test_counts_are_those_of_torchs_own_counter_and_those_by_hand(name: str) -> None:
    module, input_shape, macs, params = CASES[name]

    found = analyze(module, input_shape)

    shapes = input_shape if isinstance(input_shape, list) else [input_shape]
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module.eval()(*(torch.randn(1, *shape) for shape in shapes))
    assert (found.macs, found.params, found.unused_params) == (macs, params, 0)
    assert found.macs * 2 == counter.get_total_flops()
    assert not found.not_counted
    assert sum(row.params for row in found.rows) == params


@pytest.mark.parametrize("name", BY_HAND)
def test_counts_are_those_by_hand(name: str) -> None:
    module, input_shape, macs, params = BY_HAND[name]

    found = analyze(module, input_shape)

    assert (found.macs, found.params, found.unused_params, found.not_counted) == (macs, params, 0, ())


def test_batch_multiplies_the_counts_and_not_the_parameters() -> None:
    one, eight = (analyze(TwoBranches(), (3, 6, 8), batch_size=size) for size in (1, 8))

    assert (eight.macs, eight.params) == (8 * one.macs, one.params)
    assert eight.training_activation_bytes == 8 * one.training_activation_bytes
    assert eight.rows[0].output_shape == (8, 4, 6, 8)


def test_layer_that_is_called_twice_is_listed_twice_and_has_its_parameters_once() -> None:
    first, second = analyze(Shared(), (3, 8, 9)).rows

    assert (first.name, second.name) == ("conv", "conv")
    assert (first.params, second.params) == (84, 0)
    assert (first.macs, second.macs) == (81 * 42, 81 * 20)


def test_parameter_shared_by_two_layers_counts_once() -> None:
    tied = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    tied[1].weight = tied[0].weight

    found = analyze(tied, (4,))

    assert (found.params, found.macs) == (16 + 4 + 4, 32)
    assert [row.params for row in found.rows] == [20, 4]


@pytest.mark.parametrize(
    ("function", "operation"),
    [
        (lambda _, x: torch.fft.fft2(x).real, "aten._fft"),
        (lambda _, x: torch.linalg.svd(x)[1], "aten._linalg_svd"),
        (lambda _, x: torch.cdist(x, x), "aten._cdist"),
        (lambda m, x: torch.ops.course_tests.relu(x, m.w), "course_tests.relu"),
    ],
)
def test_what_cannot_be_counted_is_listed_and_is_not_zero(function: Callable[..., Tensor], operation: str) -> None:
    found = analyze(nn.Sequential(Function(function, w=(8, 8)), nn.Linear(8, 2, bias=False)), (3, 8, 8))

    assert [entry.startswith(f"0: {operation}") for entry in found.not_counted] == [True]
    assert found.rows[0].macs is None
    assert found.rows[-1].macs is not None


def test_layer_that_counts_in_part_has_its_count_and_is_listed() -> None:
    found = analyze(Function(lambda m, x: torch.linalg.inv(x @ m.w), w=(8, 8)), (8, 8))

    assert found.macs == 512
    assert found.not_counted == ("Function: aten.linalg_inv_ex",)


@pytest.fixture(autouse=True, scope="module")
def own_operation() -> Any:
    """An operation that torch has not, under a name that torch knows for something else."""

    @torch.library.custom_op("course_tests::relu", mutates_args=())
    def relu(x: Tensor, w: Tensor) -> Tensor:
        return x @ w

    relu.register_fake(lambda x, w: x.new_empty(*x.shape[:-1], w.shape[-1]))
    return relu
