"""Bars and points of costs: what is drawn is what was counted."""

from __future__ import annotations

import pytest

from course_lib.complexity import analyze, build_meta
from course_lib.figures.complexity import short_number, stage_bars


@pytest.fixture(scope="module")
def vgg16():
    return analyze(build_meta("vgg16"), (3, 224, 224))


def test_bars_are_the_sums_of_the_stages(vgg16) -> None:
    params, macs = stage_bars(vgg16).axes

    assert [label.get_text() for label in params.get_yticklabels()] == ["features", "classifier"]
    assert [bar.get_width() for bar in params.patches] == [14_714_688, 123_642_856]
    assert [bar.get_width() for bar in macs.patches] == [15_346_630_656, 123_633_664]
    assert [text.get_text() for text in params.texts] == ["14.7 M, 11%", "124 M, 89%"]
    assert [text.get_text() for text in macs.texts] == ["15.3 G, 99%", "124 M, 0.8%"]
    assert params.get_xlabel() == "parameters\n138 M in all"


def test_bars_go_as_deep_as_is_asked_and_leave_out_empty_stages(vgg16) -> None:
    (macs,) = stage_bars(vgg16, depth=2, measures=["macs"]).axes

    labels = [label.get_text() for label in macs.get_yticklabels()]
    assert len(labels) == 16
    assert labels[-1] == "classifier.fc8"
    assert not any("relu" in label or "pool" in label for label in labels)
    assert sum(bar.get_width() for bar in macs.patches) == vgg16.macs
    assert macs.yaxis_inverted()


def test_bars_of_three_measures_have_their_shares_alone(vgg16) -> None:
    params, _, activations = stage_bars(vgg16, measures=["params", "macs", "activation_bytes"]).axes

    assert [text.get_text() for text in params.texts] == ["11%", "89%"]
    assert [text.get_text() for text in activations.texts] == ["100%", "0.1%", "0.1%"]


@pytest.mark.parametrize("measures", [[], ["flops"], ["macs", "flops"]])
def test_unknown_measure_is_an_error(vgg16, measures: list[str]) -> None:
    with pytest.raises(
        ValueError, match=r"measures must be some of params, macs, activation_bytes, got '?(flops|none)"
    ):
        stage_bars(vgg16, measures=measures)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (999, "999"), (9_996, "10.0 k"), (61_706, "61.7 k"), (999_999, "1.00 M"), (15_470_264_320, "15.5 G")],
)
def test_numbers_have_three_digits_and_a_unit(value: int, text: str) -> None:
    assert short_number(value) == text
