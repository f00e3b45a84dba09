"""The blocks of a text in the form of a notebook: headings and equations with numbers, boxes as quotations."""

from __future__ import annotations

import re
from collections.abc import Callable

from docutils.nodes import make_id

from course_suite.errors import UserError
from course_suite.reader.context import Context
from course_suite.reader.markup import Block, blocks
from course_suite.reader.roles import inline


def anchor(name: str, context: Context) -> str:
    """The place that a link of this notebook leads to."""
    return f'<a id="{context.anchor(context.book.place(name))}"></a>' if name else ""


def convert(text: str, context: Context) -> str:
    """A text of the source as plain Jupyter Markdown."""
    return "\n\n".join(part for block in blocks(text) if (part := converted(block, context)))


def converted(block: Block, context: Context) -> str:
    """One block as plain Jupyter Markdown; empty for what a notebook does not show.

    Raises:
        UserError: it has no form in a notebook.
    """
    if block.kind == "directive":
        if block.name not in DIRECTIVES:
            known = ", ".join([*DIRECTIVES, "solution-start", "solution-end"])
            raise UserError(f"the directive {{{block.name}}} has no form in a notebook here; known: {known}")
        return DIRECTIVES[block.name](block, context)
    return BLOCKS[block.kind](block, context)


def _text(block: Block, context: Context) -> str:
    return inline(block.text, context)


def _heading(block: Block, context: Context) -> str:
    number = context.counters.heading(block.level)
    return "#" * block.level + " " + (f"{number}. " if number else "") + inline(block.text, context)


def _label(block: Block, context: Context) -> str:
    return anchor(block.name, context)


def _math(block: Block, context: Context) -> str:
    if not block.name:
        return f"$$\n{block.text}\n$$"
    number = context.counters.next("equation")
    return f"{anchor(block.name, context)}\n\n$$\n{block.text}\n\\tag{{{number}}}\n$$"


def _definitions(block: Block, context: Context) -> str:
    """A list of words and what they mean: each word bold in an item of its own."""
    items = re.split(r"\n(?=\S)(?!:)", "\n" + block.text.replace("\n\n", "\n"))
    listed = []
    for item in filter(None, (item.strip() for item in items)):
        word, *meaning = re.split(r"\n:\s+", item)
        told = " ".join(" ".join(part.split()) for part in meaning)
        listed.append(f"- **{inline(word, context)}**: {inline(told, context)}")
    return "\n".join(listed)


def quoted(title: str, content: str) -> str:
    """A box: a quotation with a bold title."""
    return "\n".join(f"> {line}".rstrip() for line in f"**{title}**\n\n{content}".splitlines())


def _admonition(block: Block, context: Context) -> str:
    return quoted(inline(block.argument, context), convert(block.text, context))


def _note(block: Block, context: Context) -> str:
    return quoted("Note", convert("\n".join(filter(None, (block.argument, block.text))), context))


def _predict(block: Block, context: Context) -> str:
    options = [words.strip() for words in block.options.get("options", "").split("|") if words.strip()]
    listed = "\n\n" + "\n".join(f"- {inline(words, context)}" for words in options) if options else ""
    title = f"Prediction {context.counters.next('prediction')}"
    return f'<a id="{make_id(block.argument)}"></a>\n\n' + quoted(title, convert(block.text, context) + listed)


def _exercise(block: Block, context: Context) -> str:
    number, subtitle = context.counters.next("exercise"), f" ({block.argument})" if block.argument else ""
    title = f"Exercise {number}{subtitle}"
    return f"{anchor(block.options.get('label', ''), context)}\n\n" + quoted(
        inline(title, context), convert(block.text, context)
    )


def _live(block: Block, context: Context) -> str:
    """The fallback, and where the piece itself is."""
    place = context.book.address(context.page, f"live-{block.argument}")
    return f"{convert(block.text, context)}\n\n*[On the page]({place}) this can be tried out by hand.*"


def _nothing(*_: object) -> str:
    return ""


BLOCKS: dict[str, Callable[[Block, Context], str]] = {
    "text": _text, "heading": _heading, "label": _label, "math": _math, "definitions": _definitions,
}  # fmt: skip
DIRECTIVES: dict[str, Callable[[Block, Context], str]] = {
    "admonition": _admonition, "note": _note, "predict": _predict, "revealed": _nothing, "exercise": _exercise,
    "live": _live,
}  # fmt: skip
