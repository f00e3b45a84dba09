"""``course analyze``: what a network costs, as a table, as JSON or as CSV, alone or beside another one."""

from __future__ import annotations

import json
from pathlib import Path

from rich.console import Console

from course_lib.complexity import Complexity, analyze
from course_lib.figures.architecture import draw
from course_suite import analysis_data
from course_suite.analysis_tables import print_analysis, print_comparison
from course_suite.errors import UserError
from course_suite.subjects import Subject, find_subject


def analyze_command(
    console: Console,
    name: str,
    *,
    input_text: str | None = None,
    output_format: str = "table",
    compare: str | None = None,
    draw_file: Path | None = None,
    training: bool = False,
) -> None:
    """Analyze ``name``, print what it costs in ``output_format``, and draw it if asked for.

    Raises:
        UserError: there is no such network, it cannot take the input, or the drawing cannot be written.
    """
    if compare is not None and draw_file is not None:
        raise UserError("--draw draws one network: leave out --compare")
    if compare == name:
        raise UserError(f"--compare must name another network than {name}")
    subjects = [find_subject(text, input_text) for text in ([name] if compare is None else [name, compare])]
    pairs = [(subject, _analyzed(subject, training)) for subject in subjects]
    if draw_file is not None:
        _draw(subjects[0], draw_file)
    if output_format == "json":
        documents = [analysis_data.document(*pair) for pair in pairs]
        print(json.dumps({"networks": documents} if compare else documents[0], indent=1))
    elif output_format == "csv":
        rows = analysis_data.comparison(pairs) if compare else analysis_data.csv_rows(pairs[0][1])
        print(analysis_data.to_csv(rows), end="")
    elif compare:
        print_comparison(console, pairs)
    else:
        print_analysis(console, *pairs[0])


def _analyzed(subject: Subject, training: bool) -> Complexity:
    try:
        return analyze(subject.model, subject.input_shapes, training=training)
    except ValueError as error:
        raise UserError(f"{subject.name}: {error}") from error


def _draw(subject: Subject, path: Path) -> None:
    shape = subject.input_shapes[0] if len(subject.input_shapes) == 1 else subject.input_shapes
    try:
        try:
            svg = draw(subject.model, shape, title=subject.name)
        except ValueError:  # such as auxiliary heads, which need a larger image
            svg = draw(subject.model, shape, title=subject.name, training=False)
        path.write_text(svg, encoding="utf-8")
    except (ValueError, OSError) as error:
        raise UserError(f"cannot draw {subject.name} into {path}: {error}") from error
