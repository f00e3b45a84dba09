"""The command ``course records``: list the recorded runs, check them, verify one, add one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

WORK = Path("_build/verify")


def add_record_commands(app: typer.Typer, console: Console) -> None:
    """Give the ``course`` command its subcommand ``records``."""
    records = typer.Typer(help="List, check and add what recorded training runs measured.")

    @records.callback(invoke_without_command=True)
    def show(
        context: typer.Context,
        check: Annotated[bool, typer.Option("--check", help="The same as course records check.")] = False,
        verify: Annotated[str | None, typer.Option(metavar="NAME", help="The same as course records verify.")] = None,
    ) -> None:
        """List what recorded training runs measured."""
        if context.invoked_subcommand is None and verify:
            _verify(console, verify, None, "auto", WORK)
        if context.invoked_subcommand is None and check:
            _check(console)
        elif context.invoked_subcommand is None:
            from course_suite.recording import print_records

            print_records(console)

    @records.command()
    def check() -> None:
        """Refuse a record that no longer fits what the code builds."""
        _check(console)

    @records.command("verify")
    def verify_again(
        name: Annotated[str, typer.Argument(help="A record; course records lists them.")],
        seeds: Annotated[int | None, typer.Option(min=1, help="Only so many of its seeds.")] = None,
        device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
        work: Annotated[Path, typer.Option(help="Folder for checkpoints and the new record.")] = WORK,
    ) -> None:
        """Train a record again, and compare with the recorded spread; a run that was stopped goes on."""
        _verify(console, name, seeds, device, work)

    @records.command()
    def add(
        file: Annotated[Path, typer.Argument(help="The record that course train wrote.")],
        what: Annotated[str, typer.Option(help="What the run shows, where the plan does not hold it yet.")] = "",
        chapter: Annotated[str, typer.Option(help="Label of the chapter that it belongs to, such as ch-vgg.")] = "",
    ) -> None:
        """Check a record, move it among the others, plan it, and fill in the entries of the ledger that show it."""
        from course_suite.recording import sets_at_hand
        from course_suite.records.adding import add_record

        for path in add_record(file, sets_at_hand(), what, chapter):
            console.print(f"wrote {path.name}", highlight=False)

    app.add_typer(records, name="records")


def _verify(console: Console, name: str, seeds: int | None, device: str, work: Path) -> None:
    from course_suite.verifying import verify_record

    raise typer.Exit(0 if verify_record(console, name, seeds, device, work) else 1)


def _check(console: Console) -> None:
    from course_suite.recording import check_records

    problems = check_records()
    for problem in problems:
        console.print(problem, markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(1 if problems else 0)
