"""Say at the foot of each chapter what computed it: Python, PyTorch, and the seconds that its run took.

Python and the seconds stand in the metadata of the executed notebook. PyTorch's version is that of the environment
that renders the book, which is the one that ran the chapters.
"""

from __future__ import annotations

import json
from importlib.metadata import version

from sphinx.application import Sphinx


def as_dict(value: object) -> dict:
    """An entry of a page's metadata, which MyST-NB stores as JSON; empty when there is none."""
    return json.loads(value) if isinstance(value, str) else value or {}


def add_footer(app: Sphinx, pagename: str, _template: str, context: dict, _doctree: object) -> None:
    """Append one line to the text of a page that was an executed notebook."""
    metadata = app.env.metadata.get(pagename, {})
    python = as_dict(metadata.get("language_info")).get("version")
    if not python or "body" not in context:
        return
    seconds = as_dict(metadata.get("course")).get("seconds")
    took = f", in {seconds:.0f} seconds" if seconds else ""
    context["body"] += (
        '<p class="course-ran">The numbers and figures on this page were computed by its own code with '
        f"Python {python} and PyTorch {version('torch').split('+')[0]}{took}.</p>"
    )


def setup(app: Sphinx) -> dict:
    app.connect("html-page-context", add_footer)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
