"""One browser and one page object for all tests of the site, which is served on a free port of this machine."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from recorder import Recorder
from toy_book import ROOT, page_with, render

HTML = Path(__file__).resolve().parents[2] / "_build" / "html"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


def cannot_run(reason: str) -> None:
    """Skip, or fail where a check that is left out must not pass for one that was made."""
    if os.environ.get("CI"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


class QuietHandler(SimpleHTTPRequestHandler):
    """Serves files without logging, and refuses to guess: what is not there is a 404."""

    def log_message(self, *_: object) -> None:
        """Requests are recorded in the browser."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder on a free port; gives its address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def page() -> Iterator:
    """A page of a headless Chromium."""
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        cannot_run(f"no browser: none of {', '.join(BROWSERS)} is installed (Debian and Ubuntu: apt install chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
        page.set_default_timeout(15_000)
        yield page
        browser.close()


@pytest.fixture(scope="session")
def site(page) -> Iterator[Recorder]:
    """The built site, watched."""
    if not (HTML / "index.html").is_file():
        cannot_run("no built site in _build/html; run: course build")
    with served(HTML) as address:
        yield Recorder(page, address)
        page.unroute_all()


@pytest.fixture
def toy(page, tmp_path) -> Iterator[Recorder]:
    """An empty site in ``tmp_path``, watched, for tests of the recorder itself."""
    own = page.context.new_page()
    with served(tmp_path) as address:
        yield Recorder(own, address)
    own.close()


@pytest.fixture(scope="session")
def live_html(tmp_path_factory) -> Path:
    """A rendered toy book with a page for each live piece, and a page with none."""
    scripts = sorted((ROOT / "book" / "live").glob("*.js"))
    pieces = [path.stem for path in scripts if f'course.piece("{path.stem}"' in path.read_text(encoding="utf-8")]
    pages = {name: page_with(name) for name in pieces} | {"nothing": "# A page without a piece\n\nWords.\n"}
    html, warnings = render(tmp_path_factory.mktemp("toy_book"), pages)
    assert warnings == ""
    return html


@pytest.fixture(scope="session")
def live(page, live_html) -> Iterator[Recorder]:
    """The toy book of the live pieces, watched."""
    own = page.context.new_page()
    with served(live_html) as address:
        yield Recorder(own, address)
    own.close()
