"""Exercises that answer on the page: a box under each one whose key is a number, a word, or a sequence of them.

The key is what the chapter's own `check` compared with in the recorded run; it stands in the page encoded, not to be
read at a glance. `live/answers.js` compares by the rule of `course_lib.exercises`.
"""

from __future__ import annotations

from docutils import nodes
from glued import glued
from live import stand_on
from sphinx.application import Sphinx
from sphinx_exercise.nodes import exercise_enumerable_node, exercise_node


class answer_box(nodes.General, nodes.Element):  # noqa: N801 (docutils' own style)
    """The place of a box; it is filled by the script."""


def give_keys(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Put a place for an answer at the end of each exercise that the run has a key for."""
    texts = glued(app.env, page)
    for kind in (exercise_enumerable_node, exercise_node):
        for exercise in doctree.findall(kind):
            key = texts.get(f"key-{exercise.get('label')}")
            if key:
                exercise += answer_box(name=exercise["label"], key=key)


def open_box(translator: nodes.NodeVisitor, node: answer_box) -> None:
    translator.body.append(f'<div class="answer-box" data-exercise="{node["name"]}" data-key="{node["key"]}"></div>\n')


def nothing(_translator: nodes.NodeVisitor, _node: answer_box) -> None:
    """In other forms of the book there is no box."""


def load_script(_app: Sphinx, _page: str, _template: str, context: dict, doctree: nodes.document | None) -> None:
    if doctree and next(iter(doctree.findall(answer_box)), None):
        stand_on(context, "answers")


def setup(app: Sphinx) -> dict:
    app.add_node(answer_box, html=(open_box, nothing), latex=(nothing, nothing), text=(nothing, nothing))
    app.connect("doctree-resolved", give_keys)
    app.connect("html-page-context", load_script)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
