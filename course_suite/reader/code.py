"""Code cells in the form of a notebook: set-up is marked and folded, figures get their captions."""

from __future__ import annotations

import ast

import nbformat
from nbformat import NotebookNode

from course_suite.chapters import CHECK_TAG, PARAMETERS_TAG, tags
from course_suite.reader.context import Context
from course_suite.reader.places import figure_of
from course_suite.reader.roles import inline
from course_suite.reader.text import anchor

KEYS_TAG, FOLDED_TAG, INSTALL_ID = "exercise-keys", "hide-input", "install"
KEPT_TAGS = (CHECK_TAG, PARAMETERS_TAG)  # what nbval and papermill read
INSTALL_TITLE = "Set-up: the course's library"
TITLE = "# @title "  # Colab shows the words behind it in the place of a folded cell


def code_cell(cell: NotebookNode, context: Context) -> NotebookNode:
    """A code cell without outputs; a cell that the page folds is folded in Colab, JupyterLab and VS Code as well."""
    title, folded = _title(cell, context)
    copy = nbformat.v4.new_code_cell(f"{TITLE}{title}\n{cell.source}" if title else cell.source, id=cell.id)
    kept = [tag for tag in tags(cell) if tag in KEPT_TAGS]
    if kept:
        copy.metadata["tags"] = kept
    if folded:
        copy.metadata |= {"cellView": "form", "jupyter": {"source_hidden": True}}
    return copy


def is_install(source: str) -> bool:
    """Whether a code is that of the cell which installs the library: no run of a chapter has it."""
    return source.startswith(TITLE + INSTALL_TITLE)


def untitled(source: str) -> str:
    """The code of a cell without the line that :func:`code_cell` put before it."""
    return source.partition("\n")[2] if source.startswith(TITLE) else source


def _title(cell: NotebookNode, context: Context) -> tuple[str, bool]:
    """What a cell that is not part of the text is called, and whether it is folded."""
    if cell.id == INSTALL_ID:
        return INSTALL_TITLE, True
    if KEYS_TAG in tags(cell):
        return "Keys of the exercises", True
    if PARAMETERS_TAG in tags(cell):
        return "Set-up: parameters. Change them, and run what follows again.", False
    if not {FOLDED_TAG, "hide-cell", "remove-cell", "remove-input"} & set(tags(cell)):
        return "", False
    figure = figure_of(cell)
    if figure:
        return f"Set-up: draws Figure {context.counters.coming('figure')}", True
    return f"Set-up: {'imports' if _only_imports(cell.source) else 'numbers and helpers for the text'}", True


def _only_imports(source: str) -> bool:
    """Whether a cell imports, and at most calls something by its name, as in ``use_style()``."""
    try:
        body = ast.parse(source).body
    except SyntaxError:  # a magic command
        return False
    kinds = (ast.Import, ast.ImportFrom, ast.Expr)
    return all(isinstance(node, kinds) for node in body) and any(isinstance(node, kinds[:2]) for node in body)


def caption(cell: NotebookNode, context: Context) -> str:
    """What stands under a figure: its number and caption, and in words what is seen; empty for other cells."""
    figure = figure_of(cell)
    if not figure:
        return ""
    number, name = context.counters.next("figure"), figure.get("name", "")
    where = context.book.address(context.page, context.book.place(name).anchor if name else "")
    line = (
        f"{anchor(name, context)}**[Figure {number}.]({where})** {inline(' '.join(figure['caption'].split()), context)}"
    )
    words = " ".join(figure["alt"].split())
    seen = f"<details>\n<summary>Figure {number} in words</summary>\n\n{words}\n\n</details>" if words else ""
    return f"{line}\n\n{seen}".strip()
