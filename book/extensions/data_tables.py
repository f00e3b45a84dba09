"""Measured figures in pages: `@TABLE speed.memory@` stands for the table of that name, made when the page is read.

The first word names one of the modules below, the second an entry of its `TABLES`; further words are handed on to it.
What a module's `figures` reads from the staged source is what its tables are made from.
"""

from __future__ import annotations

import re
from pathlib import Path

import matplotlib as mpl
import tables_of_results
import tables_of_speed
import tables_of_training
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

from course_lib.figures.style import STYLE

MODULES = {"results": tables_of_results, "speed": tables_of_speed, "training": tables_of_training}


def table_of(name: str, words: str, source: Path) -> str:
    """The Markdown of one table, or the HTML of a picture.

    Raises:
        ExtensionError: there is no such table; the message lists all.
    """
    page, _, table = name.partition(".")
    if table not in getattr(MODULES.get(page), "TABLES", {}):
        known = [f"{word}.{key}" for word, module in MODULES.items() for key in module.TABLES]
        raise ExtensionError(f"no table is called {name!r}; there are: {', '.join(known)}")
    with mpl.rc_context(STYLE):
        return MODULES[page].TABLES[table](*MODULES[page].figures(source), *([words] if words else []))


def insert_tables(app: Sphinx, _docname: str, source: list[str]) -> None:
    """Write the tables into a page that asks for them."""

    def made(match: re.Match[str]) -> str:
        return table_of(match[1], match[2].strip(), Path(app.srcdir))

    source[0] = re.sub(r"@TABLE ([\w.]+)((?: \w+)*)@", made, source[0])


def setup(app: Sphinx) -> dict:
    app.connect("source-read", insert_tables)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
