"""The named functions of the ledger, against counts by hand."""

from __future__ import annotations

import pytest
from ledger_drafts import entry_of

from course_suite.ledger import Ledger
from course_suite.ledger.evaluate import evaluate
from course_suite.ledger.quantities import QUANTITIES, find, quantity


@pytest.mark.parametrize(
    ("compute", "value"),
    [
        ({"function": "conv_params", "in_channels": 192, "out_channels": 64, "kernel_size": 1}, 12_352),
        ({"function": "sum", "of": [1, 2.5, {"function": "product", "of": [2, 3]}]}, 9.5),
        ({"function": "difference", "of": ["one", "two[1]"]}, -0.5),
        ({"function": "difference", "of": [0.3, 0.1]}, 0.2),  # in decimals, where floats give 0.19999999999999998
        ({"function": "ratio", "of": ["two[2]", 30]}, 2_000_000),
        ({"function": "percentage", "of": [1, 8]}, 12.5),
        ({"function": "relative_change", "of": [40, 30]}, -25),
        ({"function": "value", "of": ["two[0]", 3]}, [7, 3]),
        ({"function": "text_of", "template": "{}x{}", "of": [3, {"function": "sum", "of": [1, 1]}]}, "3x2"),
        ({"function": "holds", "relation": "<", "of": [1, 2, 3]}, True),
        ({"function": "holds", "relation": "<", "of": [1, 3, 2]}, False),
        ({"function": "all_hold", "of": [{"function": "holds", "relation": "=", "of": [1, 1]}]}, True),
        ({"function": "receptive_field", "layers": [{"kernel_size": 3}, {"kernel_size": 3}]}, 5),
        ({"function": "conv_output_size", "input_size": [28, 30], "kernel_size": 3}, [26, 28]),
        ([None, {"function": "sum", "of": [1]}], [None, 1]),
        ({"function": "params", "model": "lenet5"}, 61_706),
        ({"function": "params", "model": "lenet5", "biases": False, "without": ["c1", "output"]}, 60_480),
        ({"function": "params", "model": "lenet5", "options": {"num_classes": 2}, "layers": "output"}, 170),
        ({"function": "params", "model": "vgg11_bn", "layers": "features", "norms": False}, 9_220_480),
        ({"function": "macs", "model": "lenet5", "kinds": ["Linear"]}, 58_920),
        ({"function": "macs", "model": "lenet5", "layers": "c1", "image": [1, 35, 35]}, 150 * 31 * 31),
        ({"function": "neurons", "model": "lenet5"}, 6 * 28 * 28 + 16 * 10 * 10 + 120 + 84 + 10),
        ({"function": "output_shape", "model": "lenet5", "layer": "s2", "format": "hwc"}, "14x14x6"),
        ({"function": "output_shape", "model": "lenet5", "layer": "f6", "format": "channels"}, 84),
        ({"function": "output_shape", "model": "lenet5", "layer": "c3", "format": "list"}, [16, 10, 10]),
        ({"function": "attribute", "model": "lenet5", "layer": "c1", "name": "kernel_size"}, 5),
        ({"function": "count_layers", "model": "vgg16", "kinds": ["Conv2d", "Linear"]}, 16),
        ({"function": "measured", "record": "no such record"}, None),
    ],
)  # fmt: skip
def test_functions_against_hand_counts(tmp_path, compute, value):
    one, two = entry_of(tmp_path, 1.5, name="one"), entry_of(tmp_path, "[7, '2.0', 60M]", name="two")

    found = evaluate(compute, Ledger([one, two]))

    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("compute", "message"),
    [
        ({"function": "paramz", "model": "lenet5"}, r"unknown function 'paramz'; known: params, "),
        ({"function": "params", "network": "lenet5"}, r"params: .*unexpected keyword argument 'network'"),
        ({"function": "params", "model": "lenet5", "layers": "c9"}, r"lenet5 has no layer 'c9'"),
        ({"function": "params", "model": "lenet", "layers": "c1"}, r"unknown network 'lenet'; known: lenet5"),
        ({"function": "output_shape", "model": "lenet5", "layer": "c9"}, r"no layer 'c9'; it has c1, c1_squash, s2"),
        ({"function": "output_shape", "model": "lenet5", "layer": "c1", "format": "wh"}, r"format must be one of chw,"),
        ({"function": "params", "model": "lenet5", "in": "Mega"}, r"in must be one of K, M, .*, got 'Mega'"),
        ({"function": "sum", "of": ["nowhere"]}, r"no entry has the id 'nowhere'"),
        ({"function": "sum", "of": ["two"]}, r"two has 2 parts: choose one, such as two\[0\]"),
        ({"function": "sum", "of": ["two[2]"]}, r"two has 2 parts, so there is no \[2\]"),
        ({"function": "sum", "of": ["Two!"]}, r"a reference must be an id, such as an-id or an-id\[1\], got 'Two!'"),
        ({"function": "ratio", "of": [1]}, r"a ratio is of two numbers, got 1"),
        ({"function": "holds", "relation": "~", "of": [1, 2]}, r"relation must be one of <, .*, got '~'"),
        ({"function": "relation_holds", "formula": "o = i ** k"}, r"a formula holds sizes, .*, not i \*\* k"),
    ],
)
def test_a_computation_that_fails_says_why(tmp_path, compute, message):
    two = entry_of(tmp_path, "[7, 8]", name="two")

    with pytest.raises(ValueError, match=message):
        evaluate(compute, Ledger([two]))


@pytest.mark.parametrize(
    "formula", ["o = (i - k) + 2p", "o = floor((i + 2p - k)/s)", "o = floor((i + p - k)/s) + 1", "o = i"]
)
def test_a_wrong_formula_does_not_hold(formula):
    assert evaluate({"function": "relation_holds", "formula": formula, "strides": 2}, Ledger([])) is False


def test_a_function_has_one_name_and_a_docstring():
    find("params")

    assert [name for name, function in QUANTITIES.items() if not function.__doc__] == []
    with pytest.raises(ValueError, match=r"the quantity 'params' is taken already, by course_suite"):
        quantity(lambda: None, name="params")
    assert find("params").__module__ == "course_suite.ledger.quantities.networks"
