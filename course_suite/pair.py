"""From ``NN_name.md`` to ``NN_name.ipynb``, in this direction only.

The notebook holds the source's cells, an install cell before them, the chapter's cost after its title, and the outputs
of the cells that nbval checks. Nothing else is stored, and nothing flows back.
"""

from __future__ import annotations

import json
from typing import Any

import nbformat
from nbformat import NotebookNode

from course_suite.chapters import Chapter, is_check
from course_suite.costs import cost_text, read_costs
from course_suite.errors import UserError
from course_suite.files import digest, write_if_changed
from course_suite.merge import join_streams
from course_suite.project import Project, Settings

INSTALL = '''\
# In Colab and other places without the course: install its library (torch stays as it is).
import importlib.util

if importlib.util.find_spec("course_lib") is None:
    %pip install --quiet "cnn-recomputed @ git+{repository}@{branch}"'''

LANGUAGE = {
    "codemirror_mode": {"name": "ipython", "version": 3},
    "file_extension": ".py",
    "mimetype": "text/x-python",
    "name": "python",
    "nbconvert_exporter": "python",
    "pygments_lexer": "ipython3",
    "version": "3",
}


def install_cell(settings: Settings) -> NotebookNode:
    """The cell that makes a chapter run where the course is not installed: at the book's own revision."""
    source = INSTALL.format(repository=settings.repository, branch=settings.branch)
    return nbformat.v4.new_code_cell(source, id="install", metadata={"tags": ["remove-cell"]})


def outputs_digest(notebook: NotebookNode) -> str:
    """A hash of all stored outputs, kept in the notebook: a hand's change shows without running anything."""
    return digest([[cell.id, cell.execution_count, cell.outputs] for cell in notebook.cells if is_check(cell)])


def generate(project: Project, chapter: Chapter, outputs: dict[str, NotebookNode] | None = None) -> NotebookNode:
    """The notebook that belongs to a chapter's source.

    Args:
        outputs: executed cells by id; checked cells take their outputs from here. None stands for the outputs that
            the committed notebook holds.
    """
    source = chapter.notebook
    cells = [nbformat.from_dict(cell) for cell in source.cells]
    cost = nbformat.v4.new_markdown_cell(cost_text(read_costs(project).get(chapter.stem)), id="cost")
    title_at = next(i for i, cell in enumerate(cells) if cell.cell_type == "markdown")
    cells[title_at + 1 : title_at + 1] = [cost]
    notebook = nbformat.v4.new_notebook(cells=[install_cell(project.settings), *cells])
    notebook.metadata = nbformat.from_dict(
        {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": LANGUAGE,
            "course": {**chapter.options, "source": f"notebooks/{chapter.source.name}"},
        }
    )
    stored = stored_outputs(chapter) if outputs is None else outputs
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
            if is_check(cell) and cell.id in stored:
                cell.outputs = [portable(output) for output in join_streams(stored[cell.id].outputs)]
                cell.execution_count = stored[cell.id].execution_count
    notebook.metadata.course["outputs_sha256"] = outputs_digest(notebook)
    return notebook


def portable(output: NotebookNode) -> NotebookNode:
    """An output without the number of its execution: that is stored once, in the cell."""
    copy = nbformat.from_dict(output)
    if "execution_count" in copy:
        copy.execution_count = None
    return copy


def stored_outputs(chapter: Chapter) -> dict[str, NotebookNode]:
    """The code cells of the committed notebook by id; none when there is no notebook yet."""
    return executed_cells(read_pair(chapter)) if chapter.pair.is_file() else {}


def executed_cells(notebook: NotebookNode) -> dict[str, NotebookNode]:
    """The code cells of a notebook by id."""
    return {cell.id: cell for cell in notebook.cells if cell.cell_type == "code"}


def read_pair(chapter: Chapter) -> NotebookNode:
    """The committed notebook.

    Raises:
        UserError: it is not a notebook.
    """
    try:
        return nbformat.read(chapter.pair, as_version=4)
    except (json.JSONDecodeError, nbformat.reader.NotJSONError, nbformat.ValidationError, OSError) as error:
        raise UserError(
            f"notebooks/{chapter.pair.name} cannot be read ({_first_line(error)}); run: course pair"
        ) from None


def text_of(notebook: NotebookNode) -> str:
    """The notebook as its file holds it."""
    return nbformat.writes(notebook, version=4) + "\n"


def write_pair(project: Project, chapter: Chapter, outputs: dict[str, NotebookNode] | None = None) -> bool:
    """Bring the committed notebook in step with its source. Returns whether it changed."""
    return write_if_changed(chapter.pair, text_of(generate(project, chapter, outputs)))


def differences(project: Project, chapter: Chapter) -> list[str]:
    """What is wrong with the committed notebook, one line each; none when it is in step."""
    name = f"notebooks/{chapter.pair.name}"
    if not chapter.pair.is_file():
        return [f"{name} does not exist; run: course pair"]
    stored = read_pair(chapter)
    problems = [f"{name}: {problem}" for problem in vacuous(stored)]
    if stored.metadata.get("course", {}).get("outputs_sha256") != outputs_digest(stored):
        problems.append(f"{name}: a stored output was changed by hand; run: course pair --record {chapter.stem}")
    elif not problems and chapter.pair.read_text(encoding="utf-8") != text_of(generate(project, chapter)):
        problems.append(f"{name} is out of step with {chapter.source.name}; run: course pair")
    return problems


def vacuous(notebook: NotebookNode) -> list[str]:
    """Checked cells that would check nothing, and outputs where none belong."""
    checks = [cell for cell in notebook.cells if is_check(cell)]
    problems = [] if checks else ["no cell is tagged nbval-check-output, so nothing is checked"]
    problems += [
        f"check cell {_quote(c)} has no stored output; run: course pair --record" for c in checks if not c.outputs
    ]
    problems += [
        f"check cell {_quote(c)} has no execution count; run: course pair --record"
        for c in checks
        if c.outputs and c.execution_count is None
    ]
    strangers = [c for c in notebook.cells if c.cell_type == "code" and c.outputs and not is_check(c)]
    return problems + [f"cell {_quote(c)} holds an output but is not a check cell; run: course pair" for c in strangers]


def _quote(cell: Any) -> str:
    return repr(cell.source.splitlines()[0][:60])


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0][:120]
