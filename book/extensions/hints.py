"""Show the glossary's first sentence at each word that is linked to it, on hover and on focus.

The sentence stands in the link's `data-hint`; `course.css` draws it. It is hidden from screen readers, which follow the
link; without styles the link is as it was.
"""

from __future__ import annotations

import re

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

GLOSSARY = "book/glossary"
SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z(])")


def hints(env: BuildEnvironment) -> dict[str, str]:
    """The first sentence of each word's explanation, by the anchor of the word."""
    if GLOSSARY not in env.found_docs:
        return {}
    if not hasattr(env, "course_hints"):
        env.course_hints = {}
        for item in env.get_doctree(GLOSSARY).findall(nodes.definition_list_item):
            text = item[-1].astext() if isinstance(item[-1], nodes.definition) else ""
            sentence = SENTENCE.split(" ".join(text.split()))[0]
            for term in item.findall(nodes.term):
                for anchor in term["ids"]:
                    env.course_hints[anchor] = sentence
    return env.course_hints


def give_hints(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Put the sentence at each link into the glossary."""
    if page == GLOSSARY:
        return
    for link in doctree.findall(nodes.reference):
        target, _, anchor = link.get("refuri", "").partition("#")
        if target.endswith("glossary.html") and anchor in hints(app.env):
            link["hint"] = hints(app.env)[anchor]
            link["classes"].append("has-hint")


def visit_reference(translator: nodes.NodeVisitor, node: nodes.reference) -> None:
    """The theme's own link, with the hint as an attribute."""
    start = len(translator.body)
    type(translator).visit_reference(translator, node)
    if node.get("hint"):
        translator.body[start] = translator.body[start].replace(
            "<a ", f'<a data-hint="{translator.attval(node["hint"])}" ', 1
        )


def forget(_app: Sphinx, env: BuildEnvironment, *_: object) -> None:
    """The glossary may have changed."""
    if hasattr(env, "course_hints"):
        del env.course_hints


def setup(app: Sphinx) -> dict:
    app.add_node(nodes.reference, override=True, html=(visit_reference, lambda t, n: type(t).depart_reference(t, n)))
    app.connect("env-updated", forget)
    app.connect("doctree-resolved", give_hints)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
