"""The download button of a chapter gives the reader's notebook, which `course build` lays beside the pages."""

from __future__ import annotations

import shutil
from pathlib import Path

from sphinx.application import Sphinx


def put_downloads(app: Sphinx, exception: Exception | None) -> None:
    """Put each reader's notebook in the place of the copy that the page was rendered from.

    They are laid down as ``.json``, since Sphinx would take a second notebook for a page.
    """
    if exception or app.builder.format != "html":
        return
    for path in sorted((Path(app.srcdir) / "downloads").glob("*.json")):
        shutil.copyfile(path, Path(app.outdir) / "_sources" / "notebooks" / f"{path.stem}.ipynb")


def setup(app: Sphinx) -> dict:
    app.connect("build-finished", put_downloads)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
