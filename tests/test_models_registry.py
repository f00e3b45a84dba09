"""The one place of a network: its name, its options, its image, its family."""

from __future__ import annotations

import inspect

import pytest

from course_lib.models import build, card, find, input_shape, names, registry
from course_lib.models.vgg import VGG


def test_names_lists_them_without_building_one(monkeypatch):
    def refuse(**options):
        raise AssertionError("built")

    monkeypatch.setattr(registry, "BUILDERS", dict.fromkeys(registry.BUILDERS, refuse))
    assert {"lenet5", "lenet5_1998", "mnist_cnn"} <= set(names())
    assert names() == sorted(names())


def test_a_name_can_be_taken_only_once(monkeypatch):
    monkeypatch.setattr(registry, "BUILDERS", dict(registry.BUILDERS))
    monkeypatch.setattr(registry, "CARDS", dict(registry.CARDS))

    def lenet5():
        raise AssertionError("built")

    def lenet5_again():
        raise AssertionError("built")

    enter = registry.register(image=(1, 32, 32), family="LeNet-5")
    with pytest.raises(ValueError, match=r"network name 'lenet5' is taken already, by course_lib\.models\.lenet"):
        enter(lenet5)
    assert enter(lenet5_again) is lenet5_again
    assert "lenet5_again" in names()
    assert input_shape("lenet5_again") == (1, 32, 32)


def test_a_family_is_one_of_those_that_figures_know():
    with pytest.raises(ValueError, match=r"family must be one of AlexNet, VGG, .*, got 'LeNet'"):
        registry.register(image=(1, 32, 32), family="LeNet")


def test_an_unknown_network_lists_the_known_ones_closest_first():
    for function in (build, find, card):
        with pytest.raises(ValueError, match="unknown network 'lenet_5'; known: lenet5, "):
            function("lenet_5")


@pytest.mark.parametrize("name", names())
def test_a_signature_shows_options_with_defaults_and_the_docstring_explains_them(name):
    builder = find(name)
    parameters = inspect.signature(builder).parameters

    assert parameters
    assert all(parameter.kind == parameter.KEYWORD_ONLY for parameter in parameters.values())
    assert all(parameter.default is not parameter.empty for parameter in parameters.values())
    if "Args:" in builder.__doc__:
        assert [option for option in parameters if option not in builder.__doc__] == []


def test_a_member_of_a_family_takes_the_options_that_are_left():
    assert list(inspect.signature(find("resnet20")).parameters) == [
        "num_classes", "in_channels", "widths", "shortcut", "preactivation", "zero_init",
    ]  # fmt: skip
    assert inspect.signature(find("vgg16_bn")).parameters["batch_norm"].default is True
    assert inspect.signature(find("vgg16")).parameters["batch_norm"].default is False
    assert isinstance(build("vgg16_bn", batch_norm=False, hidden_features=8), VGG)
    with pytest.raises(TypeError, match=r"^resnet20\(\) got an unexpected keyword argument 'depth'$"):
        build("resnet20", depth=56)


def test_a_card_tells_image_family_and_twin():
    assert card("efficientnet_b2") == ((3, 260, 260), "EfficientNet", "efficientnet_b2")
    assert card("alexnet") == ((3, 227, 227), "AlexNet", None)
    assert card("mnist_cnn").family is None
