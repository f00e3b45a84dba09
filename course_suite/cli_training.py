"""The command ``course train``."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console

DATA, STEP, RECIPE, MACHINE, FILES = (
    {"rich_help_panel": title}
    for title in ("Data", "Optimisation", "Beyond the plain loop", "Machine", "Files and logs")
)


class Log(StrEnum):
    """A form of log."""

    csv = "csv"
    tensorboard = "tensorboard"


def add_training_commands(app: typer.Typer, console: Console) -> None:
    """Give the ``course`` command its subcommand ``train``."""
    app.command()(_train(console))


def _train(console: Console):
    def train(
        model: Annotated[str, typer.Argument(help="A network, such as lenet5; course analyze lists them.")],
        parameter: Annotated[
            list[str] | None,
            typer.Option("--parameter", "-p", metavar="NAME VALUE", help="Of the network's builder. Repeatable."),
        ] = None,
        seeds: Annotated[int, typer.Option(min=1, help="How many runs, from different first weights.")] = 1,
        first_seed: Annotated[int, typer.Option(min=0, help="The first seed; the others follow.")] = 0,
        resume: Annotated[bool, typer.Option("--resume", help="Go on with a run that was stopped.")] = False,
        data: Annotated[
            str, typer.Option(help="digits, mnist, fashion_mnist, cifar10 or folder:PATH.", **DATA)
        ] = "digits",
        resize: Annotated[
            int | None, typer.Option(min=1, help="Scale images to so many pixels a side.", **DATA)
        ] = None,
        pad: Annotated[
            int | None, typer.Option(min=1, help="Set images into a field of so many pixels.", **DATA)
        ] = None,
        take: Annotated[int | None, typer.Option(min=1, help="Use only so many training images.", **DATA)] = None,
        pixels: Annotated[
            Literal["lecun1998", "unit", "imagenet"] | None, typer.Option(help="A fixed scale of the pixels.", **DATA)
        ] = None,
        validate: Annotated[
            bool, typer.Option("--validate", help="Test on a tenth of the training images: to choose by.", **DATA)
        ] = False,
        hold_out: Annotated[
            float | None,
            typer.Option(help="Share of the training images for early stopping. Default: 0.1 with --patience.", **DATA),
        ] = None,
        labels: Annotated[
            Path | None, typer.Option(metavar="FILE.csv", help="Of folder:PATH, in a table.", **DATA)
        ] = None,
        image_fit: Annotated[
            Literal["crop", "stretch", "pad"] | None,
            typer.Option("--fit", help="Of folder:PATH, with --resize.", **DATA),
        ] = None,
        channels: Annotated[
            int | None, typer.Option(help="Of folder:PATH: 1 or 3. Default: as the images are.", **DATA)
        ] = None,
        skip_bad: Annotated[
            bool, typer.Option("--skip-bad", help="Of folder:PATH: leave out files that cannot be used.", **DATA)
        ] = False,
        crop: Annotated[int, typer.Option(min=0, help="Shift training images by up to so many pixels.", **DATA)] = 0,
        flip: Annotated[bool, typer.Option("--flip", help="Mirror half of the training images.", **DATA)] = False,
        title: Annotated[str | None, typer.Option(help="What the record calls the data.", **DATA)] = None,
        epochs: Annotated[int, typer.Option(min=1, help="Passes over the training images.", **STEP)] = 10,
        batch_size: Annotated[int, typer.Option(min=1, help="Images per step, over all processes.", **STEP)] = 64,
        lr: Annotated[float, typer.Option(help="Learning rate at the schedule's peak.", **STEP)] = 0.05,
        optimizer: Annotated[
            Literal["sgd", "adam", "adamw", "sdlm"], typer.Option(help="sdlm is LeNet-5's, of 1998.", **STEP)
        ] = "sgd",
        momentum: Annotated[float, typer.Option(help="For sgd.", **STEP)] = 0.9,
        schedule: Annotated[
            Literal["one-cycle", "step", "cosine", "constant", "lecun1998"],
            typer.Option(help="How the learning rate goes.", **STEP),
        ] = "one-cycle",
        weight_decay: Annotated[float, typer.Option(help="Of weights; biases and norms have none.", **STEP)] = 0.0,
        label_smoothing: Annotated[
            float, typer.Option(help="Share of the target spread over all classes.", **STEP)
        ] = 0.0,
        criterion: Annotated[
            Literal["cross-entropy", "map", "mse"], typer.Option(help="map and mse are for lenet5_1998.", **STEP)
        ] = "cross-entropy",
        curvature: Annotated[
            Literal["cross-entropy", "map", "mse"] | None,
            typer.Option(help="For sdlm: the criterion whose curvature sets the rates.", **STEP),
        ] = None,
        patience: Annotated[
            int | None, typer.Option(min=1, help="Stop after so many epochs without a better one.", **RECIPE)
        ] = None,
        clip_norm: Annotated[float | None, typer.Option(help="Largest norm of a step's gradients.", **RECIPE)] = None,
        parts: Annotated[int, typer.Option(min=1, help="Parts a batch goes through in, to save memory.", **RECIPE)] = 1,
        ema: Annotated[
            float | None, typer.Option(help="What an average of the weights keeps a step, such as 0.999.", **RECIPE)
        ] = None,
        mix: Annotated[
            Literal["mixup", "cutmix"] | None, typer.Option(help="Mix each image with another one.", **RECIPE)
        ] = None,
        mix_alpha: Annotated[float, typer.Option(help="Of the Beta distribution of the shares.", **RECIPE)] = 1.0,
        class_weights: Annotated[
            Literal["balanced"] | None, typer.Option(help="Rare classes count more in the loss.", **RECIPE)
        ] = None,
        test_once: Annotated[
            bool, typer.Option("--test-once", help="Test after the last epoch alone.", **RECIPE)
        ] = False,
        device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:NUMBER or mps.", **MACHINE)] = "auto",
        precision: Annotated[
            Literal["fp32", "bf16"], typer.Option(help="bf16 for bfloat16 autocast.", **MACHINE)
        ] = "fp32",
        channels_last: Annotated[
            bool, typer.Option("--channels-last", help="Channels last in memory.", **MACHINE)
        ] = False,
        compile_model: Annotated[
            bool, typer.Option("--compile", help="Run the network through torch.compile.", **MACHINE)
        ] = False,
        deterministic: Annotated[
            bool, typer.Option("--deterministic/--no-deterministic", help="The same bits each time.", **MACHINE)
        ] = True,
        name: Annotated[str | None, typer.Option(help="The record's name. Default: MODEL_DATA.", **FILES)] = None,
        work: Annotated[
            Path | None, typer.Option(help="Folder for checkpoints. Default: train in _build.", **FILES)
        ] = None,
        out: Annotated[
            Path | None, typer.Option(help="Folder for the record. Default: records in _build.", **FILES)
        ] = None,
        log: Annotated[
            list[Log] | None,
            typer.Option(help="Write a log beside the checkpoints. Repeatable.", **FILES),
        ] = None,
    ) -> None:
        """Train a network from several seeds and write a record. Under torchrun, all processes share each batch."""
        from course_suite.parameters import parse_value, split_pairs
        from course_suite.project import build_folder
        from course_suite.training_plan import Plan, held_out
        from course_suite.training_runs import Place, train_command

        settings = {
            "epochs": epochs, "batch_size": batch_size, "lr": lr, "optimizer": optimizer, "momentum": momentum,
            "schedule": schedule, "weight_decay": weight_decay, "label_smoothing": label_smoothing,
            "criterion": criterion, "crop": crop, "flip": flip, "precision": precision, "channels_last": channels_last,
            "test_once": test_once, "deterministic": deterministic, "compile_model": compile_model,
            "clip_norm": clip_norm, "parts": parts, "ema": ema, "mix": mix, "mix_alpha": mix_alpha,
            "class_weights": class_weights, "patience": patience, "curvature": curvature,
        }  # fmt: skip
        folder = {"labels": labels, "fit": image_fit, "channels": channels, "skip_bad": skip_bad}
        options = {key: parse_value(value) for key, value in split_pairs(parameter or [])}
        plan = Plan(
            model, data, tuple(range(first_seed, first_seed + seeds)), settings, options, resize, pad, take, title,
            pixels, validate, {key: value for key, value in folder.items() if value}, held_out(hold_out, patience),
        )  # fmt: skip
        place = Place(
            device,
            work or build_folder() / "train",
            out or build_folder() / "records",
            resume,
            tuple(kind.value for kind in log or ()),
        )
        train_command(console, plan, name or f"{model}_{data.partition(':')[0]}".lower(), place)

    return train
