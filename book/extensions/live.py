"""Interactive pieces: `{live} NAME` puts the piece `live/NAME.js` on a page, with a fallback for all who cannot run it.

The content of the directive is the fallback: a figure, a table or words, required. It is what stands there without
JavaScript, in print, and in the notebook. The option `state` says how the piece begins: `:state: stride=2 padding=1`.

Scripts, style and data stand only on the pages that use them. They are copied beside `_static`, not into it, since
Jupyter Book puts every script of that folder on every page. Data are made at build time by `course_suite.live`, one
script each that sets one value, `courseData.NAME`; a piece loads them when it is on the page or when it is used.
"""

from __future__ import annotations

import shutil
from hashlib import sha256
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from course_suite.live import write_data

SCRIPTS = Path(__file__).resolve().parents[1] / "live"

# What stands on a page before the piece itself, in this order; a piece's own style sheet is `live/NAME.css`.
SHARED = ("live.css", "live.js")
NEEDS = {
    "digit": ("ink.js", "lenet.js"),
    "kernel": ("arithmetic.js",),
    "stack": ("arithmetic.js", "stack_network.js"),
    "train": ("trainer.js",),
}


class LivePiece(nodes.General, nodes.Element):
    """The place of a piece; its children are the fallback."""


class Live(SphinxDirective):
    """A piece and its fallback."""

    required_arguments = 1
    has_content = True
    option_spec = {"state": directives.unchanged_required}  # noqa: RUF012

    def run(self) -> list[nodes.Node]:
        name = self.arguments[0]
        if name not in pieces():
            raise self.error(f"no live piece is called {name!r}; there are: {', '.join(pieces())}")
        if not any(line.strip() for line in self.content):
            raise self.error(f"the live piece {name!r} has no fallback: write a figure, a table or words inside it")
        place = LivePiece(name=name, state=self.options.get("state", ""))
        self.state.nested_parse(self.content, self.content_offset, place)
        number = self.env.temp_data.setdefault("live_pieces", {})
        number[name] = number.get(name, 0) + 1
        place["anchor"] = name if number[name] == 1 else f"{name}-{number[name]}"
        return [place]


def pieces() -> list[str]:
    """The names that `{live}` takes: scripts that build a piece of their own name, and no shared ones."""
    scripts = {path.stem: path.read_text(encoding="utf-8") for path in sorted(SCRIPTS.glob("*.js"))}
    return [name for name, script in scripts.items() if f'course.piece("{name}"' in script]


def open_place(translator: nodes.NodeVisitor, node: LivePiece) -> None:
    """The place before the script runs: the fallback, and nothing else."""
    start = translator.attval(node["state"])
    translator.body.append(
        f'<div class="live" id="live-{node["anchor"]}" data-piece="{node["name"]}" data-state="{start}">\n'
        '<div class="live-fallback">\n'
    )


def close_place(translator: nodes.NodeVisitor, _node: LivePiece) -> None:
    translator.body.append("</div></div>\n")


def pass_by(_translator: nodes.NodeVisitor, _node: LivePiece) -> None:
    """In other forms of the book there is the fallback alone."""


def stand_on(context: dict, *names: str) -> None:
    """Put the tags of pieces into the head of a page, each file once."""
    files = [*SHARED, *(file for name in names for file in (f"{name}.css", *NEEDS.get(name, ()), f"{name}.js"))]
    for file in filter(lambda file: (SCRIPTS / file).is_file(), dict.fromkeys(files)):
        version = sha256((SCRIPTS / file).read_bytes()).hexdigest()[:8]
        address = f"{context['pathto']('live/' + file, 1)}?v={version}"
        sheet = f'<link rel="stylesheet" href="{address}" />'
        tag = sheet if file.endswith(".css") else f'<script defer src="{address}"></script>'
        if tag not in context["metatags"]:
            context["metatags"] += f"\n{tag}"


def load_pieces(_app: Sphinx, _page: str, _template: str, context: dict, doctree: nodes.document | None) -> None:
    """The files of a page's pieces."""
    names = [node["name"] for node in doctree.findall(LivePiece)] if doctree else []
    if names:
        stand_on(context, *names)


def ship(app: Sphinx, exception: Exception | None) -> None:
    """Copy the scripts, and make the data."""
    if exception or app.builder.format != "html":
        return
    folder = Path(app.outdir) / "live"
    folder.mkdir(exist_ok=True)
    for path in [*SCRIPTS.glob("*.js"), *SCRIPTS.glob("*.css")]:
        shutil.copyfile(path, folder / path.name)
    write_data(folder / "data")


def setup(app: Sphinx) -> dict:
    app.add_node(LivePiece, html=(open_place, close_place), latex=(pass_by, pass_by), text=(pass_by, pass_by))
    app.add_directive("live", Live)
    app.connect("html-page-context", load_pieces)
    app.connect("build-finished", ship)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
