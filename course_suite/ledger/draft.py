"""A new entry: written at the end of its source's file, and for a new source the page that shows its figures."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from course_suite.errors import UserError
from course_suite.files import write_atomically
from course_suite.ledger.entry import EntryError, load
from course_suite.ledger.ledger import entries
from course_suite.project import Project

PAGE = """\
# {title}

{{cite:t}}`{source}` print the figures below.

All figures of all papers are in {{doc}}`the ledger </book/ledger>`.

```{{ledger-paper}} {source}
```
"""
BEFORE = "- file: book/ledger/articles"  # the pages of papers stand before that of the articles


def add_entry(project: Project, folder: Path, source: str, fields: dict[str, Any]) -> list[Path]:
    """Write an entry into ``folder/SOURCE.yaml``, and for a new source its page. Returns the files that were written.

    Args:
        fields: of the entry, in the order in which they are to stand, without those that a review fills in.

    Raises:
        UserError: the source is not in the bibliography, the chapter has no such label, the id is taken, or the fields
            make no entry; nothing is written then.
    """
    _check_places(project, fields)
    source = "articles" if source.startswith("article-") else source
    path = folder / f"{source}.yaml"
    before = path.read_text(encoding="utf-8") if path.is_file() else ""
    text = _block({"id": fields["id"], **fields})
    trial = path.with_name(f".{path.name}.draft")
    trial.parent.mkdir(parents=True, exist_ok=True)
    try:
        trial.write_text(f"{before}\n{text}" if before else text, encoding="utf-8")
        load(trial)
        if fields["id"] in {entry.id for entry in entries(folder=folder)}:
            raise UserError(f"the id {fields['id']} is taken: choose another")
        write_atomically(path, trial.read_text(encoding="utf-8"))
    except EntryError as error:
        raise UserError(str(error).replace(trial.name, path.name)) from error
    finally:
        trial.unlink(missing_ok=True)
    return [path, *([] if before else _add_page(project, source))]


def _check_places(project: Project, fields: dict[str, Any]) -> None:
    bibliography = (project.root / "book" / "references.bib").read_text(encoding="utf-8")
    known = re.findall(r"^@\w+\{(\w+),", bibliography, flags=re.MULTILINE)
    if fields["source"] not in known and not fields["source"].startswith("article-"):
        raise UserError(f"{fields['source']!r} is not in book/references.bib: put the paper there first")
    labels = [
        label
        for chapter in project.chapters
        for label in re.findall(r"^\((ch-[\w-]+)\)=", chapter.source.read_text(encoding="utf-8"), flags=re.MULTILINE)
    ]
    if fields["chapter"] not in labels:
        raise UserError(f"no chapter has the label {fields['chapter']!r}; the labels are: {', '.join(labels)}")


def _block(fields: dict[str, Any]) -> str:
    """The entry as its file holds it: one line a field."""
    lines = [f"{name}: {_flow(value)}" for name, value in fields.items() if value not in (None, "")]
    return "- " + "\n  ".join(lines) + "\n"


def _flow(value: Any) -> str:
    return (
        yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=1000, allow_unicode=True)
        .removesuffix("...\n")
        .strip()
    )


def _add_page(project: Project, source: str) -> list[Path]:
    """A page for the figures of a new source, and its place in the contents; words are left to its author."""
    page, contents = project.root / "book" / "ledger" / f"{source}.md", project.root / "_toc.yml"
    if page.is_file():
        return []
    write_atomically(page, PAGE.format(title=source, source=source))
    lines = contents.read_text(encoding="utf-8").splitlines(keepends=True)
    at = next(i for i, line in enumerate(lines) if line.strip() == BEFORE)
    lines.insert(at, lines[at].replace("articles", source))
    write_atomically(contents, "".join(lines))
    return [page, contents]
