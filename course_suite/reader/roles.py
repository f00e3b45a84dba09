"""Roles in a line of text, each with the form that it takes in a notebook."""

from __future__ import annotations

import re
from collections.abc import Callable

from course_suite.errors import UserError
from course_suite.evening import evening_file, evening_value
from course_suite.ledger import EntryError, entries
from course_suite.ledger.text import told_text, verdict_text
from course_suite.reader.citations import cited
from course_suite.reader.context import Context
from course_suite.reader.places import Place

# At each place the first of: a role, a code span, mathematics, a link. Only roles and links change.
PIECE = re.compile(
    r"""\{(?P<role>[A-Za-z][\w:.+-]*)\}(?P<ticks>`+)(?!`)(?P<content>.+?)(?<!`)(?P=ticks)(?!`)
    |(?P<code>(?<!`)(?P<fence>`+)(?!`).+?(?<!`)(?P=fence)(?!`))
    |(?P<math>(?<!\\)\$\$.+?(?<!\\)\$\$|(?<!\\)\$[^$]+?(?<!\\)\$)
    |(?P<image>!?)\[(?P<words>[^][]*)\]\((?P<target>[^)\s]+)\)""",
    re.DOTALL | re.VERBOSE,
)
EXPLICIT = re.compile(r"(?s)(.+?)\s*<([^<>]+)>\s*$")


def inline(text: str, context: Context) -> str:
    """A text with its roles and links in the form of a notebook.

    Raises:
        UserError: a role has no form in a notebook, or names something that is not there.
    """

    def replace(match: re.Match) -> str:
        if match["role"]:
            if match["role"] not in ROLES:
                known = ", ".join(ROLES)
                raise UserError(f"the role {{{match['role']}}} has no form in a notebook; known: {known}")
            return ROLES[match["role"]](" ".join(match["content"].split()), context)
        if match["target"]:
            return _link(match, context)
        return match[0]

    return PIECE.sub(replace, text)


def _link(match: re.Match, context: Context) -> str:
    if re.match(r"https?:|mailto:", match["target"]):
        return match[0]
    if match["image"] or match["target"].startswith("#"):
        raise UserError(f"the link {match[0]!r} has no form in a notebook")
    return reference(f"{match['words']} <{match['target']}>" if match["words"] else match["target"], context)


def _split(content: str) -> tuple[str | None, str]:
    """The words and the target of ``words <target>``; no words where there is only a target."""
    match = EXPLICIT.fullmatch(content)
    return (match[1], match[2]) if match else (None, content)


def _linked(words: str, place: Place, context: Context) -> str:
    address = (
        f"#{context.anchor(place)}" if place.page == context.page else context.book.address(place.page, place.anchor)
    )
    return f"[{words}]({address})"


def value(content: str, context: Context) -> str:
    """The value that the recorded run glued under a name, as plain text."""
    if content not in context.values:
        raise UserError(
            f"the recorded run has no value {content!r}; run: course pair --record {context.chapter.number}"
        )
    return _plain(context.values[content])


def evening(content: str, context: Context) -> str:
    """A value of the chapter's recorded evening, as plain text."""
    return _plain(evening_value(evening_file(context.chapter), content))


def _plain(text: str) -> str:
    return re.sub(r"([\\*_`\[\]<>|$])", r"\\\1", text)


def reference(content: str, context: Context) -> str:
    """A link to a labelled place, under the given words or its title."""
    words, target = _split(content)
    place = context.book.place(target)
    if words is None and place.kind == "exercise":
        words = place.numbered
    if words is None and not place.title:
        raise UserError(f"{target!r} has no title: give the reference words of its own")
    return _linked(words or inline(place.title, context), place, context)


def numbered(content: str, context: Context) -> str:
    """A link under kind and number, such as *Figure 9.2*."""
    words, target = _split(content)
    place = context.book.place(target)
    if not place.number:
        raise UserError(f"{target!r} has no number")
    if words is not None:
        words = words.replace("%s", place.number).replace("{number}", place.number)
    return _linked(words or place.numbered, place, context)


def equation(content: str, context: Context) -> str:
    """A link to an equation under its number in brackets."""
    return numbered(content, context)


def document(content: str, context: Context) -> str:
    """A link to a page, under the given words or its title."""
    words, target = _split(content)
    page = context.book.page(target, context.page)
    return f"[{words or context.book.titles[page]}]({context.book.address(page)})"


def term(content: str, context: Context) -> str:
    """A link into the glossary."""
    words, target = _split(content)
    found = context.book.terms.get(target.lower())
    if found is None:
        raise UserError(f"the glossary has no word {target!r}")
    return f"[{words or target}]({context.book.address('book/glossary', found)})"


def _citation(*, textual: bool) -> Callable[[str, Context], str]:
    def cite(content: str, context: Context) -> str:
        keys = [key.strip() for key in content.split(",")]
        context.cited |= dict.fromkeys(keys)
        return cited(context.bibliography, keys, textual=textual)

    return cite


def ledger_figure(content: str, context: Context) -> str:
    """A printed figure and its verdict, with a link to its row."""
    try:
        figure = entries()[content]
    except EntryError as error:
        raise UserError(str(error)) from error
    words = told_text(figure) + verdict_text(figure.verdict)
    return f"[{words}]({context.book.address('book/ledger', f'figure-{figure.id}')})"


ROLES: dict[str, Callable[[str, Context], str]] = {
    "glue:text": value,
    "evening": evening,
    "ref": reference,
    "numref": numbered,
    "eq": equation,
    "doc": document,
    "term": term,
    "cite:t": _citation(textual=True),
    "cite:p": _citation(textual=False),
    "ledger": ledger_figure,
}
