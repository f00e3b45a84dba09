"""A page of the built site, read without a browser."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urljoin, urlparse

ROOT = Path(__file__).resolve().parents[1]
HTML = ROOT / "_build" / "html"
BASE = "https://site.test/"  # stands for wherever the site is; links inside it begin with this
FETCHED = {"script": "src", "img": "src", "source": "src", "iframe": "src", "video": "src", "object": "data"}
FETCHING_RELS = {"stylesheet", "preload", "modulepreload", "prefetch", "icon", "shortcut icon", "preconnect"}
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


class Page(HTMLParser):
    """What the tests ask of a page: its anchors, links, fetched addresses, metadata, and the text of its article."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self.name = path.relative_to(HTML).as_posix()
        self.address = BASE + self.name
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.article_links: list[str] = []
        self.fetched: list[str] = []
        self.meta: dict[str, str] = {}
        self.text = ""
        self.glued: list[str] = []
        self._depth_of_article = self._depth_of_glue = 0
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """Note what the tag names, and whether text belongs to the article."""
        values = dict(attributes)
        self.ids.update(filter(None, (values.get("id"), values.get("name"))))
        if tag == "a" and values.get("href"):
            self.links.append(values["href"])
            if self._depth_of_article:
                self.article_links.append(values["href"])
        if values.get(FETCHED.get(tag, "")):
            self.fetched.append(values[FETCHED[tag]])
        if tag == "link" and values.get("rel", "").lower() in FETCHING_RELS:
            self.fetched.append(values["href"])
        if tag == "meta":
            self.meta[values.get("property") or values.get("name") or ""] = values.get("content") or ""
        if tag in VOID:
            return
        if self._depth_of_article or tag == "article":
            self._depth_of_article += 1
        if self._depth_of_glue or (self._depth_of_article and values.get("class") == "pasted-text"):
            self._depth_of_glue += 1
            if self._depth_of_glue == 1:
                self.glued.append("")

    def handle_endtag(self, tag: str) -> None:
        """Leave the element."""
        if tag not in VOID:
            self._depth_of_article = max(0, self._depth_of_article - 1)
            self._depth_of_glue = max(0, self._depth_of_glue - 1)

    def handle_data(self, data: str) -> None:
        """Keep the text of the article."""
        if self._depth_of_article:
            self.text += data
        if self._depth_of_glue:
            self.glued[-1] += data

    def file_of(self, address: str) -> Path:
        """The file of the site that an address on this page means."""
        return HTML / unquote(urlparse(urljoin(self.address, address)).path).lstrip("/")
