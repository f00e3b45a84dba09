"""Keep the site to itself: no page asks another host for anything, and nothing is shipped that no page can load."""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.config import Config

# What a page can load of MathJax when its menu is off: the program, its fonts, and TeX extensions that load on demand.
MATHJAX_PARTS = ("tex-chtml.js", "output/chtml/fonts/woff-v2", "input/tex/extensions")

# What themes and extensions copy into every site and no page of this one asks for.
UNUSED = (
    "locales", "mathjax/input/tex/extensions/all-packages.js", "scripts/*.map", "styles/*.map",
    "vendor/fontawesome/webfonts/*.ttf", "*webpack-macros.html",
)  # fmt: skip


def unplug_live_code(app: Sphinx, _config: Config) -> None:
    """Take sphinx-thebe out: Jupyter Book always loads it, and it writes addresses of other hosts into every page."""
    for event, listeners in app.events.listeners.items():
        app.events.listeners[event] = [
            listener for listener in listeners if not listener.handler.__module__.startswith("sphinx_thebe")
        ]
    app.registry.css_files = [(name, options) for name, options in app.registry.css_files if "thebe" not in name]


def drop_repeated_scripts(_app: Sphinx, _page: str, _template: str, context: dict, _doctree: object) -> None:
    """Keep the first of scripts that stand twice on a page: declaring a constant again is an error."""
    kept = {}
    for script in context.get("script_files", []):
        key = (str(getattr(script, "filename", script)), str(getattr(script, "attributes", {}).get("body")))
        kept.setdefault(key, script)
    context["script_files"] = list(kept.values())


def ship_what_is_used(app: Sphinx, exception: Exception | None) -> None:
    """Copy the needed parts of MathJax, and remove what is not needed."""
    if exception or app.builder.format != "html":
        return
    static = Path(app.outdir) / "_static"
    mathjax = Path(find_spec("sphinx-mathjax-offline").origin).parent / "static" / "mathjax"
    for part in MATHJAX_PARTS:
        copy(mathjax / part, static / "mathjax" / part)
    # The theme's style sheet draws every icon from its web font. This script, 1.5 MB, would draw them a second time.
    (static / "scripts" / "fontawesome.js").write_text("// Not needed: the icons come from the web font.\n")
    for pattern in UNUSED:
        for path in static.glob(pattern):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def copy(source: Path, target: Path) -> None:
    """Copy a file or a folder, making the folders above it."""
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)


def setup(app: Sphinx) -> dict:
    app.connect("config-inited", unplug_live_code)
    app.connect("html-page-context", drop_repeated_scripts, priority=900)
    app.connect("build-finished", ship_what_is_used, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
