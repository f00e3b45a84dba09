"""The course's own networks: each is counted with the image that it was made for, and nothing is left over."""

from __future__ import annotations

import pytest
from torchvision import models

from course_lib.complexity import analyze, build_meta
from course_lib.models import names
from course_lib.models.inputs import INPUT_SHAPES, input_shape

DEPTH_1202 = "resnet1202"  # 3,600 rows: the family is covered by its smaller members
HEADS = {"googlenet", "googlenet_article_002", "googlenet_article_003", "googlenet_torchvision"}
SAME_AS_TORCHVISIONS = [
    *(f"vgg{depth}{norm}" for depth in (11, 13, 16, 19) for norm in ("", "_bn")),
    *(f"resnet{depth}" for depth in (18, 34, 50, 101, 152)),
    *(f"efficientnet_b{member}" for member in (0, 2, 7)),
    "mobilenet_v2",
]


def test_every_network_has_an_image_and_every_image_a_network() -> None:
    assert sorted(INPUT_SHAPES) == names()


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


@pytest.mark.parametrize("name", SAME_AS_TORCHVISIONS)
def test_counts_are_those_that_torchvision_publishes_for_the_same_network(name: str) -> None:
    weights = next(iter(models.get_model_weights(name)))

    found = analyze(build_meta(name), (3, *weights.transforms().crop_size * 2))  # B2's is 288, the paper's 260

    assert found.params == weights.meta["num_params"]
    assert round(found.macs / 1e9, 3) == weights.meta["_ops"]


@pytest.mark.parametrize(("name", "theirs"), [("alexnet_owt", "alexnet"), ("googlenet_torchvision", "googlenet")])
def test_counts_of_renamed_networks_are_torchvisions_too(name: str, theirs: str) -> None:
    found = analyze(build_meta(name), input_shape(name))

    published = models.get_model_weights(theirs).DEFAULT.meta
    assert found.params - found.unused_params == published["num_params"]
    assert round(found.macs / 1e9, 3) == published["_ops"]


def test_image_of_an_unknown_network_is_an_error() -> None:
    with pytest.raises(ValueError, match="no image is known for network 'vgg12'; known: alexnet, "):
        input_shape("vgg12")
