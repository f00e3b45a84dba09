"""Predict, then see: `{predict} NAME` asks before an experiment, `{revealed}` marks where its answer ends.

    :::{predict} pr-lenet-table
    :options: better | worse | the same

    Will the network with the full table be better, worse, or the same?
    :::

The script `live/predict.js` folds what stands between the two until the reader has answered. Which option came out is
computed by the chapter, `reveal("pr-lenet-table", ...)`, and travels with the box; a box with options and without it is
an error. `{predictions}` lists the boxes of all pages.
"""

from __future__ import annotations

import re
from base64 import b64encode
from html import escape
from typing import ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from glued import glued
from live import stand_on
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

LOGGER = logging.getLogger(__name__)


class predict_box(nodes.Admonition, nodes.Element):  # noqa: N801 (docutils' own style)
    """A prediction: its name, its options, and the mark behind it, if there is one."""


class prediction_list(nodes.General, nodes.Element):  # noqa: N801
    """The place of the list of all predictions."""


class Predict(SphinxDirective):
    """The question, and its options where there are any, separated by `|`."""

    required_arguments = 1
    has_content = True
    option_spec: ClassVar = {"options": directives.unchanged_required}

    def run(self) -> list[nodes.Node]:
        name, page = self.arguments[0], self.env.docname
        boxes = all_boxes(self.env)
        if any(box["name"] == name for box in boxes):
            raise self.error(f"two predictions are called {name!r}")
        chapter = re.search(r"(?:^|/)(\d+)_[^/]*$", page)
        count = 1 + sum(box["page"] == page for box in boxes)
        number = f"{int(chapter.group(1))}.{count}" if chapter else str(count)
        options = [words.strip() for words in self.options.get("options", "").split("|") if words.strip()]
        box = predict_box(name=name, options=options, classes=["admonition", "question", "predict"], ids=[name])
        box += nodes.title("", f"Prediction {number}")
        self.state.nested_parse(self.content, self.content_offset, box)
        if options:
            listed = nodes.bullet_list(classes=["predict-options"])
            listed.extend(nodes.list_item("", nodes.paragraph("", words)) for words in options)
            box += listed
        self.set_source_info(box)
        question = " ".join(" ".join(self.content).split())
        boxes.append({"name": name, "page": page, "number": number, "question": plain(question)})
        return [box]


class Revealed(SphinxDirective):
    """The end of what answers the prediction before it: an empty mark."""

    def run(self) -> list[nodes.Node]:
        return [nodes.container(classes=["revealed"])]


class Predictions(SphinxDirective):
    """The list of all predictions."""

    def run(self) -> list[nodes.Node]:
        return [prediction_list()]


def plain(text: str) -> str:
    """A question without roles and marks, for the list."""
    text = re.sub(r"\{[\w:]+\}`([^`<]*?)\s*(?:<[^`]*>)?`", r"\1", text)
    return re.sub(r"[*`$]", "", text)


def all_boxes(env: BuildEnvironment) -> list[dict[str, str]]:
    """The boxes of all pages read so far."""
    if not hasattr(env, "course_predictions"):
        env.course_predictions = []
    return env.course_predictions


def forget(_app: Sphinx, env: BuildEnvironment, page: str) -> None:
    """A page is read again."""
    env.course_predictions = [box for box in all_boxes(env) if box["page"] != page]


def merge(_app: Sphinx, env: BuildEnvironment, pages: list[str], other: BuildEnvironment) -> None:
    """Pages were read by another process."""
    env.course_predictions = [box for box in all_boxes(env) if box["page"] not in pages]
    env.course_predictions += [box for box in all_boxes(other) if box["page"] in pages]


def give_outcomes(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Put what came out into each box, and the boxes of all pages into their list."""
    texts = glued(app.env, page)
    for box in doctree.findall(predict_box):
        outcome = texts.get(box["name"], "")
        if box["options"] and outcome not in box["options"]:
            words = f"it reveals {outcome!r}" if outcome else "the chapter never calls reveal for it"
            LOGGER.warning("the prediction %s has options, and %s", box["name"], words, location=box)
        box["outcome"] = b64encode(outcome.encode()).decode()
    order = app.env.toctree_includes.get(app.config.root_doc, [])
    place = {name: number for number, name in enumerate(order)}
    for spot in list(doctree.findall(prediction_list)):
        boxes = sorted(all_boxes(app.env), key=lambda box: (place.get(box["page"], len(order)), box["page"]))
        listed = nodes.bullet_list(classes=["prediction-list"])
        for box in boxes:
            target = app.builder.get_relative_uri(page, box["page"]) + f"#{box['name']}"
            link = nodes.reference("", f"Prediction {box['number']}", refuri=target, internal=True)
            words = nodes.inline("", f": {box['question']}")
            item = nodes.list_item("", nodes.paragraph("", "", link, words), classes=["prediction"])
            item["ids"] = [f"my-{box['name']}"]
            listed += item
        spot.replace_self(listed)


def open_box(translator: nodes.NodeVisitor, node: predict_box) -> None:
    kept = f'id="{escape(node["name"])}" data-outcome="{node.get("outcome", "")}"'
    translator.body.append(f'<div class="admonition question predict" {kept}>\n')


def close_box(translator: nodes.NodeVisitor, _node: predict_box) -> None:
    translator.body.append("</div>\n")


def enter(translator: nodes.NodeVisitor, node: predict_box) -> None:
    translator.visit_admonition(node)


def leave(translator: nodes.NodeVisitor, node: predict_box) -> None:
    translator.depart_admonition(node)


def load_script(app: Sphinx, page: str, _template: str, context: dict, doctree: nodes.document | None) -> None:
    """The script, on pages with boxes and on that of the list."""
    if doctree and next(doctree.findall(lambda node: isinstance(node, predict_box)), None):
        stand_on(context, "predict")
    elif page == app.config.course_predictions_page:
        stand_on(context, "predict", "my_predictions")


def setup(app: Sphinx) -> dict:
    app.add_config_value("course_predictions_page", "book/my_predictions", "html")
    app.add_node(predict_box, html=(open_box, close_box), latex=(enter, leave), text=(enter, leave))
    app.add_node(prediction_list)
    app.add_directive("predict", Predict)
    app.add_directive("revealed", Revealed)
    app.add_directive("predictions", Predictions)
    app.connect("env-purge-doc", forget)
    app.connect("env-merge-info", merge)
    app.connect("doctree-resolved", give_outcomes)
    app.connect("html-page-context", load_script)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
