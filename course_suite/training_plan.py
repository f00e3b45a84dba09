"""What ``course train`` is to do: its options, checked before anything is trained."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from torch import nn
from torch.nn.functional import cross_entropy

from course_lib.complexity import build_meta
from course_lib.data import DataError, ImageData, load_prepared
from course_lib.models import build
from course_lib.models.lenet_by_hand import LeNetByHand
from course_lib.models.lenet_output import map_criterion, mse_criterion
from course_lib.training import Augment, History, Recipe, fit, fit_sdlm, seeded
from course_suite.errors import UserError

CRITERIA = {"cross-entropy": None, "map": map_criterion, "mse": mse_criterion}
OPTIONS = {"count": "--take", "size": "--pad", "image_size": "--resize", "share": "--hold-out", "name": "--data"}
SETTINGS = {
    "epochs", "batch_size", "lr", "momentum", "weight_decay", "label_smoothing", "precision", "optimizer", "schedule",
    "device", *(part.name for part in dataclasses.fields(Recipe)),
}  # fmt: skip
NOT_TAKEN = re.compile(r"got an unexpected keyword argument '(\w+)'")
FIRST_WORDS = {"digits": "Digits", "mnist": "MNIST", "fashion_mnist": "Fashion-MNIST", "cifar10": "CIFAR-10"}


@dataclass(frozen=True)
class Plan:
    """One ``course train``: a network, its data, its hyperparameters, and the seeds.

    Args:
        options: of the network's builder.
        resize: images are scaled to so many pixels a side; None for as they are.
        pad: images are set into a black field of so many pixels a side, after ``resize``.
        take: only so many training images, spread over the classes.
        pixels: a fixed scale of the pixels by its name; None normalises by the training images.
        validate: a tenth of the training images is held out and stands in the place of the test images: for a search.
        folder: the keyword arguments of ``load_folder``, for ``folder:PATH``.
        title: how the data are called in the record, where ``data`` does not say it.
        hold_out: the share of the training images that is set aside for early stopping; 0 for none.
        settings: the keyword arguments of ``fit`` and the parts of its recipe, but for seed, device and files;
            ``criterion``, ``crop`` and ``flip`` stand for themselves.
    """

    model: str
    data: str
    seeds: tuple[int, ...]
    settings: dict[str, Any]
    options: dict[str, Any] = field(default_factory=dict)
    resize: int | None = None
    pad: int | None = None
    take: int | None = None
    title: str | None = None
    pixels: str | None = None
    validate: bool = False
    folder: dict[str, Any] = field(default_factory=dict)
    hold_out: float = 0.0

    @cached_property
    def images(self) -> ImageData:
        """The data, as the network gets them.

        Raises:
            UserError: they cannot be had, or not in this size.
        """
        try:
            steps = {"resize": self.resize, "pad": self.pad, "take": self.take, "pixels": self.pixels}
            data = load_prepared(self.data, **steps, **self.folder)
            data = data.for_choosing() if self.validate else data
            return data.hold_out(self.hold_out) if self.hold_out else data
        except (ValueError, DataError) as error:
            raise UserError(in_options(str(error))) from error

    @property
    def data_title(self) -> str:
        """The data's name for readers, with what was done to them: 'CIFAR-10 (JPEG)' is not CIFAR-10."""
        title = self.title or FIRST_WORDS.get(self.data, self.data.rpartition("/")[2])
        size = self.pad or self.resize
        parts = [
            title,
            f"at {size}x{size}" if size else "",
            f"{self.take:,} images" if self.take else "",
            "tested on a tenth of the training images" if self.validate else "",
        ]
        return ", ".join(filter(None, parts))

    @cached_property
    def built_options(self) -> dict[str, Any]:
        """The builder's options: those given, and what fits the data where the builder takes it.

        Raises:
            UserError: there is no such network, or its builder refuses an option.
        """
        fitting = {"in_channels": self.images.image_shape[0], "num_classes": len(self.images.classes)}
        options = fitting | self.options
        while True:
            try:
                build_meta(self.model, **options)
                return options
            except (TypeError, ValueError) as error:
                refused = [
                    name for name in fitting if name in options and name in str(error) and "unexpected" in str(error)
                ]
                if not refused or refused[0] in self.options:
                    raise UserError(self._refused(error)) from error
                del options[refused[0]]

    def _refused(self, error: Exception) -> str:
        """What the builder says of its options, in the command's words."""
        known = NOT_TAKEN.search(str(error)) if isinstance(error, TypeError) else None
        if known is None:
            return str(error).partition("\n")[0]
        return f"{self.model} has no option {known[1]!r}: leave -p {known[1]} out"

    def network(self, seed: int) -> nn.Module:
        """The network with the first weights that ``seed`` gives."""
        with seeded(seed):
            return build(self.model, **self.built_options)

    def train(self, model: nn.Module, **arguments: Any) -> History:
        """Train the network with ``fit``, or with ``fit_sdlm`` where that is the optimiser.

        Raises:
            UserError: an option does not go with the optimiser.
        """
        if self.settings["optimizer"] != "sdlm":
            return fit(model, self.images, about=self.about, **self.fit_arguments(), **arguments)
        del arguments["after_epoch"]
        self._check_sdlm(arguments.pop("device"))
        taken = {name: self.settings[name] for name in ("epochs", "lr", "schedule")}
        by_hand = LeNetByHand if self.model == "lenet5_1998" and self.settings["criterion"] == "map" else None
        criterion, curvature = (
            CRITERIA[self.settings[name] or self.settings["criterion"]] or cross_entropy
            for name in ("criterion", "curvature")
        )
        return fit_sdlm(
            model, self.images, criterion=criterion, curvature=curvature, one_image=by_hand, **taken, **arguments
        )

    def _check_sdlm(self, device: str) -> None:
        """Refuse what stochastic diagonal Levenberg-Marquardt has no use for."""
        needed = {
            "batch_size": 1, "momentum": 0.0, "weight_decay": 0.0, "label_smoothing": 0.0, "crop": 0, "flip": False,
            "precision": "fp32", "channels_last": False, "test_once": False, "deterministic": True,
            "compile_model": False,
        } | dataclasses.asdict(Recipe())  # fmt: skip
        for name, value in needed.items():
            if self.settings.get(name, value) != value:
                option = "--" + name.replace("_", "-")
                raise UserError(f"sdlm needs {option} {value}, got {self.settings[name]}")
        if device != "cpu":
            raise UserError(f"sdlm runs on the CPU alone, got --device {device}: add --device cpu")

    def fit_arguments(self) -> dict[str, Any]:
        """What ``fit`` is called with."""
        arguments = dict(self.settings)
        crop, flip = arguments.pop("crop"), arguments.pop("flip")
        if arguments.pop("curvature", None):
            raise UserError(f"curvature is for the optimizer sdlm, got {arguments['optimizer']}: leave --curvature out")
        criterion: Callable | None = CRITERIA[arguments.pop("criterion")]
        recipe = Recipe(**{part.name: arguments.pop(part.name, part.default) for part in dataclasses.fields(Recipe)})
        augment = Augment(crop, flip) if crop or flip else None
        return arguments | {"criterion": criterion, "augment": augment, "recipe": recipe}

    @property
    def about(self) -> dict[str, Any]:
        """What it takes to use the trained network on other images."""
        return {
            "network": self.model,
            "options": self.built_options,
            "data": self.data,
            "steps": {"resize": self.resize, "pad": self.pad, "take": self.take, "pixels": self.pixels},
            "folder": {name: value if name != "labels" else str(value) for name, value in self.folder.items()},
            "validate": self.validate,
            "hold_out": self.hold_out,
        }


def held_out(hold_out: float | None, patience: int | None) -> float:
    """The share of the training images for early stopping: what was asked for, else a tenth where it is needed."""
    return hold_out if hold_out is not None else 0.1 if patience else 0.0


def in_options(message: str) -> str:
    """A message of the library with the options of the command in the place of its arguments."""
    argument, _, rest = message.partition(" ")
    if argument in SETTINGS:
        return f"--{argument.replace('_', '-')} {rest}".replace("data.hold_out(0.1)", "--hold-out 0.1")
    return f"{OPTIONS[argument]} {rest}" if argument in OPTIONS else message.replace("pass image_size", "give --resize")
