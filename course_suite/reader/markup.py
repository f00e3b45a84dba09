"""The page builder's Markdown, read as the page builder reads it: blocks of a text, and what of its markup is left.

Only the kinds named here may occur in a chapter. Anything else is refused, so that a new role or directive cannot reach
a reader as raw markup.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache

import yaml
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from myst_parser.config.main import MdParserConfig
from myst_parser.parsers.mdit import create_md_parser

from course_suite.errors import UserError

EXTENSIONS = {"amsmath", "attrs_inline", "colon_fence", "deflist", "dollarmath"}  # as _config.yml names them

# What opens a block of plain Markdown: it stays as it is, roles in its text aside.
PLAIN = {
    "paragraph_open", "bullet_list_open", "ordered_list_open", "table_open", "blockquote_open", "hr", "code_block",
}  # fmt: skip
HIDDEN = {"myst_line_comment", "myst_block_break"}  # what no reader sees
KINDS = {"heading_open": "heading", "myst_target": "label", "dl_open": "definitions", "math_block": "math",
         "math_block_label": "math"}  # fmt: skip

CODE = re.compile(r"(?ms)^(?P<fence>`{3,}|~{3,})(?!\{).*?^(?P=fence)|(?<!`)(?P<ticks>`+)(?!`).+?(?<!`)(?P=ticks)(?!`)")
LEFT = re.compile(
    r"(?m)\{[A-Za-z][\w:.+-]*\}`[^`]*`?|^\s*>*\s*(?::{3,}|`{3,}\{|~{3,}\{).*|^\s*\([\w:.-]+\)=\s*$|@[A-Z]+@|\]\{[^}]*\}"
)


@dataclass(frozen=True)
class Block:
    """A piece of a text: ``kind`` is ``text``, ``heading``, ``label``, ``definitions``, ``math`` or ``directive``."""

    kind: str
    text: str
    name: str = ""  # of a directive, a label, or a numbered equation
    argument: str = ""
    options: dict[str, str] = field(default_factory=dict)
    level: int = 0  # of a heading


@cache
def parser() -> MarkdownIt:
    """The parser of the pages."""
    return create_md_parser(MdParserConfig(enable_extensions=EXTENSIONS), RendererHTML)


def blocks(text: str) -> Iterator[Block]:
    """The blocks of a text, in order.

    Raises:
        UserError: a block is of no kind that has a form in a notebook.
    """
    lines = text.splitlines()
    tokens = parser().parse(text)
    for token in tokens:
        if token.level and token.type in ("fence", "colon_fence", "math_block_label") and _is_markup(token):
            raise UserError(f"{_quote(token.info or token.content)} stands inside a list or a quotation")
    for token in tokens:
        if token.level == 0 and token.map is not None and token.nesting >= 0 and token.type not in HIDDEN:
            yield _block(token, "\n".join(lines[slice(*token.map)]))


def _is_markup(token: Token) -> bool:
    return token.type != "fence" or token.info.startswith("{")


def _block(token: Token, text: str) -> Block:
    if token.type in PLAIN or (token.type == "fence" and not _is_markup(token)):
        return Block("text", text)
    if token.type == "heading_open":
        return Block("heading", text.lstrip("#").strip(), level=int(token.tag[1:]))
    if token.type == "myst_target":
        return Block("label", text, name=token.content)
    if token.type in ("math_block", "math_block_label"):
        return Block("math", token.content.strip("\n"), name=token.info)
    if token.type == "dl_open":
        return Block("definitions", text)
    if token.type in ("fence", "colon_fence"):
        return _directive(token)
    raise UserError(f"{_quote(text)} ({token.type}) has no form in a notebook")


def _directive(token: Token) -> Block:
    """A directive with its options, given as lines of the form ``:name: value`` or as YAML between ``---``."""
    match = re.fullmatch(r"\{([^}]+)\}\s*(.*)", token.info.strip())
    if match is None:
        raise UserError(f"{_quote(token.info)} is not a directive")
    content, options = token.content, {}
    if content.startswith("---\n"):
        head, _, content = content.removeprefix("---\n").partition("\n---")
        options = {name: str(value) for name, value in yaml.safe_load(head).items()}
    else:
        while found := re.match(r":([\w-]+):[ \t]*(.*)(?:\n|$)", content):
            options[found[1]], content = found[2].strip(), content[found.end() :]
    return Block("directive", content.strip("\n"), match[1], match[2].strip(), options)


def left_over(text: str) -> list[str]:
    """The page builder's markup in a text that should have none; code is no text."""
    return [found.group().strip() for found in LEFT.finditer(CODE.sub("`code`", text))]


def _quote(text: str) -> str:
    return repr((text.strip().splitlines() or [""])[0][:70])
