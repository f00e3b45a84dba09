"""``course predict``, ``course evaluate`` and ``course export``: what a trained network is used for."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor

from course_lib.data import DataError, ImageData, load_prepared
from course_lib.data.errors import BadFileError
from course_lib.data.pictures import SUFFIXES
from course_lib.training import Evaluation, TrainingError, evaluate, find_device
from course_lib.training.export import FromPixels, export_onnx, export_program
from course_lib.training.faults import in_one_line
from course_suite.errors import UserError
from course_suite.trained import BATCH, Trained

EXPORTERS: dict[str, Callable[[FromPixels, Tensor, Path], float]] = {".onnx": export_onnx, ".pt2": export_program}


def predict_command(
    console: Console, folder: Path, images: Sequence[Path], *, device: str, invert: bool, csv_file: Path | None
) -> bool:
    """Print the class of each image and how sure the network is; whether every file could be read.

    Raises:
        UserError: there is no run, or no image.
    """
    trained = Trained.load(folder)
    files = [file for image in images for file in _files(image)]
    pictures, bad = {}, []
    for file in files:
        try:
            pictures[file] = trained.pixels(file, invert=invert)
        except BadFileError as error:
            bad.append(str(error))
    rows: list[dict[str, Any]] = []
    if pictures:
        try:
            chances = trained.probabilities(list(pictures.values()), device)
        except (ValueError, TrainingError) as error:
            raise UserError(str(error)) from error
        for file, row in zip(pictures, chances, strict=True):
            best = row.argsort(descending=True)[:3].tolist()
            rows.append({"image": str(file)} | _guesses(trained.classes, row, best))
    for row in rows:
        others = ", ".join(f"{row[f'class_{n}']} {row[f'probability_{n}']:.1%}" for n in (2, 3) if f"class_{n}" in row)
        text = f"{row['image']}: {row['class_1']} {row['probability_1']:.1%}" + (f" ({others})" if others else "")
        console.print(text, markup=False, highlight=False, soft_wrap=True)
    for line in bad:
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    if csv_file and rows:
        _write_table(csv_file, rows)
    return not bad


def evaluate_command(console: Console, folder: Path, *, device: str, out: Path | None) -> None:
    """Test a trained network on the test images of its data: by class, how sure it is, and what it gets most wrong.

    Raises:
        UserError: there is no run, its data cannot be had, or ``out`` cannot be written to.
    """
    trained = Trained.load(folder)
    about = trained.about
    try:
        data = load_prepared(about["data"], **about["steps"], **about.get("folder", {}))
        data = data.for_choosing() if about["validate"] else data
        place = find_device(device)
        with in_one_line(place, BATCH):
            result = evaluate(trained.network.to(place), data.test, stats=trained.stats, batch_size=BATCH)
    except (ValueError, DataError, TrainingError) as error:
        raise UserError(str(error)) from error
    table = Table(title=f"{about['network']} on {len(data.test):,} test images")
    table.add_column("class")
    for heading in ("images", "precision", "recall", "F1"):
        table.add_column(heading, justify="right")
    rows = [
        {"class": name, "images": one.num_images, "precision": one.precision, "recall": one.recall, "f1": one.f1}
        for name, one in zip(trained.classes, result.per_class(), strict=False)
    ]
    for row in rows:
        table.add_row(
            row["class"], f"{row['images']:,}", *(f"{row[name]:.1%}" for name in ("precision", "recall", "f1"))
        )
    console.print(table)
    error = result.calibration().ece
    say = f"accuracy {result.accuracy:.2%}, loss {result.loss:.4f}, expected calibration error {error:.2%}"
    console.print(say, highlight=False)
    if out:
        _write_report(out, rows, result, data, trained.classes)
        console.print(f"wrote per_class.csv and figures into {out}", markup=False, highlight=False, soft_wrap=True)


def export_command(console: Console, folder: Path, file: Path) -> None:
    """Write a trained network to ``file``, run it there on images of noise, and compare.

    Raises:
        UserError: there is no run, no such form, or the exported network gives other numbers.
    """
    if file.suffix not in EXPORTERS:
        raise UserError(f"FILE must end in {' or '.join(EXPORTERS)}, got {file}")
    trained = Trained.load(folder)
    noise = torch.randint(0, 256, (4, *trained.about["image_shape"]), generator=torch.Generator().manual_seed(0))
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        worst = EXPORTERS[file.suffix](FromPixels(trained.network, trained.stats), noise.float(), file)
        facts = {name: trained.about[name] for name in ("network", "classes", "image_shape", "steps")}
        file.with_suffix(".json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    except (ValueError, TrainingError) as error:
        raise UserError(str(error)) from error
    except OSError as error:
        raise UserError(f"{file} cannot be written ({error.strerror})") from error
    console.print(
        f"wrote {file}: pixels from 0 to 255 in, probabilities out, equal to torch's within {worst:.1g}",
        markup=False, highlight=False, soft_wrap=True,
    )  # fmt: skip


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        found = sorted(file for file in path.rglob("*") if file.suffix.lower() in SUFFIXES and file.is_file())
        if not found:
            raise UserError(f"{path} holds no image")
        return found
    if not path.exists():
        raise UserError(f"{path} does not exist")
    return [path]


def _guesses(classes: Sequence[str], row: Tensor, best: Sequence[int]) -> dict[str, Any]:
    named = [place for place in best if place < len(classes)]  # a network may have more outputs than classes
    return {
        key: value
        for number, place in enumerate(named, start=1)
        for key, value in ((f"class_{number}", classes[place]), (f"probability_{number}", row[place].item()))
    }


def _write_table(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", newline="", encoding="utf-8") as file:
            table = csv.DictWriter(file, list(rows[0]))
            table.writeheader()
            table.writerows(rows)
    except OSError as error:
        raise UserError(f"{path} cannot be written ({error.strerror})") from error


def _write_report(
    out: Path, rows: Sequence[dict[str, Any]], result: Evaluation, data: ImageData, classes: Sequence[str]
) -> None:
    from course_lib.figures.training import most_wrong_panels, plot_confusion, plot_reliability

    _write_table(out / "per_class.csv", rows)
    figures = {"confusion": plot_confusion(result.confusion[: len(classes), : len(classes)], classes)}
    figures["reliability"] = plot_reliability(result.calibration())
    if len(result.most_wrong(1)):
        figures["most_wrong"] = most_wrong_panels(data.test, result, classes)
    for name, figure in figures.items():
        figure.savefig(out / f"{name}.png", dpi=150, bbox_inches="tight")
