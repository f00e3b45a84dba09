"""The commands that use a trained network: ``course predict``, ``course evaluate`` and ``course export``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

Run = Annotated[Path, typer.Argument(metavar="MODEL", help="A folder of course train, such as _build/train/NAME.")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:NUMBER or mps.")]


def add_trained_commands(app: typer.Typer, console: Console) -> None:
    """Give the ``course`` command its subcommands about trained networks."""
    app.command()(_predict(console))
    app.command("evaluate")(_evaluate(console))
    app.command()(_export(console))


def _predict(console: Console):
    def predict(
        model: Run,
        images: Annotated[list[Path], typer.Argument(help="Files, or folders of them.")],
        invert: Annotated[bool, typer.Option("--invert", help="Dark on light becomes light on dark.")] = False,
        csv: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a table.")] = None,
        device: Device = "auto",
    ) -> None:
        """Say what a trained network sees in images."""
        from course_suite.using import predict_command

        if not predict_command(console, model, images, device=device, invert=invert, csv_file=csv):
            raise typer.Exit(1)

    return predict


def _evaluate(console: Console):
    def evaluate(
        model: Run,
        out: Annotated[Path | None, typer.Option(help="Folder for a table by class and figures.")] = None,
        device: Device = "auto",
    ) -> None:
        """Test a trained network class by class, with its calibration and the images it gets most wrong."""
        from course_suite.using import evaluate_command

        evaluate_command(console, model, device=device, out=out)

    return evaluate


def _export(console: Console):
    def export(
        model: Run,
        file: Annotated[Path, typer.Argument(metavar="FILE", help="Ends in .onnx, or in .pt2 for torch.export.")],
    ) -> None:
        """Write a trained network for other programs, and check the file on the same images."""
        from course_suite.using import export_command

        export_command(console, model, file)

    return export
