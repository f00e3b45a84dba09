"""The command ``course ledger``: show the printed figures, add one, fill in what was computed, check all of them."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console

from course_suite.errors import UserError


class Format(StrEnum):
    """How entries are printed."""

    table = "table"
    json = "json"
    csv = "csv"


Model = Annotated[str | None, typer.Option(help="Only models whose name contains this.")]
Source = Annotated[str | None, typer.Option(help="Only sources whose key contains this, such as lecun1998.")]
Verdict = Annotated[str | None, typer.Option(help="Only this verdict, such as differs.")]
Sources = Annotated[list[str] | None, typer.Argument(help="Files of entries, such as lecun1998gradient. Default: all.")]


def add_ledger_commands(app: typer.Typer, console: Console) -> None:
    """Give the ``course`` command its subcommand ``ledger``."""
    ledger = typer.Typer(help="Show, add and check the figures that papers print, beside what was computed.")

    @ledger.callback(invoke_without_command=True)
    def show(
        context: typer.Context,
        model: Model = None,
        source: Source = None,
        verdict: Verdict = None,
        output_format: Annotated[Format, typer.Option("--format", help="How to print it.")] = "table",
        check: Annotated[bool, typer.Option("--check", help="The same as course ledger check.")] = False,
    ) -> None:
        """Show the figures that papers print, beside what was computed, with the verdicts."""
        if context.invoked_subcommand is None:
            from course_suite.ledgering import ledger_command

            choice = {"model": model, "source": source, "verdict": verdict, "output_format": output_format}
            _leave(ledger_command(console, **choice, check=check))

    @ledger.command()
    def check(model: Model = None, source: Source = None, verdict: Verdict = None) -> None:
        """Compute all again; fail on a difference from what is recorded."""
        from course_suite.ledgering import ledger_command

        _leave(ledger_command(console, model=model, source=source, verdict=verdict, check=True))

    @ledger.command()
    def fill(
        sources: Sources = None,
        only: Annotated[str, typer.Option(metavar="TEXT", help="Entries whose id contains this.")] = "",
    ) -> None:
        """Compute entries, and write what was found and the verdict into their files."""
        from course_suite.ledgering import fill_command

        _leave(fill_command(console, sources or [], only))

    @ledger.command()
    def new(
        source: Annotated[str, typer.Argument(help="The key of the bibliography, such as lecun1998gradient.")],
        name: Annotated[str, typer.Argument(metavar="ID", help="Of the entry, such as lenet-5-c3-connections.")],
        model: Annotated[str, typer.Option(help="The network, or the subject.")],
        quantity: Annotated[str, typer.Option(help="What the figure counts.")],
        stated: Annotated[str, typer.Option(help="The figure as it is printed, in YAML: 60000, 60M, [1, 2].")],
        location: Annotated[str, typer.Option(help="Where it is printed, such as Table I.")],
        chapter: Annotated[str, typer.Option(help="Label of the chapter that treats it, such as ch-lenet5.")],
        unit: Annotated[str, typer.Option(help="Of the figure as printed.")] = "",
        compute: Annotated[str, typer.Option(help="In YAML: '{function: params, model: lenet5}'.")] = "",
        rule: Annotated[str, typer.Option(help="exact, rounded, spread or qualitative.")] = "",
        reason: Annotated[str, typer.Option(help="Why it differs, where it does.")] = "",
    ) -> None:
        """Add an entry to the ledger, compute it, and fill in what was found."""
        import yaml

        from course_suite.ledger import ENTRIES
        from course_suite.ledger.draft import add_entry
        from course_suite.ledgering import fill_command
        from course_suite.project import find_project

        try:
            values = {key: yaml.safe_load(text) for key, text in (("stated", stated), ("compute", compute))}
        except yaml.YAMLError as error:
            raise UserError(f"--stated and --compute are YAML: {' '.join(str(error).split())}") from error
        fields = {
            "id": name, "model": model, "quantity": quantity, "stated": values["stated"], "unit": unit,
            "source": source, "location": location, "compute": values["compute"], "rule": rule,
            "verdict": None if values["compute"] else "not attempted", "reason": reason, "chapter": chapter,
        }  # fmt: skip
        project = find_project()
        for path in add_entry(project, ENTRIES, source, fields):
            console.print(f"wrote {path.relative_to(project.root)}", highlight=False, soft_wrap=True)
        _leave(fill_command(console, ["articles" if source.startswith("article-") else source], name))

    app.add_typer(ledger, name="ledger")


def _leave(ok: bool) -> None:
    if not ok:
        raise typer.Exit(1)
