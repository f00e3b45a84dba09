"""The chapters' prose in the order of the book, and where each word of the glossary first stands in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
CHAPTERS = sorted((ROOT / "notebooks").glob("[0-9]*.md"))

# What is no prose that a reader meets in order: code, mathematics, goals (a preview), headings, targets of links.
NO_PROSE = (
    r"\A---\n.*?^---\n",
    r"^```\{code-cell\}.*?^```$",
    r"^:::\{admonition\} What you will be able to do\n.*?^:::$",
    r"^#+ .*?$",
    r"^\$\$.*?^\$\$",
    r"\$[^$\n]+\$",
    r"\{(?:glue:text|ref|doc|numref|eq|cite:[pt]|ledger|evening)\}`[^`]*`",
    r"(?<!\})`[^`\n]+`",
)


class Use(NamedTuple):
    """The first use of a word: where, in which words, and whether it is a link into the glossary."""

    chapter: str
    words: str
    linked: bool


def terms() -> list[str]:
    """The words of the glossary."""
    text = (ROOT / "book" / "glossary.md").read_text(encoding="utf-8")
    block = re.search(r"```\{glossary\}\n(.*?)\n```", text, flags=re.DOTALL).group(1)
    return [line.strip() for line in block.splitlines() if line[:1] not in ("", " ", ":")]


def prose(path: Path) -> str:
    """A chapter's text without what is not prose."""
    text = path.read_text(encoding="utf-8")
    for pattern in NO_PROSE:
        text = re.sub(pattern, " ", text, flags=re.DOTALL | re.MULTILINE)
    return text


def uses(term: str, texts: dict[str, str]) -> Iterator[Use]:
    """Every use of a word in the order of the book; a longer word of the glossary around it is another word."""
    longer = [
        other for other in terms() if other != term and re.search(rf"\b{re.escape(term)}\b", other, re.IGNORECASE)
    ]
    word = rf"(?<![\w-]){re.escape(term)}s?(?![\w-])".replace(r"\ ", r"\s+")
    for chapter, text in texts.items():
        for match in re.finditer(word, text, flags=re.IGNORECASE):
            around = " ".join(text[max(0, match.start() - 40) : match.end() + 40].split())
            if any(re.search(rf"\b{re.escape(other)}", around, re.IGNORECASE) for other in longer):
                continue
            before = text[max(0, match.start() - 80) : match.start()]
            yield Use(chapter, around, re.search(r"\{term\}`[^`]*$", before) is not None)
