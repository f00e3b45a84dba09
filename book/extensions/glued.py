"""What a chapter's run stored by `glue`, `reveal` and `check`, for the extensions that put it on the page."""

from __future__ import annotations

import ast

from myst_nb.ext.glue.crossref import read_glue_cache
from sphinx.environment import BuildEnvironment


def glued(env: BuildEnvironment, page: str) -> dict[str, str]:
    """The stored texts of a page by name; empty for a page that is no notebook."""
    config = getattr(env, "mystnb_config", None)
    outputs = read_glue_cache(config.output_folder, page) if config else {}
    texts = {name: output["data"].get("text/plain", "''") for name, output in outputs.items()}
    return {name: ast.literal_eval(text) if text[:1] in "'\"" else text for name, text in texts.items()}
