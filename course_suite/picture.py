"""``course picture``: the README's picture of the book, made from the rendered pages."""

from __future__ import annotations

import io
import shutil
import threading
from functools import partial
from http.server import ThreadingHTTPServer
from pathlib import Path

from course_suite.errors import UserError
from course_suite.project import Project
from course_suite.serve import QuietHandler

WIDE, NARROW = (1280, 900), (390, 760)
SCALE = 0.6
BROWSERS = ("chromium", "google-chrome", "chrome")


def take_picture(project: Project, page: str, anchor: str) -> Path:
    """Write ``book/images/book.png``: ``page`` at ``anchor`` on a wide screen, and in the dark on a phone.

    Raises:
        UserError: the book is not rendered, or there is no browser.
    """
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        raise UserError(f"no browser was found; install one of: {', '.join(BROWSERS)}")
    if not (project.html / f"{page}.html").is_file():
        raise UserError(f"{page}.html is not rendered; run: course build")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=str(project.html)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with server:
        wide, narrow = _screenshots(browser, f"http://127.0.0.1:{server.server_port}/{page}.html", anchor)
        server.shutdown()
    path = project.root / "book" / "images" / "book.png"
    path.parent.mkdir(exist_ok=True)
    _join(wide, narrow).save(path, optimize=True)
    return path


def _screenshots(browser: str, address: str, anchor: str) -> list[bytes]:
    from playwright.sync_api import sync_playwright

    shots = []
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox", "--disable-gpu"])
        for (width, height), scheme in ((WIDE, "light"), (NARROW, "dark")):
            context = chromium.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
            page = context.new_page()
            page.goto(address)
            page.wait_for_selector("mjx-container")
            page.evaluate("anchor => document.getElementById(anchor).scrollIntoView()", anchor)
            page.wait_for_timeout(500)  # fonts, and the scroll
            shots.append(page.screenshot())
        chromium.close()
    return shots


def _join(wide: bytes, narrow: bytes):
    """The two screenshots side by side, at the size that a README shows, in few colours."""
    from PIL import Image

    images = [Image.open(io.BytesIO(shot)).convert("RGB") for shot in (wide, narrow)]
    images = [image.resize((int(image.width * SCALE), int(image.height * SCALE))) for image in images]
    gap = 24
    sheet = Image.new("RGB", (sum(i.width for i in images) + 3 * gap, images[0].height + 2 * gap), "#d9dee5")
    sheet.paste(images[0], (gap, gap))
    sheet.paste(images[1], (images[0].width + 2 * gap, sheet.height - images[1].height - gap))
    return sheet.quantize(256)
