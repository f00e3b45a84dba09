"""The copy of a chapter that papermill runs and the site renders: the source's own cells, and nothing turned."""

from __future__ import annotations

import nbformat
from nbformat import NotebookNode

from course_suite.chapters import Chapter
from course_suite.costs import cost_text, read_costs
from course_suite.project import Project
from course_suite.reader.notebook import KERNEL, LANGUAGE


def run_copy(project: Project, chapter: Chapter) -> NotebookNode:
    """The source as a notebook without outputs, with the cost after its title."""
    cells = [nbformat.from_dict(cell) for cell in chapter.notebook.cells]
    cost = nbformat.v4.new_markdown_cell(cost_text(read_costs(project).get(chapter.stem)), id="cost")
    title_at = next(i for i, cell in enumerate(cells) if cell.cell_type == "markdown")
    cells[title_at + 1 : title_at + 1] = [cost]
    for cell in cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    notebook = nbformat.v4.new_notebook(cells=cells)
    about = {**chapter.options, "source": f"notebooks/{chapter.source.name}"}
    notebook.metadata = nbformat.from_dict({"kernelspec": KERNEL, "language_info": LANGUAGE, "course": about})
    return notebook
