"""The command ``course train``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console


def add_training_commands(app: typer.Typer, console: Console) -> None:
    """Give the ``course`` command its subcommand ``train``."""
    app.command()(_train(console))


def _train(console: Console):
    def train(
        model: Annotated[str, typer.Argument(help="A network, such as lenet5; course analyze lists them.")],
        data: Annotated[str, typer.Option(help="digits, mnist, fashion_mnist, cifar10 or folder:PATH.")] = "digits",
        epochs: Annotated[int, typer.Option(min=1, help="Passes over the training images.")] = 10,
        seeds: Annotated[int, typer.Option(min=1, help="How many runs, from different first weights.")] = 1,
        first_seed: Annotated[int, typer.Option(min=0, help="The first seed; the others follow.")] = 0,
        device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
        resume: Annotated[bool, typer.Option("--resume", help="Go on with a run that was stopped.")] = False,
        batch_size: Annotated[int, typer.Option(help="Images per step, over all processes.")] = 64,
        lr: Annotated[float, typer.Option(help="Learning rate at the schedule's peak.")] = 0.05,
        optimizer: Annotated[str, typer.Option(help="sgd, adam, adamw; sdlm as in 1998.")] = "sgd",
        momentum: Annotated[float, typer.Option(help="For sgd.")] = 0.9,
        schedule: Annotated[str, typer.Option(help="one-cycle, step, cosine, constant, lecun1998.")] = "one-cycle",
        weight_decay: Annotated[float, typer.Option(help="Of weights; biases and norms have none.")] = 0.0,
        label_smoothing: Annotated[float, typer.Option(help="Share of the target spread over all classes.")] = 0.0,
        criterion: Annotated[str, typer.Option(help="cross-entropy; map or mse for lenet5_1998.")] = "cross-entropy",
        curvature: Annotated[
            str | None, typer.Option(help="For sdlm: the criterion whose curvature sets the rates.")
        ] = None,
        crop: Annotated[int, typer.Option(min=0, help="Shift training images by up to so many pixels.")] = 0,
        flip: Annotated[bool, typer.Option("--flip", help="Mirror half of the training images.")] = False,
        resize: Annotated[int | None, typer.Option(min=1, help="Scale images to so many pixels a side.")] = None,
        pad: Annotated[int | None, typer.Option(min=1, help="Set images into a field of so many pixels.")] = None,
        take: Annotated[int | None, typer.Option(min=1, help="Use only so many training images.")] = None,
        pixels: Annotated[str | None, typer.Option(help="A fixed scale: lecun1998, unit or imagenet.")] = None,
        validate: Annotated[
            bool, typer.Option("--validate", help="Test on a tenth of the training images: to choose by.")
        ] = False,
        labels: Annotated[Path | None, typer.Option(metavar="FILE.csv", help="Of folder:PATH, in a table.")] = None,
        image_fit: Annotated[
            str | None, typer.Option("--fit", help="Of folder:PATH, with --resize: crop, stretch or pad.")
        ] = None,
        channels: Annotated[
            int | None, typer.Option(help="Of folder:PATH: 1 or 3. Default: as the images are.")
        ] = None,
        skip_bad: Annotated[
            bool, typer.Option("--skip-bad", help="Of folder:PATH: leave out files that cannot be used.")
        ] = False,
        precision: Annotated[str, typer.Option(help="fp32, or bf16 for bfloat16 autocast.")] = "fp32",
        channels_last: Annotated[bool, typer.Option("--channels-last", help="Channels last in memory.")] = False,
        test_once: Annotated[bool, typer.Option("--test-once", help="Test after the last epoch alone.")] = False,
        parameter: Annotated[
            list[str] | None,
            typer.Option("--parameter", "-p", metavar="NAME VALUE", help="Of the network's builder. Repeatable."),
        ] = None,
        title: Annotated[str | None, typer.Option(help="What the record calls the data.")] = None,
        name: Annotated[str | None, typer.Option(help="The record's name. Default: MODEL_DATA.")] = None,
        work: Annotated[Path, typer.Option(help="Folder for checkpoints.")] = Path("_build/train"),
        out: Annotated[Path, typer.Option(help="Folder for the record.")] = Path("_build/records"),
    ) -> None:
        """Train a network from several seeds and write a record. Under torchrun, all processes share each batch."""
        from course_suite.parameters import parse_value, split_pairs
        from course_suite.training_plan import CRITERIA, Plan
        from course_suite.training_runs import train_command

        if criterion not in CRITERIA:
            raise typer.BadParameter(f"criterion must be one of {', '.join(CRITERIA)}, got {criterion!r}")
        if curvature is not None and curvature not in CRITERIA:
            raise typer.BadParameter(f"curvature must be one of {', '.join(CRITERIA)}, got {curvature!r}")
        settings = {
            "epochs": epochs, "batch_size": batch_size, "lr": lr, "optimizer": optimizer, "momentum": momentum,
            "schedule": schedule, "weight_decay": weight_decay, "label_smoothing": label_smoothing,
            "criterion": criterion, "crop": crop, "flip": flip, "precision": precision, "channels_last": channels_last,
            "test_once": test_once, "curvature": curvature,
        }  # fmt: skip
        folder = {"labels": labels, "fit": image_fit, "channels": channels, "skip_bad": skip_bad}
        options = {key: parse_value(value) for key, value in split_pairs(parameter or [])}
        plan = Plan(
            model, data, tuple(range(first_seed, first_seed + seeds)), settings, options, resize, pad, take, title,
            pixels, validate, {key: value for key, value in folder.items() if value},
        )  # fmt: skip
        default = f"{model}_{data.partition(':')[0]}".lower()
        train_command(console, plan, name or default, device=device, resume=resume, work=work, out=out)

    return train
