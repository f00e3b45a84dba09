"""Where the course is published: the pages, their metadata and the sitemap take it from one setting.

`course build` writes the repository, the branch and the address of the site into the staged `_config.yml`. In a page,
`@REPOSITORY@`, `@SLUG@` (owner and name), `@BRANCH@` and `@SITE@` stand for them, in code blocks too.
"""

from __future__ import annotations

from urllib.parse import urlparse

from sphinx.application import Sphinx
from sphinx.config import Config


def complete_addresses(_app: Sphinx, config: Config) -> None:
    """End the site's address with a slash, as the sitemap needs it, and give it to Open Graph too."""
    if config.html_baseurl:
        config.html_baseurl = config.html_baseurl.rstrip("/") + "/"
    config.ogp_site_url = config.html_baseurl


def insert_addresses(app: Sphinx, _docname: str, source: list[str]) -> None:
    """Replace the names of the addresses by the addresses in the text of one page."""
    options = app.config.html_theme_options
    repository = options.get("repository_url", "")
    addresses = {
        "@REPOSITORY@": repository,
        "@SLUG@": urlparse(repository).path.strip("/"),
        "@BRANCH@": options.get("repository_branch", ""),
        "@SITE@": app.config.html_baseurl,
    }
    for name, address in addresses.items():
        source[0] = source[0].replace(name, address)


def setup(app: Sphinx) -> dict:
    app.connect("config-inited", complete_addresses, priority=100)
    app.connect("source-read", insert_addresses)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
