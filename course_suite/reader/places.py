"""What a reference can name: chapters, sections, figures, equations and exercises, with their numbers and anchors.

The numbers are counted here as Sphinx counts them, so that a notebook can be made without rendering the book; a test of
the built site holds the two together. A chapter's number is that of its file name.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from docutils.nodes import make_id
from nbformat import NotebookNode
from sphinx.util.nodes import _make_id

from course_suite.chapters import Chapter
from course_suite.errors import UserError
from course_suite.project import Project
from course_suite.reader.markup import Block, blocks

NUMBERED_DEPTH = 2  # of headings, as `numbered: 2` in _toc.yml: the chapter and its sections
PREFIX = {"figure": "Figure ", "section": "Section ", "exercise": "Exercise ", "equation": ""}


@dataclass(frozen=True)
class Place:
    """Where a reference leads.

    Attributes:
        page: such as ``notebooks/09_lenet5``.
        anchor: on the page; empty for its top.
        kind: ``section``, ``figure``, ``equation``, ``exercise`` or ``other``.
        number: such as ``9.2``; empty where there is none.
        title: the words of a heading or a caption.
    """

    page: str
    anchor: str
    kind: str
    number: str = ""
    title: str = ""

    @property
    def numbered(self) -> str:
        """Its kind and number, such as ``Figure 9.2``; an equation's number stands in brackets."""
        return f"({self.number})" if self.kind == "equation" else PREFIX[self.kind] + self.number


class Counters:
    """Numbers within one chapter, counted up in the order of the text."""

    def __init__(self, chapter: int):
        self.chapter = chapter
        self.counts: Counter[str] = Counter()

    def next(self, kind: str) -> str:
        """The next number of a kind."""
        self.counts[kind] += 1
        return f"{self.chapter}.{self.counts[kind]}"

    def coming(self, kind: str) -> str:
        """The number that the next of a kind will have."""
        return f"{self.chapter}.{self.counts[kind] + 1}"

    def heading(self, level: int) -> str:
        """The number of the next heading; empty below the depth to which headings are numbered."""
        if level > NUMBERED_DEPTH:
            return ""
        return str(self.chapter) if level == 1 else self.next("section")


def figure_of(cell: NotebookNode) -> dict[str, str]:
    """Caption, name and alt text of the figure that a code cell draws; empty when it draws none with a caption."""
    shown = cell.metadata.get("mystnb", {})
    figure = shown.get("figure", {})
    return {**figure, "alt": shown.get("image", {}).get("alt", "")} if figure.get("caption") else {}


class Book:
    """All places of the book, and the addresses of its pages."""

    def __init__(self, project: Project):
        self.project = project
        self.site = project.settings.site.rstrip("/")

    @cached_property
    def places(self) -> dict[str, Place]:
        """Every place that has a name, in chapters and on other pages."""
        found: dict[str, Place] = {}
        for chapter in self.project.chapters:
            found |= {name: place for name, place in places_of(chapter) if name}
        for page in self.project.pages:
            if not page.startswith("notebooks/"):
                found |= dict(_labelled_headings(page, self._text(page)))
        return found

    @cached_property
    def titles(self) -> dict[str, str]:
        """The title of each page."""
        titles = {f"notebooks/{chapter.stem}": chapter.title for chapter in self.project.chapters}
        for page in self.project.pages:
            if page not in titles:
                match = re.search(r"(?m)^# +(.+)$", self._text(page))
                titles[page] = match[1].strip() if match else page
        return titles

    @cached_property
    def terms(self) -> dict[str, str]:
        """The anchor of each word of the glossary, by the word in lower case."""
        text = self._text("book/glossary")
        match = re.search(r"(?ms)^`{3,}\{glossary\}[^\n]*\n(.*?)^`{3,}", text)
        words = re.findall(r"(?m)^(?![:\s])(.+)$", match[1]) if match else []
        return {word.strip().lower(): _make_id(f"term-{word.strip()}") for word in words}

    def _text(self, page: str) -> str:
        path = self.project.root / f"{page}.md"
        return path.read_text(encoding="utf-8") if path.is_file() else ""

    def place(self, name: str) -> Place:
        """The place with a name.

        Raises:
            UserError: nothing is called so.
        """
        if name not in self.places:
            raise UserError(f"nothing in the book is labelled {name!r}")
        return self.places[name]

    def page(self, name: str, where: str) -> str:
        """The page that a ``{doc}`` role on the page ``where`` names.

        Raises:
            UserError: there is no such page.
        """
        path = name.lstrip("/") if name.startswith("/") else (Path(where).parent / name).as_posix()
        if path not in self.titles:
            raise UserError(f"no page is called {name!r}")
        return path

    def address(self, page: str, anchor: str = "") -> str:
        """The published address of a place."""
        return f"{self.site}/{page}.html" + (f"#{anchor}" if anchor else "")


def places_of(chapter: Chapter) -> Iterator[tuple[str, Place]]:
    """The places of a chapter by their names, in the order of the text; those without a name have an empty one."""
    page, counters, label = f"notebooks/{chapter.stem}", Counters(chapter.number), ""
    for cell in chapter.notebook.cells:
        if cell.cell_type == "code":
            figure = figure_of(cell)
            if figure:
                name = figure.get("name", "")
                yield name, Place(page, make_id(name), "figure", counters.next("figure"), figure["caption"])
            continue
        for block in blocks(cell.source) if cell.cell_type == "markdown" else ():
            found = _place(page, counters, block, label)
            if found and found[1].kind != "exercise" and label and found[0] != label:
                yield label, Place(page, make_id(label), "other")
            if found:
                yield found
            label = block.name if block.kind == "label" else ""


def _place(page: str, counters: Counters, block: Block, label: str) -> tuple[str, Place] | None:
    """The place that a block is; ``label`` is the name in the line before it."""
    if block.kind == "heading":
        return label, Place(page, make_id(label), "section", counters.heading(block.level), block.text)
    if block.kind == "math" and block.name:
        return block.name, Place(page, f"equation-{make_id(block.name)}", "equation", counters.next("equation"))
    if block.kind == "directive" and block.name == "exercise":
        name = block.options.get("label", "")
        return name, Place(page, make_id(name), "exercise", counters.next("exercise"), block.argument)
    return (label, Place(page, make_id(label), "other")) if label else None


def _labelled_headings(page: str, text: str) -> Iterator[tuple[str, Place]]:
    for name, title in re.findall(r"(?m)^\(([\w:.-]+)\)=\n+#+ +(.+)$", text):
        yield name, Place(page, make_id(name), "section", "", title.strip())
