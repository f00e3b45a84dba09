"""Where the links of the ledger lead: to a row, a source, a chapter, a page. `ledger.py` uses it."""

from __future__ import annotations

import re
from typing import NamedTuple

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.nodes import make_refnode

PAGE = "book/ledger"


class Place(NamedTuple):
    """A page, the anchor on it, and the words of the link; no words leave those that stand there."""

    docname: str
    anchor: str
    words: str = ""


def row_place(_env: BuildEnvironment, name: str) -> Place:
    """The row of an entry in the table of all figures."""
    return Place(PAGE, f"figure-{name}")


def page_place(env: BuildEnvironment, page: str) -> Place:
    """A page, under its title."""
    return Place(page, "", env.titles[page].astext() if page in env.titles else page)


def source_place(env: BuildEnvironment, key: str) -> Place | None:
    """A source in the bibliography, under authors and year; the articles have a page of their own."""
    if key.startswith("article-"):
        return Place(f"{PAGE}/articles", "", key.replace("-", " "))
    for citation in env.get_domain("cite").citations:
        if citation.key == key:
            names = [" ".join(person.last_names) for person in citation.entry.persons.get("author", [])]
            who = " and ".join(names) if len(names) < 3 else f"{names[0]} et al."
            return Place(
                citation.bibliography_key.docname, citation.citation_id, f"{who} {citation.entry.fields['year']}"
            )
    return None


def chapter_place(env: BuildEnvironment, label: str) -> Place | None:
    """The beginning of a chapter, under its number; None while it is not written."""
    docname, anchor, _ = env.get_domain("std").labels.get(label, ("", "", ""))
    number = re.search(r"/(\d+)_", docname)
    return Place(docname, anchor, f"chapter {int(number[1])}" if number else label) if docname else None


PLACES = {"row": row_place, "page": page_place, "source": source_place, "chapter": chapter_place}


def link(kind: str, target: str, *words: nodes.Node) -> pending_xref:
    """A link that is resolved when all pages were read; ``kind`` is one of ``PLACES``."""
    return pending_xref("", nodes.inline("", "", *words), refdomain="", reftype=f"ledger-{kind}", reftarget=target)


def resolve(app: Sphinx, env: BuildEnvironment, node: pending_xref, contnode: nodes.Element) -> nodes.Element | None:
    """Make a link of the ledger; what has no place is plain text, and other links are left to others."""
    library, _, kind = node["reftype"].partition("-")
    if library != "ledger":
        return None
    place = PLACES[kind](env, node["reftarget"])
    if place is None or place.docname not in env.found_docs:
        return contnode
    content = nodes.inline("", place.words) if place.words else contnode
    return make_refnode(app.builder, node.get("refdoc", env.docname), place.docname, place.anchor, content)
