"""Pieces of the ledger's pages: signs, figures, links, tables. Not an extension by itself: `ledger.py` uses it."""

from __future__ import annotations

from docutils import nodes

from course_suite.ledger import Entry, Part
from course_suite.ledger.review import compare_figure
from course_suite.ledger.text import SIGNS, figure_text, stated_text

Content = list[nodes.Node]


def class_of(verdict: str | None) -> str:
    """The class of the style sheet that belongs to a verdict."""
    return f"ledger-{(verdict or 'nothing').replace(' ', '-')}"


def text(words: str, *classes: str) -> nodes.Node:
    """Words, with classes of the style sheet."""
    return nodes.inline("", words, classes=list(classes)) if classes else nodes.Text(words)


def sign(verdict: str | None) -> nodes.Node:
    """The sign of a verdict, as it stands between a printed and a computed number; none where nothing is printed."""
    return text(SIGNS[verdict], "ledger-sign") if verdict else text("")


def badge(verdict: str | None) -> nodes.inline:
    """A verdict as sign and word."""
    words = text(f" {verdict or 'not reviewed'}")
    return nodes.inline("", "", sign(verdict), words, classes=["ledger-badge", class_of(verdict)])


def parts_of(entry: Entry) -> list[Part]:
    """The parts of a figure with what the last review found for each."""
    if entry.compute is None:
        return [Part(part, None, entry.verdict) for part in entry.stated_parts]
    parts = compare_figure(entry, entry.found)
    return [part._replace(verdict="ambiguous") for part in parts] if entry.verdict == "ambiguous" else parts


def printed(parts: list[Part]) -> Content:
    """What is printed, its parts with slashes between them."""
    return [text(" / ".join("not printed" if part.stated is None else stated_text(part.stated) for part in parts))]


def computed(parts: list[Part]) -> Content:
    """What was computed, behind the signs that compare it with what is printed: one sign where all are the same."""
    if all(part.found is None for part in parts):
        return [text("–", "ledger-quiet")]
    if len({part.verdict for part in parts}) == 1:
        return [_signed(parts[0].verdict, " / ".join(figure_text(part.found) for part in parts))]
    pieces = [_signed(None if part.found is None else part.verdict, figure_text(part.found)) for part in parts]
    return [node for piece in pieces for node in (text(" / "), piece)][1:]


def _signed(verdict: str | None, words: str) -> nodes.inline:
    return nodes.inline(
        "", "", sign(verdict), text(f"\u00a0{words}" if verdict else words), classes=[class_of(verdict)]
    )


def why(entry: Entry) -> str:
    """The reason, and the convention that gives the printed figure."""
    explained = entry.explained_by
    if explained is None:
        return " ".join(entry.reason.split())
    gives = explained.gives if isinstance(explained.gives, list) else [explained.gives]
    value = figure_text([part for part in gives if part is not None])
    convention = (explained.text or "another convention").rstrip(".")
    what = "What holds" if gives == [True] else f"What gives {value}"
    return " ".join(f"{entry.reason} {what}: {convention}.".split())


def section(title: str, *children: nodes.Node) -> nodes.section:
    """A part of a page under its own heading."""
    return nodes.section("", nodes.title("", title), *children, ids=[nodes.make_id(title)], names=[])


def table(head: list[str], rows: list[nodes.row], *classes: str) -> nodes.table:
    """A table whose first column names its rows."""
    columns = [nodes.colspec(colwidth=1, stub=int(number == 0)) for number in range(len(head))]
    group = nodes.tgroup("", *columns, cols=len(head))
    group += nodes.thead("", row([[text(name)] for name in head]))
    group += nodes.tbody("", *rows)
    return nodes.table("", group, classes=["ledger-table", "colwidths-auto", *classes])


def row(contents: list[Content], *classes: str, name: str = "") -> nodes.row:
    """A row; ``name`` is its anchor."""
    cells = [nodes.entry("", *([nodes.paragraph("", "", *content)] if content else [])) for content in contents]
    return nodes.row("", *cells, classes=list(classes), ids=[name] if name else [])
