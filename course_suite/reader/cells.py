"""The cells of a chapter in their order: text turned, code kept, and each solution shut into one closed cell."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import nbformat
from nbformat import NotebookNode

from course_suite.errors import UserError
from course_suite.files import digest
from course_suite.reader.code import caption, code_cell
from course_suite.reader.context import Context
from course_suite.reader.markup import blocks, left_over
from course_suite.reader.places import figure_of
from course_suite.reader.text import converted


def reader_cells(cells: Iterable[NotebookNode], context: Context) -> Iterator[NotebookNode]:
    """The cells of the reader's notebook, without outputs.

    Raises:
        UserError: something has no form in a notebook, or a solution is not closed.
    """
    solution: list[str] | None = None  # the parts of the solution that is open
    for cell in cells:
        if cell.cell_type == "code":
            if solution is not None:
                if figure_of(cell):
                    raise UserError("a figure with a caption stands inside a solution, which shows none")
                solution.append(f"```python\n{cell.source}\n```")
                continue
            yield code_cell(cell, context)
            if words := caption(cell, context):
                yield markdown(words)
            continue
        parts: list[str] = []
        for block in blocks(cell.source) if cell.cell_type == "markdown" else ():
            if block.kind == "directive" and block.name == "solution-start":
                if solution is not None:
                    raise UserError("a solution begins inside another")
                place = context.book.place(block.argument)
                solution, before, parts = [f"<summary>Solution to {place.numbered}</summary>"], parts, []
                if before:
                    yield markdown("\n\n".join(before))
            elif block.kind == "directive" and block.name == "solution-end":
                if solution is None:
                    raise UserError("a solution ends that did not begin")
                solution, closed = None, [*solution, *parts]
                parts = []
                yield markdown("<details>\n" + "\n\n".join(closed) + "\n\n</details>")
            elif part := converted(block, context):
                parts.append(part)
        if parts and solution is not None:
            solution += parts
        elif parts:
            yield markdown("\n\n".join(parts))
    if solution is not None:
        raise UserError("a solution begins that does not end")


def markdown(text: str) -> NotebookNode:
    """A cell of text, with an id that does not change while the text does not.

    Raises:
        UserError: markup of the page builder is left in it.
    """
    if left := left_over(text):
        raise UserError(f"{left[0]!r} has no form in a notebook")
    return nbformat.v4.new_markdown_cell(text, id=digest(text)[:12])
