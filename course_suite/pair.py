"""The committed ``NN_name.ipynb``: made from the source and the recorded run, in this direction only.

Nothing flows back. A notebook that somebody changed is moved out of the way before it is made anew, never lost.
"""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from course_suite.chapters import Chapter, is_check
from course_suite.files import write_if_changed
from course_suite.reader.notebook import cells_digest, reader_notebook
from course_suite.reader.places import Book
from course_suite.reader.recorded import code_digest, read_recorded


def text_of(notebook: NotebookNode) -> str:
    """The notebook as its file holds it."""
    return nbformat.writes(notebook, version=4) + "\n"


def stored_pair(chapter: Chapter) -> NotebookNode | None:
    """The committed notebook; None when there is none, or the file is not a notebook."""
    try:
        return nbformat.reads(chapter.pair.read_text(encoding="utf-8"), as_version=4)
    except (ValueError, AttributeError, OSError, nbformat.ValidationError):  # JSON errors are ValueErrors
        return None


def is_as_made(notebook: NotebookNode) -> bool:
    """Whether the cells are those that ``course pair`` wrote, of whatever version of the source."""
    return notebook.metadata.get("course", {}).get("cells_sha256") == cells_digest(notebook)


def write_pair(book: Book, chapter: Chapter) -> list[str]:
    """Bring the committed notebook in step with its source. Returns what was done, a line each.

    Raises:
        UserError: the source has no form in a notebook, or the recorded run lacks a value.
    """
    text, done, name = (
        text_of(reader_notebook(book, chapter, read_recorded(chapter))),
        [],
        f"notebooks/{chapter.pair.name}",
    )
    stored = stored_pair(chapter)
    if chapter.pair.is_file() and (stored is None or not is_as_made(stored)):
        mine = free_name(chapter.pair)
        chapter.pair.rename(mine)
        done.append(f"kept {name} as it was in notebooks/{mine.name}: it was changed by hand")
    if write_if_changed(chapter.pair, text):
        done.append(f"wrote {name}")
    return done


def free_name(pair: Path) -> Path:
    """Where a changed notebook goes: ``NN_name.mine.ipynb``, or with a number where that is taken."""
    names = itertools.chain([f"{pair.stem}.mine.ipynb"], (f"{pair.stem}.mine-{n}.ipynb" for n in itertools.count(2)))
    return next(path for path in map(pair.with_name, names) if not path.exists())


def is_own_copy(path: Path) -> bool:
    """Whether a notebook is one that :func:`free_name` named."""
    return ".mine" in path.stem


def differences(book: Book, chapter: Chapter) -> list[str]:
    """What is wrong with the committed notebook, one line each; none when it is in step."""
    name = f"notebooks/{chapter.pair.name}"
    if not chapter.pair.is_file():
        return [f"{name} does not exist; run: course pair"]
    recorded = read_recorded(chapter)
    if recorded.code != code_digest(chapter.notebook.cells):
        problem = f"notebooks/{chapter.source.name}: its code is not that of the recorded run"
        return [f"{problem}; run: course pair --record {chapter.number}"]
    stored = stored_pair(chapter)
    if stored is None:
        return [f"{name} is damaged; run: course pair (it keeps the damaged file under another name)"]
    if not is_as_made(stored):
        return [f"{name} was changed by hand; run: course pair (it keeps yours under another name)"]
    made = reader_notebook(book, chapter, recorded)
    problems = [f"{name}: {problem}; run: course pair --record {chapter.number}" for problem in vacuous(made)]
    if not problems and chapter.pair.read_text(encoding="utf-8") != text_of(made):
        problems.append(f"{name} is out of step with {chapter.source.name}; run: course pair")
    return problems


def vacuous(notebook: NotebookNode) -> list[str]:
    """Checked cells that would check nothing."""
    checks = [cell for cell in notebook.cells if is_check(cell)]
    problems = [] if checks else ["no cell is tagged nbval-check-output, so nothing is checked"]
    problems += [f"check cell {_quote(c)} has no stored output" for c in checks if not c.outputs]
    return problems + [
        f"check cell {_quote(c)} has no execution count" for c in checks if c.outputs and c.execution_count is None
    ]


def _quote(cell: Any) -> str:
    return repr(cell.source.splitlines()[0][:60])
