"""The command ``course diff``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console


def add_diff_command(app: typer.Typer, console: Console) -> None:
    """Give the ``course`` command its subcommand ``diff``."""

    @app.command()
    def diff(
        before: Annotated[Path, typer.Argument(help="A checkout after make book, or a built site.")],
        after: Annotated[Path, typer.Argument(help="Another one.")],
        page: Annotated[Path | None, typer.Option(help="Write the differences to this file as a web page.")] = None,
    ) -> None:
        """Compare two versions of the book number by number: glued values, figures, recorded runs."""
        from course_suite.differing import differences, lines_of, page_of, read_book
        from course_suite.files import write_atomically

        found = differences(read_book(before), read_book(after))
        for line in lines_of(found):
            console.print(line, markup=False, highlight=False, soft_wrap=True)
        if page is not None:
            write_atomically(page, page_of(found, str(before), str(after)))
