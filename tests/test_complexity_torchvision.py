"""Our totals of every classification network of torchvision, against those that torchvision publishes.

Exceptions, each with its reason, stand in ``OPTIONS``. No network is initialised: all are built on the meta device.
"""

from __future__ import annotations

from typing import Any

import pytest
from torchvision import models

from course_lib.complexity import Complexity, analyze, on_meta

# GoogLeNet: the published weights are loaded into a network without its auxiliary heads, and counted without them.
# Inception v3's are counted with them. Both warn unless they are told whether to initialise.
OPTIONS: dict[str, dict[str, Any]] = {
    "googlenet": {"aux_logits": False, "init_weights": False},
    "inception_v3": {"init_weights": False},
}


def analyzed(name: str, crop_size: int) -> Complexity:
    options = dict(OPTIONS.get(name, {}))
    if name.startswith("vit_"):
        options["image_size"] = crop_size  # a vision transformer is made for one size of image
    with on_meta():
        model = models.get_model(name, **options)
    return analyze(model, (3, crop_size, crop_size))


@pytest.mark.parametrize("name", models.list_models(module=models))
def test_totals_are_those_that_torchvision_publishes(name: str) -> None:
    found: dict[int, Complexity] = {}
    for weights in models.get_model_weights(name):
        crop_size = weights.transforms().crop_size[0]
        complexity = found.setdefault(crop_size, found.get(crop_size) or analyzed(name, crop_size))

        assert complexity.params == weights.meta["num_params"]
        assert round(complexity.macs / 1e9, 3) == weights.meta["_ops"]
        assert complexity.not_counted == ()
        assert sum(row.params for row in complexity.rows) + complexity.unused_params == complexity.params


def test_unused_parameters_are_those_of_the_auxiliary_heads() -> None:
    with on_meta():
        heads = {
            name: models.get_model(name, aux_logits=True, init_weights=False) for name in ("googlenet", "inception_v3")
        }
    sizes = {
        name: [p.numel() for key, p in model.named_parameters() if "aux" in key.lower()]
        for name, model in heads.items()
    }

    assert analyze(heads["googlenet"], (3, 224, 224)).unused_params == sum(sizes["googlenet"]) == 6_379_984
    assert analyze(heads["inception_v3"], (3, 299, 299)).unused_params == sum(sizes["inception_v3"])
    assert analyze(heads["googlenet"], (3, 224, 224), training=True).unused_params == 0
    assert analyze(heads["inception_v3"], (3, 299, 299), training=True).unused_params == 0
