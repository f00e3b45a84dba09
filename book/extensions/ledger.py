"""The ledger's pages, and a role for chapters: {ledger}`ID` shows a printed figure and its verdict, with a link.

Directives: `ledger-verdicts`, `ledger-sources`, `ledger-figures`, and `ledger-paper` with a file of entries.
"""

from __future__ import annotations

import re

import ledger_tables
from docutils import nodes
from ledger_nodes import badge, section, text
from ledger_paper import paper
from ledger_places import PAGE, link, resolve
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective, SphinxRole

from course_suite.ledger import ENTRIES, Entry, EntryError, entries
from course_suite.ledger.text import told_text


class Figure(SphinxRole):
    """A printed figure with its verdict."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        try:
            entry = entries()[self.text]
        except EntryError as error:
            message = self.inliner.reporter.error(str(error), line=self.lineno)
            return [self.inliner.problematic(self.rawtext, self.rawtext, message)], [message]
        words = nodes.inline("", "", text(told_text(entry)), badge(entry.verdict), classes=["ledger-role"])
        return [link("row", entry.id, words)], []


class Verdicts(SphinxDirective):
    """The counts by verdict."""

    def run(self) -> list[nodes.Node]:
        return [ledger_tables.verdicts(entries())]


class Sources(SphinxDirective):
    """The pages of the sources that the book has, the oldest first, with their counts."""

    def run(self) -> list[nodes.Node]:
        files = sorted(ENTRIES.glob("*.yaml"), key=lambda path: (year_of(path.stem), path.stem))
        pages = {f"{PAGE}/{path.stem}": list(entries(path.stem)) for path in files}
        return [ledger_tables.sources({page: found for page, found in pages.items() if page in self.env.found_docs})]


class Figures(SphinxDirective):
    """Every figure."""

    def run(self) -> list[nodes.Node]:
        return [ledger_tables.all_figures(entries(), anchors=True)]


class Paper(SphinxDirective):
    """The counts of one file of entries, its tables rebuilt, and its figures that stand in no table."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        try:
            found = list(entries(self.arguments[0]))
        except EntryError as error:
            raise self.error(str(error)) from error
        groups: dict[str, list[Entry]] = {}
        for entry in found:
            groups.setdefault(entry.source, []).append(entry)
        if len(groups) == 1:
            return [ledger_tables.legend(found), *paper(found)]
        return [ledger_tables.legend(found)] + [
            section(name.replace("-", " ").capitalize(), *paper(group)) for name, group in groups.items()
        ]


def year_of(source: str) -> int:
    """The year in a key of the bibliography; the articles come last."""
    year = re.search(r"\d{4}", source)
    return int(year[0]) if year else 9999


def load_script(app: Sphinx, page: str, _template: str, _context: dict, _doctree: nodes.document | None) -> None:
    """The script that searches, on the page that has something to search."""
    if page == PAGE:
        app.add_js_file("ledger.js")


def setup(app: Sphinx) -> dict:
    app.add_css_file("ledger.css")
    app.connect("html-page-context", load_script)
    app.add_role("ledger", Figure())
    for directive in (Verdicts, Sources, Figures, Paper):
        app.add_directive(f"ledger-{directive.__name__.lower()}", directive)
    app.connect("missing-reference", resolve)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
