"""Citations by author and year, and the list of the works that a notebook cites."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from pybtex.backends.markdown import Backend
from pybtex.database import BibliographyData, Entry, Person, parse_file
from pybtex.richtext import Text
from pybtex.style.formatting.unsrt import Style

from course_suite.errors import UserError


class PlainMarkdown(Backend):
    """Markdown that escapes only what would be read as markup."""

    def format_str(self, text: str) -> str:
        return re.sub(r"([\\*_`\[\]<>])", r"\\\1", text)


@cache
def bibliography(path: Path) -> BibliographyData:
    """The entries of a ``.bib`` file."""
    return parse_file(str(path), bib_format="bibtex")


def entry(path: Path, key: str) -> Entry:
    """One entry.

    Raises:
        UserError: the bibliography has no such key.
    """
    entries = bibliography(path).entries
    if key not in entries:
        raise UserError(f"the bibliography has no entry {key!r}")
    return entries[key]


def anchor(key: str) -> str:
    """Where a work stands in the list at the end."""
    return f"ref-{key}"


def cited(path: Path, keys: list[str], *, textual: bool) -> str:
    """``[He et al. (2016)](#ref-...)`` for ``textual``, else ``([He et al., 2016](#ref-...))``."""
    pattern = "[{who} ({year})](#{at})" if textual else "[{who}, {year}](#{at})"
    works = [
        pattern.format(who=_authors(entry(path, key)), year=entry(path, key).fields["year"], at=anchor(key))
        for key in keys
    ]
    return ", ".join(works) if textual else f"({'; '.join(works)})"


def works(path: Path, keys: list[str]) -> str:
    """The list of works, by author and year, each with its links."""
    order = sorted(keys, key=lambda key: (_authors(entry(path, key)), entry(path, key).fields["year"], key))
    return "\n".join(f'- <a id="{anchor(key)}"></a>{_formatted(entry(path, key))}' for key in order)


def _formatted(work: Entry) -> str:
    text = Style().format_entry("", work).text.render(PlainMarkdown("utf8"))
    return " ".join(text.replace("\xa0", " ").split())


def _authors(work: Entry) -> str:
    """One or two names, or the first and *et al.*"""
    names = [_last_name(person) for person in work.persons["author"]]
    return " and ".join(names) if len(names) < 3 else f"{names[0]} et al."


def _last_name(person: Person) -> str:
    return " ".join(str(Text(part)) for part in [*person.rich_prelast_names, *person.rich_last_names])
