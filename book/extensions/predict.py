"""`{predict}`: a box that asks for a prediction before an experiment; `{revealed}` marks where its answer ends.

The box's argument is its name; a chapter's `reveal(name, outcome)` says what came out.
"""

from __future__ import annotations

from typing import ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective


class Predict(SphinxDirective):
    """The question, and its options where there are any, separated by `|`."""

    required_arguments = 1
    has_content = True
    option_spec: ClassVar = {"options": directives.unchanged_required}

    def run(self) -> list[nodes.Node]:
        box = nodes.admonition(classes=["question", "predict"], ids=[self.arguments[0]])
        box += nodes.title("", "Predict first")
        self.state.nested_parse(self.content, self.content_offset, box)
        options = [words.strip() for words in self.options.get("options", "").split("|") if words.strip()]
        if options:
            listed = nodes.bullet_list(classes=["predict-options"])
            listed.extend(nodes.list_item("", nodes.paragraph("", words)) for words in options)
            box += listed
        self.set_source_info(box)
        return [box]


class Revealed(SphinxDirective):
    """The end of what answers the prediction before it: an empty mark."""

    def run(self) -> list[nodes.Node]:
        return [nodes.container(classes=["revealed"])]


def setup(app: Sphinx) -> dict:
    app.add_directive("predict", Predict)
    app.add_directive("revealed", Revealed)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
