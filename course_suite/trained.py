"""A network that ``course train`` has trained, made from its checkpoint alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from course_lib.data import ChannelStats, normalise, pad_to
from course_lib.data.pictures import decode
from course_lib.models import build
from course_lib.training import TrainingError, find_device, open_run
from course_lib.training.faults import in_one_line
from course_lib.training.outputs import logits_of
from course_suite.errors import UserError

SIZES = {
    "digits": 8,
    "mnist": 28,
    "fashion_mnist": 28,
    "cifar10": 32,
}  # pixels a side of the sets that come in one size
BATCH = 100


@dataclass(frozen=True)
class Trained:
    """A trained network in evaluation mode, and what its checkpoint says of it."""

    network: nn.Module
    about: dict[str, Any]

    @classmethod
    def load(cls, folder: Path) -> Trained:
        """The network of a run's folder, such as ``_build/train/lenet5_digits``.

        Raises:
            UserError: the folder holds no run of ``course train``, or a damaged one.
        """
        try:
            _, contents = open_run(folder)
            about = contents.settings["about"]
            network = build(about["network"], **about["options"])
            network.load_state_dict(contents.weights)
        except KeyError:
            raise UserError(f"{folder} is not of a course train: its checkpoint names no network") from None
        except (ValueError, RuntimeError, TypeError, TrainingError) as error:
            raise UserError(str(error).partition("\n")[0]) from error
        return cls(network.eval(), about)

    @property
    def classes(self) -> list[str]:
        """The names of the classes."""
        return self.about["classes"]

    @property
    def stats(self) -> ChannelStats:
        """What the pixels are normalised with."""
        return ChannelStats(*(tuple(self.about["stats"][name]) for name in ("mean", "std")))

    def pixels(self, path: Path, *, invert: bool) -> Tensor:
        """An image file as the network takes it, uint8 (C, H, W): scaled and padded as in training.

        Raises:
            BadFileError: it cannot be decoded.
        """
        channels, height, width = self.about["image_shape"]
        steps = self.about["steps"]
        side = steps["resize"] or (SIZES.get(self.about["data"]) if steps["pad"] else None)
        array, _ = decode(path, channels=channels, size=(side, side) if side else (height, width))
        image = torch.from_numpy(array.copy()).permute(2, 0, 1)
        image = 255 - image if invert else image
        return pad_to(image[None], (height, width))[0]

    @torch.inference_mode()
    def probabilities(self, images: Sequence[Tensor], device: str) -> Tensor:
        """(N, K) for N images."""
        place, rows = find_device(device), []
        with in_one_line(place, BATCH):
            self.network.to(place)
            for start in range(0, len(images), BATCH):
                batch = torch.stack(list(images[start : start + BATCH])).to(place)
                rows.append(logits_of(self.network(normalise(batch, self.stats))).float().softmax(1).cpu())
        return torch.cat(rows)
