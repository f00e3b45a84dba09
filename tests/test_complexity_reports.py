"""The table of public reports: every model is answered, with the count by hand, on shapes where these will do."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
import torch
from complexity_reports import REPORTS, Experts, Named, Timed, Words, function
from torch import Tensor, nn
from torchvision.models import detection

from course_lib.complexity import Complexity, Input, analyze


def answer(name: str, **options: Any) -> Complexity:
    report = REPORTS[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch's, about scripts and quantization that it means to retire
        return analyze(report.make(), *report.inputs, kwargs=report.kwargs, **report.options, **options)


@pytest.mark.parametrize("name", REPORTS)
def test_model_is_answered_with_the_count_by_hand(name: str) -> None:
    report = REPORTS[name]

    found = answer(name)

    assert found.ran_on == report.ran_on
    assert (found.reason is None) == (report.ran_on == "shapes")
    if report.macs is not None:
        assert (found.macs, found.not_counted) == (report.macs, ())
    else:
        assert found.macs or found.not_counted


ON_VALUES = [name for name, report in REPORTS.items() if report.ran_on == "values"]


@pytest.mark.parametrize("name", ON_VALUES)
def test_model_that_needs_values_is_refused_without_them(name: str) -> None:
    with pytest.raises(ValueError, match=r"needs values|without values|failed on an input|no way to run"):
        answer(name, values="never")


@pytest.mark.parametrize("name", [name for name, report in REPORTS.items() if report.macs and "GPU" not in name])
def test_values_give_the_counts_of_shapes(name: str) -> None:
    report = REPORTS[name]
    if any(isinstance(part, Tensor) and part.is_meta for part in report.inputs):
        return

    found = answer(name, values="always")

    assert (found.ran_on, found.macs) == ("values", report.macs)


@pytest.mark.parametrize("name", ["fasterrcnn_mobilenet_v3_large_320_fpn", "ssdlite320_mobilenet_v3_large"])
def test_detectors_are_answered(name: str) -> None:
    model = getattr(detection, name)(weights=None, weights_backbone=None)

    found = analyze(model, (3, 64, 64))

    assert found.ran_on == "values"
    assert found.macs > 1e8
    assert not found.not_counted
    assert analyze(model, [torch.rand(3, 64, 64)]).macs == found.macs


def test_missing_argument_is_named_and_is_no_wrong_shape() -> None:
    with pytest.raises(ValueError, match=r"Timed.forward\(x: .*, t: .*\): missing a required argument: 't'; give each"):
        analyze(Timed(), (3, 8, 8))
    with pytest.raises(ValueError, match="got an unexpected keyword argument 'middle'"):
        analyze(Named(), left=(4,), right=(6,), middle=(5,))


def test_error_of_the_models_own_is_told_as_it_is() -> None:
    with pytest.raises(
        ValueError, match=r"layer Function \(Function\) failed on an input of shape .*KeyError: 'vocab'"
    ):
        analyze(function(lambda _, x: {}["vocab"] + x)(), (4,))
    with pytest.raises(ValueError, match=r"layer 1 \(Linear\) cannot take an input of shape \(1, 5\)"):
        analyze(nn.Sequential(nn.Linear(4, 5), nn.Linear(4, 5)), (4,))


def test_advice_for_writers_of_operators_is_left_out() -> None:
    with pytest.raises(ValueError, match="needs values") as caught:
        analyze(Words(), Input((9,), torch.long), values="never")

    text = str(caught.value)
    assert "values='auto' lets it run on real numbers" in text
    assert not any(word in text for word in ("fake impl", "caffe2", "torch.fx", "PT2", "\n"))


def test_inputs_may_have_numpys_sizes() -> None:
    import numpy as np

    assert analyze(nn.Conv2d(3, 8, 3), tuple(np.array([3, 8, 8])), batch_size=np.int64(2)).macs == 2 * 36 * 216


def test_shape_is_named_for_a_layer_that_is_called_by_keyword() -> None:
    class Outer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.lin = nn.Linear(4, 5)

        def forward(self, x: Tensor) -> Tensor:
            return self.lin(input=x)

    with pytest.raises(ValueError, match=r"layer lin \(Linear\) cannot take an input of shape \(1, 3\)"):
        analyze(Outer(), (3,))


def test_rules_of_ones_own() -> None:
    by_name = analyze(
        function(lambda _, x: torch.fft.fft2(x).real)(),
        (8, 8),
        rules={"aten._fft_c2c": lambda _a, _k, out: out.numel() * 6},
    )
    by_function = analyze(
        function(lambda _, x: torch.cdist(x, x))(),
        (8, 4),
        rules={torch.cdist: lambda args, _k, out: out.numel() * args[0].shape[-1]},
    )
    by_layer = analyze(
        nn.Sequential(nn.Linear(4, 4), Experts()),
        (4,),
        rules={Experts: lambda module, _a, _o: 16 * len(module.experts)},
    )

    assert (by_name.macs, by_name.not_counted) == (8 * 8 * 6, ())
    assert (by_function.macs, by_function.not_counted) == (8 * 8 * 4, ())
    assert [(row.name, row.macs, row.params) for row in by_layer.rows] == [("0", 16, 20), ("1", 48, 75)]


@pytest.mark.parametrize(
    "body",
    [
        lambda _, x: torch.nn.functional.gumbel_softmax(x),
        lambda _, x: torch.nn.functional.affine_grid(x[:, :2, :3], [x.shape[0], 1, 4, 4], align_corners=False),
        lambda _, x: torch.ops.torchvision.roi_align(x[None], x.new_zeros(1, 5), 1.0, 2, 2, 2, False),
        lambda _, x: torch.fake_quantize_per_tensor_affine(x, 0.1, 0, 0, 255),
        lambda _, x: x.unique(dim=1),
        lambda _, x: x // 2 % 3,
    ],
)
def test_what_sums_no_products_is_not_called_uncounted(body: Any) -> None:
    assert analyze(function(body)(), (4, 4)).not_counted == ()
