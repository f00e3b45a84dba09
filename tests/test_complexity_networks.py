"""The course's own networks: each is counted with the image that it was made for, and nothing is left over."""

from __future__ import annotations

import pytest
from torchvision import models

from course_lib.complexity import analyze, build_meta
from course_lib.models import card, input_shape, names

DEPTH_1202 = "resnet1202"  # 3,600 rows: the family is covered by its smaller members
HEADS = {"googlenet", "googlenet_article_002", "googlenet_article_003", "googlenet_torchvision"}
TWINS = [name for name in names() if card(name).torchvision]


def test_networks_of_torchvision_s_name_are_named_as_its_twins() -> None:
    shared = set(names()) & set(models.list_models()) - {"alexnet", "googlenet"}  # these two are the papers' own

    assert shared == {name for name in TWINS if card(name).torchvision == name}


@pytest.mark.parametrize("name", [name for name in names() if name != DEPTH_1202])
def test_every_parameter_is_used_and_everything_is_counted(name: str) -> None:
    model = build_meta(name)

    training = analyze(model, input_shape(name), training=True)
    inference = analyze(model, input_shape(name))

    assert training.unused_params == 0
    assert inference.not_counted == training.not_counted == ()
    in_heads = sum(p.numel() for key, p in model.named_parameters() if key.startswith("aux_heads"))
    assert inference.unused_params == in_heads
    assert (in_heads > 0) == (name in HEADS)


@pytest.mark.parametrize("name", TWINS)
def test_counts_are_those_that_torchvision_publishes_for_the_same_network(name: str) -> None:
    weights = next(iter(models.get_model_weights(card(name).torchvision)))

    found = analyze(build_meta(name), (3, *weights.transforms().crop_size * 2))  # B2's is 288, the paper's 260

    assert found.params - found.unused_params == weights.meta["num_params"]
    assert round(found.macs / 1e9, 3) == weights.meta["_ops"]


def test_image_of_an_unknown_network_is_an_error() -> None:
    with pytest.raises(ValueError, match="unknown network 'vgg12'; known: vgg1"):
        input_shape("vgg12")
