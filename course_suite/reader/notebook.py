"""The reader's notebook of a chapter: from its source and the recorded run, without running anything."""

from __future__ import annotations

from collections import Counter

import nbformat
from nbformat import NotebookNode

from course_suite.chapters import Chapter
from course_suite.costs import cost_text, read_costs
from course_suite.errors import UserError
from course_suite.files import digest
from course_suite.project import Project
from course_suite.reader.cells import markdown, reader_cells
from course_suite.reader.citations import works
from course_suite.reader.code import code_cell
from course_suite.reader.context import Context
from course_suite.reader.install import install_cell
from course_suite.reader.places import Book
from course_suite.reader.recorded import Recorded

LANGUAGE = {
    "codemirror_mode": {"name": "ipython", "version": 3},
    "file_extension": ".py",
    "mimetype": "text/x-python",
    "name": "python",
    "nbconvert_exporter": "python",
    "pygments_lexer": "ipython3",
    "version": "3",
}
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}

ABOUT = """\
<!-- Made from {source} by `course pair`: a change that you want to keep belongs there. -->

{cost}

*Numbers in the text are those of the recorded run, as on [the page of this chapter]({page}). A cell that you run
computes its own and shows them as* `name = value`."""


def reader_notebook(book: Book, chapter: Chapter, recorded: Recorded, *, revision: str | None = None) -> NotebookNode:
    """The notebook that a reader opens, with the outputs of the checked cells.

    Args:
        recorded: the run whose values and outputs it shows.
        revision: the tag or commit that it installs; by default that of the settings.

    Raises:
        UserError: something in the source has no form in a notebook, or the recorded run lacks a value.
    """
    project, context = book.project, Context(book, chapter, recorded.values)
    try:
        cells = list(reader_cells(chapter.notebook.cells, context))
    except UserError as error:
        raise UserError(f"notebooks/{chapter.source.name}: {error}") from None
    title_at = next(i for i, cell in enumerate(cells) if cell.cell_type == "markdown")
    install = code_cell(install_cell(project.settings, revision), context)
    cells[title_at + 1 : title_at + 1] = [_about(project, chapter, context), install]
    if context.cited:
        cells.append(markdown("**Works cited in this chapter**\n\n" + works(context.bibliography, [*context.cited])))
    _show(cells, recorded)
    _make_ids_unique(cells)
    notebook = nbformat.v4.new_notebook(cells=cells)
    about = {**chapter.options, "source": f"notebooks/{chapter.source.name}", "cells_sha256": cells_digest(notebook)}
    notebook.metadata = nbformat.from_dict({"kernelspec": KERNEL, "language_info": LANGUAGE, "course": about})
    return notebook


def cells_digest(notebook: NotebookNode) -> str:
    """A hash of all cells, kept in the notebook: whether somebody changed it shows without knowing its source."""
    return digest([[cell.cell_type, cell.source, cell.get("outputs", [])] for cell in notebook.cells])


def _about(project: Project, chapter: Chapter, context: Context) -> NotebookNode:
    """What stands under the title: the cost, and where the numbers come from."""
    cost = cost_text(read_costs(project).get(chapter.stem))
    source, page = f"notebooks/{chapter.source.name}", context.book.address(context.page)
    cell = markdown(ABOUT.format(source=source, cost=cost, page=page))
    cell.id = "about"
    return cell


def _show(cells: list[NotebookNode], recorded: Recorded) -> None:
    """Give the checked cells their outputs."""
    for cell in cells:
        if cell.cell_type == "code" and cell.id in recorded.outputs:
            stored = recorded.outputs[cell.id]
            cell.outputs = [nbformat.from_dict(output) for output in stored["outputs"]]
            cell.execution_count = stored["execution_count"]


def _make_ids_unique(cells: list[NotebookNode]) -> None:
    seen: Counter[str] = Counter()
    for cell in cells:
        seen[cell.id] += 1
        if seen[cell.id] > 1:
            cell.id = f"{cell.id}-{seen[cell.id]}"
