"""What ``course analyze`` is asked about: a network of the course, of torchvision, or of the user's own code."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

from torch import nn

from course_lib.complexity import on_meta
from course_lib.models.registry import close_names
from course_suite.errors import UserError

Shape = tuple[int, ...]

WARNS_UNLESS_TOLD = ("googlenet", "inception_v3")  # whether to initialise


class Published(NamedTuple):
    """What torchvision publishes of a network, for the images of ``input_shape``."""

    params: int
    giga_macs: float
    input_shape: Shape


class Subject(NamedTuple):
    """A network to analyze, with the shapes of its inputs, and what torchvision publishes of it."""

    name: str
    model: nn.Module
    input_shapes: list[Shape]
    published: list[Published]


def find_subject(text: str, input_text: str | None) -> Subject:
    """The network that ``text`` names; ``input_text`` such as "3x224x224" replaces its usual input.

    Raises:
        UserError: there is no such network, it cannot be built, or the input is none or missing.
    """
    shapes = parse_shapes(input_text) if input_text is not None else None
    if text.startswith("torchvision:"):
        return _torchvision(text.removeprefix("torchvision:"), shapes)
    if ":" in text:
        if shapes is None:
            raise UserError(f"--input is needed for {text}, such as --input 3x224x224")
        return Subject(text, _built(_factory(text), text), shapes, [])
    return _ours(text, shapes)


def parse_shapes(text: str) -> list[Shape]:
    """ "3x224x224" -> [(3, 224, 224)]; several inputs are joined by commas."""
    if not re.fullmatch(r"[1-9]\d*(x[1-9]\d*)*(,[1-9]\d*(x[1-9]\d*)*)*", text):
        raise UserError(f"--input must be sizes joined by x, such as 3x224x224, got {text!r}")
    return [tuple(int(size) for size in part.split("x")) for part in text.split(",")]


def _ours(name: str, shapes: list[Shape] | None) -> Subject:
    from course_lib.models import build, card, names

    if name not in names():
        raise UserError(f"no network is called {name!r}{_close(name, names())}")
    known = card(name)
    model = _built(lambda: build(name), name)
    return Subject(name, model, shapes or [known.image], _published(known.torchvision) if known.torchvision else [])


def _torchvision(name: str, shapes: list[Shape] | None) -> Subject:
    from torchvision import models

    if name not in models.list_models():
        raise UserError(f"torchvision has no network {name!r}{_close(name, models.list_models())}")
    published = _published(name)
    if shapes is None:
        if not published:
            raise UserError(f"--input is needed for torchvision:{name}, such as --input 3x224x224")
        shapes = [published[0].input_shape]
    options: dict[str, Any] = {"init_weights": False} if name in WARNS_UNLESS_TOLD else {}
    if name.startswith("vit_"):
        options["image_size"] = shapes[0][-1]  # a vision transformer is made for one size of image
    return Subject(f"torchvision:{name}", _built(lambda: models.get_model(name, **options), name), shapes, published)


def _published(name: str) -> list[Published]:
    """One entry for each size of image for which torchvision publishes weights of the network."""
    from torchvision import models

    found: dict[int, Published] = {}
    for weights in models.get_model_weights(name):
        crop, meta = getattr(weights.transforms(), "crop_size", None), weights.meta
        if crop and "_ops" in meta:
            found.setdefault(crop[0], Published(meta["num_params"], meta["_ops"], (3, crop[0], crop[0])))
    return list(found.values())


def _factory(text: str) -> Callable[[], nn.Module]:
    """What makes the model of "module:factory"; a module is looked for in the current folder first."""
    module_name, _, factory_name = text.partition(":")
    folder = str(Path.cwd())
    sys.path.insert(0, folder)
    try:
        module = importlib.import_module(module_name)
    except Exception as error:
        raise UserError(f"cannot import {module_name!r}: {' '.join(str(error).split())}") from error
    finally:
        sys.path.remove(folder)
    if not hasattr(module, factory_name):
        known = [name for name, value in vars(module).items() if callable(value)]
        raise UserError(f"{module_name} has no {factory_name!r}{_close(factory_name, known)}")
    factory = getattr(module, factory_name)
    return (lambda: factory) if isinstance(factory, nn.Module) else factory


def _built(factory: Callable[[], Any], name: str) -> nn.Module:
    """A model without values, or with them where its construction needs them."""
    if not callable(factory):
        raise UserError(
            f"{name} must be a function or a class that makes a torch.nn.Module, got {type(factory).__name__}"
        )
    try:
        with on_meta():
            model = factory()
    except Exception:
        try:
            model = factory()
        except Exception as error:
            raise UserError(f"{name} cannot be built without arguments: {' '.join(str(error).split())}") from error
    if not isinstance(model, nn.Module):
        raise UserError(f"{name} must make a torch.nn.Module, got {type(model).__name__}")
    return model


def _close(name: str, known: Iterable[str]) -> str:
    """The names that look like ``name``; all of them where none does."""
    close = close_names(name, known)
    return f"; close ones: {', '.join(close)}" if close else f"; known: {', '.join(sorted(known))}"
