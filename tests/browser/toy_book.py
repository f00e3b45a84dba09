"""A small book in a temporary folder, rendered with the course's own extensions, theme and style: quick to make."""

from __future__ import annotations

import io
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace, patch_docutils

ROOT = Path(__file__).resolve().parents[2]

CONF = f"""\
import sys
sys.path.insert(0, {str(ROOT / "book" / "extensions")!r})
project = "Toy"
extensions = ["myst_nb", "sphinx_exercise", "live", "predict", "answers", "hints"]
nb_execution_mode = "off"
course_predictions_page = "mine"
myst_enable_extensions = ["colon_fence", "attrs_inline", "dollarmath"]
html_theme = "sphinx_book_theme"
html_static_path = [{str(ROOT / "book" / "_static")!r}]
html_css_files = ["course.css"]
html_context = {{"default_mode": "auto"}}
language = "en"
"""

FALLBACK = "The fallback of the toy page."


def page_with(name: str, state: str = "") -> str:
    """A page with one piece."""
    option = f":state: {state}\n" if state else ""
    return (
        f"# A page with {name}\n\nSome words before.\n\n:::{{live}} {name}\n{option}\n{FALLBACK}\n:::\n\nAnd after.\n"
    )


def render(folder: Path, pages: dict[str, str]) -> tuple[Path, str]:
    """Render pages, Markdown by name, or notebooks by file name. Gives the folder of the site and the warnings."""
    source, warnings = folder / "source", io.StringIO()
    source.mkdir(parents=True)
    (source / "conf.py").write_text(CONF, encoding="utf-8")
    for name, text in pages.items():
        path = source / (name if "." in name else f"{name}.md")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    entries = "\n".join(name.partition(".")[0] for name in pages)
    (source / "index.md").write_text(f"# Toy\n\n```{{toctree}}\n{entries}\n```\n", encoding="utf-8")
    with patch_docutils(str(source)), docutils_namespace():
        app = Sphinx(
            source, source, folder / "html", folder / "doctrees", "html", status=None, warning=warnings, freshenv=True
        )
        app.build(force_all=True)
    return folder / "html", warnings.getvalue()
