"""The list of chapters on the first page, from `_toc.yml`: in a page, `@CHAPTERS@` stands for a card for each part."""

from __future__ import annotations

from pathlib import Path

import yaml
from sphinx.application import Sphinx


def cards(contents: dict) -> str:
    """A card for each part that holds chapters; a chapter's number is that of its file, its title that of its page."""
    made = []
    for part in contents["parts"]:
        pages = [entry["file"] for entry in part["chapters"] if entry["file"].startswith("notebooks/")]
        if pages:
            lines = [f"{int(Path(page).name.partition('_')[0])}. {{doc}}`/{page}`" for page in pages]
            made.append("\n".join([f":::{{grid-item-card}} {part['caption']}", *lines, ":::"]))
    return "\n\n".join(made)


def insert_list(app: Sphinx, _docname: str, source: list[str]) -> None:
    """Write the list into a page that asks for it."""
    if "@CHAPTERS@" in source[0]:
        contents = yaml.safe_load((Path(app.srcdir) / "_toc.yml").read_text(encoding="utf-8"))
        source[0] = source[0].replace("@CHAPTERS@", cards(contents))


def setup(app: Sphinx) -> dict:
    app.connect("source-read", insert_list)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
