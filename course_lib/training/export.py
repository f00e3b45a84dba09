"""A trained network as a file that others run: ONNX, or torch's own exported program. Each is run and compared."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from course_lib.data import ChannelStats, Normaliser
from course_lib.training.errors import TrainingError
from course_lib.training.outputs import logits_of

TOLERANCE = 1e-3  # of a probability: float32 in another order, with room


class FromPixels(nn.Module):
    """A network with its normalisation before it and a softmax behind: pixels (N, C, H, W) float32 from 0 to 255 in,
    probabilities (N, K) out."""

    def __init__(self, network: nn.Module, stats: ChannelStats) -> None:
        super().__init__()
        prepare = Normaliser(stats)
        self.network = network
        self.register_buffer("mean", prepare.mean)
        self.register_buffer("std", prepare.std)
        self.eval()

    def forward(self, pixels: Tensor) -> Tensor:
        """The probability of each class."""
        return logits_of(self.network((pixels - self.mean) / self.std)).softmax(1)


def export_onnx(model: FromPixels, pixels: Tensor, path: str | Path) -> float:
    """Write the model in ONNX, for any number of images, and run it on ``pixels`` in onnxruntime.

    Returns:
        The largest difference of a probability from torch's.

    Raises:
        ModuleNotFoundError: the extra ``export`` is not installed.
        TrainingError: it cannot be exported, or gives other probabilities.
    """
    import onnxruntime

    def write(path: Path) -> None:
        shapes = {"pixels": {0: torch.export.Dim("images", min=1)}}
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):  # the exporter talks to its makers
            warnings.simplefilter("ignore")
            torch.onnx.export(
                model, (pixels,), path, dynamo=True, dynamic_shapes=shapes, input_names=["pixels"],
                output_names=["probabilities"], external_data=False, verbose=False,
            )  # fmt: skip

    def run(path: Path, images: Tensor) -> Tensor:
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        return torch.from_numpy(session.run(None, {"pixels": images.numpy()})[0])

    return _written_and_compared(model, pixels, Path(path), write, run)


def export_program(model: FromPixels, pixels: Tensor, path: str | Path) -> float:
    """Write the model as ``torch.export`` has it, for any number of images, load it again and run it on ``pixels``.

    Returns, and raises, as ``export_onnx``.
    """

    def write(path: Path) -> None:
        shapes = {"pixels": {0: torch.export.Dim("images", min=1)}}
        torch.export.save(torch.export.export(model, (pixels,), dynamic_shapes=shapes), path)

    def run(path: Path, images: Tensor) -> Tensor:
        return torch.export.load(path).module()(images)

    return _written_and_compared(model, pixels, Path(path), write, run)


def _written_and_compared(
    model: FromPixels, pixels: Tensor, path: Path, write: Callable[[Path], None], run: Callable[[Path, Tensor], Tensor]
) -> float:
    if len(pixels) < 2:
        raise ValueError(f"pixels must hold at least 2 images, so that their number stays open, got {len(pixels)}")
    temporary = path.with_name(f".writing-{path.name}")
    try:
        try:
            write(temporary)
        except (RuntimeError, TypeError, ValueError) as error:
            first = str(error).strip().partition("\n")[0][:200]
            raise TrainingError(
                f"{type(model.network).__name__} cannot be exported to {path.suffix} ({first})"
            ) from None
        with torch.no_grad():
            worst = max((run(temporary, images) - model(images)).abs().max().item() for images in (pixels, pixels[:1]))
        if worst > TOLERANCE:
            raise TrainingError(f"{path.name} gives other probabilities than torch, by up to {worst:.3g}: not written")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return worst
