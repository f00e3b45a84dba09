"""What the text of one chapter is turned into a notebook with."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from course_suite.chapters import Chapter
from course_suite.reader.places import Book, Counters, Place


@dataclass
class Context:
    """One chapter on its way into a notebook.

    Attributes:
        values: the values that the recorded run glued, by name.
        cited: the works cited so far, in order.
        counters: the numbers given so far.
    """

    book: Book
    chapter: Chapter
    values: dict[str, str]
    cited: dict[str, None] = field(default_factory=dict)
    counters: Counters = field(init=False)

    def __post_init__(self):
        self.counters = Counters(self.chapter.number)

    @property
    def page(self) -> str:
        """The chapter's page."""
        return f"notebooks/{self.chapter.stem}"

    def anchor(self, place: Place) -> str:
        """The anchor of a place in this notebook.

        JupyterLab finds a heading by its words wherever it stands, and other anchors only where they are on the screen.
        """
        if place.kind == "section" and re.fullmatch(r"[\w .,:?'’-]+", place.title):
            return f"{place.number}. {place.title}".removeprefix(". ").replace(" ", "-")
        return place.anchor

    @property
    def bibliography(self) -> Path:
        """The file of works."""
        return self.book.project.root / "book" / "references.bib"
