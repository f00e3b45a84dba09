"""The ``course`` command: each subcommand checks what it was given, then calls the module that does the work."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from course_lib import __version__
from course_suite.cli_data import add_data_command
from course_suite.cli_diff import add_diff_command
from course_suite.cli_ledger import add_ledger_commands
from course_suite.cli_records import add_record_commands
from course_suite.cli_trained import add_trained_commands
from course_suite.cli_training import add_training_commands
from course_suite.errors import UserError

app = typer.Typer(
    help="Run, check and build the course *Convolutional Networks, Recomputed*.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)
EXTRAS = {
    "onnx": "export", "onnxruntime": "export", "onnxscript": "export", "tensorboard": "logs",
}  # fmt: skip
console = Console(width=None if sys.stdout.isatty() else 110)


class Profile(StrEnum):
    """How much a chapter does."""

    quick = "quick"
    evening = "evening"
    full = "full"


class Device(StrEnum):
    """Where a chapter computes."""

    auto = "auto"
    cpu = "cpu"
    cuda = "cuda"


class Format(StrEnum):
    """How an analysis is printed."""

    table = "table"
    json = "json"
    csv = "csv"


Chapters = Annotated[list[str] | None, typer.Argument(help="Numbers or names, such as 9 or 09_lenet5. Default: all.")]
Jobs = Annotated[int, typer.Option("--jobs", "-j", min=1, help="Chapters executed at once, one thread each.")]
Timeout = Annotated[int, typer.Option(min=1, help="Seconds that one cell may take.")]
Force = Annotated[bool, typer.Option("--force", help="Do it again although nothing changed.")]


def _project():
    from course_suite.project import find_project

    return find_project()


@app.command("list")
def list_chapters() -> None:
    """List the chapters: title, cost of the last recorded run, data used."""
    from course_suite.listing import print_chapters

    print_chapters(_project(), console)


@app.command()
def run(
    chapters: Chapters = None,
    profile: Annotated[
        Profile,
        typer.Option(
            help="quick: small, for a CPU. evening: 30 to 120 minutes on a CPU, recorded. full: larger data, longer."
        ),
    ] = "quick",
    device: Annotated[Device, typer.Option(help="auto takes a GPU where there is one.")] = "auto",
    jobs: Jobs = 2,
    parameter: Annotated[
        list[str] | None,
        typer.Option("--parameter", "-p", metavar="NAME VALUE", help="Set a parameter of the chapters. Repeatable."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the copies. Default: _build/executed; with -p _build/runs.")
    ] = None,
    force: Force = False,
    timeout: Annotated[
        int | None, typer.Option(min=1, help="Seconds that one cell may take. Default: 600; other profiles 7200.")
    ] = None,
    json_file: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write a JSON report.")] = None,
    junit: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a JUnit report.")] = None,
) -> None:
    """Execute chapters with papermill. One whose code, parameters, library and environment are unchanged rests."""
    from course_suite import report
    from course_suite.parameters import split_pairs
    from course_suite.progress import Progress
    from course_suite.run import RunOptions, run_chapters

    project = _project()
    timeout = timeout or (600 if profile == Profile.quick else 7200)
    options = RunOptions(
        profile, device, jobs, split_pairs(parameter or []), out.resolve() if out else None, force, timeout
    )
    results = run_chapters(project, project.select(chapters or []), options, Progress(console))
    report.print_report(console, results, budgets=profile == Profile.quick)
    report.print_places(console, results)
    if profile == Profile.evening and not options.parameters:
        from course_suite.evening import record_evening

        for chapter, result in zip(project.select(chapters or []), results, strict=True):
            if result.ok and chapter.options.get("evening"):
                path = record_evening(chapter, Path(result.output))
                console.print(f"wrote {path.relative_to(project.root)}", highlight=False, soft_wrap=True)
    if json_file:
        report.write_json(json_file, results, profile)
    if junit:
        report.write_junit(junit, results)
    _exit(results)


@app.command()
def build(jobs: Jobs = 2, force: Force = False, timeout: Timeout = 600) -> None:
    """Run all chapters (quick profile), then render the book into _build/html."""
    from course_suite.build import render
    from course_suite.progress import Progress
    from course_suite.report import print_report
    from course_suite.run import RunOptions, run_chapters

    project = _project()
    options = RunOptions(jobs=jobs, force=force, timeout=timeout)
    results = run_chapters(project, project.chapters, options, Progress(console))
    rendered = all(result.ok for result in results) and render(project, console)
    print_report(console, results)
    _exit(results)
    if not rendered:
        raise typer.Exit(1)
    console.print(f"The book: {project.html / 'index.html'}", highlight=False, soft_wrap=True)


@app.command()
def serve(port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8000) -> None:
    """Show the rendered book on this machine."""
    from course_suite.serve import serve as serve_site

    serve_site(_project(), port, console)


@app.command()
def check(chapters: Chapters = None, jobs: Jobs = 2, timeout: Timeout = 600) -> None:
    """Check notebooks: pairs in step, nothing vacuous, and stored outputs are those of the run (nbval)."""
    from course_suite.check import check_outputs, pair_problems

    project = _project()
    selected = project.select(chapters or [])
    problems = pair_problems(project, selected)
    _print_problems(problems)
    if problems or not check_outputs(project, selected, jobs, timeout, console):
        raise typer.Exit(1)
    console.print(f"{len(selected)} notebooks: in step, and every checked output holds", highlight=False)


@app.command()
def pair(
    chapters: Chapters = None,
    check: Annotated[bool, typer.Option("--check", help="Change nothing; fail on a difference.")] = False,
    record: Annotated[
        bool, typer.Option("--record", help="Run the chapters; store what the run gave, and its cost.")
    ] = False,
) -> None:
    """Make each .ipynb from its .md and the recorded run, and the files that repeat pyproject.toml's settings."""
    from course_suite.pairing import pair_chapters, record_chapters, step_problems

    project = _project()
    selected = project.select(chapters or [])
    if check and record:
        raise UserError("--check changes nothing and --record changes notebooks: give one of them")
    if check:
        problems = step_problems(project, selected)
        _print_problems(problems)
        raise typer.Exit(1 if problems else 0)
    if record:
        results, problems = record_chapters(project, selected, console)
        _print_problems(problems)
        _exit(results)
        raise typer.Exit(1 if problems else 0)
    done, problems = pair_chapters(project, selected)
    for line in done:
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    _print_problems(problems)
    raise typer.Exit(1 if problems else 0)


@app.command()
def doctor() -> None:
    """Say whether everything is here: each line ok, a warning, or a problem with its remedy."""
    from course_suite.doctor import PROBLEM, findings

    found = findings(_project())
    for status, what, detail, remedy in found:
        text = f"{status:<8} {what}: {detail}" + (f" -> {remedy}" if remedy else "")
        console.print(text, markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(1 if any(finding.status == PROBLEM for finding in found) else 0)


@app.command()
def test(
    steps: Annotated[
        list[str] | None, typer.Argument(help="lint, pairs, unit, book, outputs, site. Default: all.")
    ] = None,
    force: Force = False,
) -> None:
    """Run every check of the project; a step rests while nothing that it depends on has changed."""
    from course_suite.testing import STEPS, run_steps

    unknown = [step for step in steps or [] if step not in STEPS]
    if unknown:
        raise UserError(f"{unknown[0]!r} is not a step; the steps are: {', '.join(STEPS)}")
    if not run_steps(_project(), steps or list(STEPS), force, console):
        raise typer.Exit(1)


@app.command("analyze")
def analyze_network(
    network: Annotated[str, typer.Argument(metavar="NETWORK", help="A name, torchvision:NAME, or module:factory.")],
    input_shape: Annotated[
        str | None, typer.Option("--input", metavar="3x224x224", help="Sizes of one input. Default: the network's own.")
    ] = None,
    output_format: Annotated[Format, typer.Option("--format", help="How to print it.")] = "table",
    compare: Annotated[str | None, typer.Option(metavar="NETWORK", help="Put another network beside it.")] = None,
    draw: Annotated[Path | None, typer.Option(metavar="FILE.svg", help="Draw the architecture.")] = None,
    training: Annotated[bool, typer.Option("--training", help="Count the pass of training mode.")] = False,
) -> None:
    """Count a network's parameters, multiply-adds and memory, layer by layer, without running it."""
    from course_suite.analyzing import analyze_command

    analyze_command(
        console,
        network,
        input_text=input_shape,
        output_format=output_format,
        compare=compare,
        draw_file=draw,
        training=training,
    )


@app.command()
def lock(upgrade: Annotated[bool, typer.Option("--upgrade", help="Take the newest allowed versions.")] = False) -> None:
    """Resolve requirements.lock again from pyproject.toml."""
    from course_suite.lock import renew_lock

    changed = renew_lock(_project(), upgrade)
    console.print(
        "requirements.lock " + ("has changed; run: make setup" if changed else "is as it was"), highlight=False
    )


@app.command()
def bench(names: Annotated[list[str] | None, typer.Argument(help="Benchmarks to run. Default: all.")] = None) -> None:
    """Measure the library beside other tools; the figures go to benchmarks/results and to the book's page on speed."""
    from course_suite.bench import run_benchmarks

    if not run_benchmarks(_project(), names or [], console):
        raise typer.Exit(1)


@app.command()
def picture() -> None:
    """Take the README's picture from the rendered book."""
    from course_suite.picture import take_picture

    path = take_picture(_project(), "notebooks/01_convolution_arithmetic", "a-window-slides-over-an-image")
    console.print(f"wrote {path}", highlight=False, soft_wrap=True)


@app.command()
def release() -> None:
    """Check that the course can be published: real addresses, and everything in step with pyproject.toml."""
    from course_suite.published import release_problems

    project = _project()
    problems = release_problems(project)
    _print_problems(problems)
    if not problems:
        tag = project.settings.revision
        console.print(f"nothing stands in the way: git tag {tag} && git push origin {tag}", highlight=False)
    raise typer.Exit(1 if problems else 0)


add_data_command(app, console)
add_training_commands(app, console)
add_trained_commands(app, console)
add_ledger_commands(app, console)
add_record_commands(app, console)
add_diff_command(app, console)


@app.callback(invoke_without_command=True)
def root(version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False) -> None:
    """Options that stand before a subcommand."""
    if version:
        print(__version__)
        raise typer.Exit()


def _print_problems(problems: list[str]) -> None:
    for problem in problems:
        console.print(problem, markup=False, highlight=False, soft_wrap=True)


def _exit(results: list) -> None:
    """Leave with 130 after an interrupt and 1 after a failure; go on when all is well."""
    if any(result.status == "stopped" for result in results):
        raise typer.Exit(130)
    if not all(result.ok for result in results):
        raise typer.Exit(1)


def main(arguments: list[str] | None = None) -> int:
    """Run the command. A user's mistake is one line on standard error and status 2, never a traceback."""
    from course_suite.parameters import join_pairs

    try:
        arguments = join_pairs(sys.argv[1:] if arguments is None else arguments)
        return app(args=arguments, prog_name="course", standalone_mode=False) or 0
    except UserError as error:
        return _mistake(str(error))
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] in {"course_lib", "course_suite"}:
            raise
        extra = EXTRAS.get((error.name or "").split(".")[0], "suite")
        return _mistake(f"{error.name} is missing; install the extra {extra}: pip install 'cnn-recomputed[{extra}]'")
    except KeyboardInterrupt:
        return 130
    except Exception as error:  # typer's own errors have no common base class across its versions
        if not hasattr(error, "format_message"):
            raise
        return _mistake(" ".join(error.format_message().split()))


def _mistake(text: str) -> int:
    print(f"course: {text}", file=sys.stderr)
    return 2
