"""The notebook behind a page's download button: the reader's form, with all outputs of the run that the page shows."""

from __future__ import annotations

import nbformat
from nbformat import NotebookNode

from course_suite.chapters import Chapter
from course_suite.reader.code import INSTALL_ID, untitled
from course_suite.reader.notebook import cells_digest, reader_notebook
from course_suite.reader.places import Book, figure_of
from course_suite.reader.recorded import MIME, recorded_from


def download_text(book: Book, chapter: Chapter, executed: bytes, revision: str) -> str:
    """The notebook as text.

    Args:
        executed: the executed copy that the page is rendered from.
        revision: what the notebook installs.
    """
    run = nbformat.reads(executed.decode(), as_version=4)
    notebook = reader_notebook(book, chapter, recorded_from(run), revision=revision)
    ran = iter([cell for cell in run.cells if cell.cell_type == "code"])
    for cell in notebook.cells:
        if cell.cell_type == "code" and cell.id != INSTALL_ID:
            source = next(source for source in ran if source.source == untitled(cell.source))
            cell.execution_count = source.execution_count
            cell.outputs = [shown for output in source.outputs if (shown := _shown(output, figure_of(source)))]
    notebook.metadata.course["cells_sha256"] = cells_digest(notebook)
    return nbformat.writes(notebook, version=4) + "\n"


def _shown(output: NotebookNode, figure: dict[str, str]) -> NotebookNode | None:
    """An output with its alt text, and without what only the page reads; None where nothing is left."""
    copy = nbformat.from_dict(output)
    data = copy.get("data", {})
    if MIME in data:
        del data[MIME]
        copy.metadata = nbformat.from_dict({})
        return copy if data else None
    for kind in data:
        if kind.startswith("image/") and figure.get("alt"):
            copy.metadata[kind] = {**copy.metadata.get(kind, {}), "alt": " ".join(figure["alt"].split())}
    return copy
