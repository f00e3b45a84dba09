"""The command ``course data``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console


def add_data_command(app: typer.Typer, console: Console) -> None:
    """Give the ``course`` command its subcommand about images of one's own."""

    @app.command("data")
    def show_data(
        path: Annotated[Path, typer.Argument(metavar="PATH", help="A folder of images, or a CSV file of labels.")],
        labels: Annotated[Path | None, typer.Option(metavar="FILE.csv", help="Labels in a table.")] = None,
        sheet: Annotated[Path | None, typer.Option(metavar="FILE.png", help="Draw some images of each class.")] = None,
    ) -> None:
        """Show what is in a folder of images: classes, sizes, copies across the split, bad files with their reasons."""
        from course_suite.data_report import data_command

        text = str(path)
        folder = Path(text.removeprefix("folder:")).expanduser()
        if not data_command(console, folder, labels=labels, sheet=sheet):
            raise typer.Exit(1)
