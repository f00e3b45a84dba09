"""What holds of every live piece: without a script, in print, on a phone, from a file, alone on its page, and axe."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from live_page import mistake, opened
from toy_book import FALLBACK, ROOT

pytestmark = pytest.mark.browser

DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
PIECES = [
    path.stem
    for path in sorted((ROOT / "book" / "live").glob("*.js"))
    if f'course.piece("{path.stem}"' in path.read_text(encoding="utf-8")
]
MOST_LINES = 200
SEVEN = "2413761358484490"
# Modules and requests die in a page opened as a file; canvases are not read back; nothing moves by itself.
UNWANTED = (r"^\s*import\b", r"^\s*export\b", "fetch", "XMLHttp", "getImageData", "setInterval", "requestAnimation")


@pytest.fixture
def desktop(live):
    """The toy book; the screen is given back as it was."""
    live.page.set_viewport_size(DESKTOP)
    yield live
    live.page.emulate_media(media="screen", color_scheme="light")
    live.page.set_viewport_size(DESKTOP)


@pytest.mark.parametrize("name", PIECES)
def test_a_piece_takes_its_place_and_asks_no_other_host(desktop, name):
    opened(desktop, name)

    assert desktop.page.locator(".live-piece").count() == 1
    assert not desktop.page.get_by_text(FALLBACK).is_visible()
    assert all(request.startswith(desktop.origin) for request in desktop.requests)


@pytest.mark.parametrize("name", PIECES)
def test_in_print_the_fallback_stands_there_alone(desktop, name):
    opened(desktop, name)
    desktop.page.emulate_media(media="print")

    assert desktop.page.get_by_text(FALLBACK).is_visible()
    assert not desktop.page.locator(".live-piece").is_visible()


@pytest.mark.parametrize("name", PIECES)
def test_without_javascript_the_fallback_stands_there_alone(page, live, name):
    context = page.context.browser.new_context(java_script_enabled=False)
    silent = context.new_page()
    silent.goto(f"{live.origin}{name}.html")

    assert silent.get_by_text(FALLBACK).is_visible()
    assert silent.locator(".live-piece").count() == 0
    context.close()


@pytest.mark.parametrize("name", PIECES)
def test_from_a_file_a_piece_works(page, live_html, name):
    own = page.context.new_page()
    problems: list[str] = []
    own.on("pageerror", lambda error: problems.append(error.message))
    own.on("console", lambda message: message.type == "error" and problems.append(message.text))
    own.goto((live_html / f"{name}.html").as_uri())
    own.wait_for_selector(".live-on")

    assert own.locator(".live-piece .live-says").last.inner_text() != ""
    assert problems == []
    own.close()


def test_from_a_file_data_are_loaded_when_needed_and_the_address_keeps_the_state(page, live_html):
    own = page.context.new_page()
    own.goto((live_html / "digit.html").as_uri())
    own.wait_for_selector(".live-on")
    assert own.locator("script[src*=lenet_]").count() == 0
    own.get_by_label("Drawn for you").select_option("7")
    own.wait_for_function("[...document.querySelectorAll('.live-says')].at(-1).textContent.includes('says 7,')")
    own.reload()
    own.wait_for_function("[...document.querySelectorAll('.live-says')].at(-1)?.textContent.includes('says 7,')")

    assert own.get_by_label("Drawn for you").input_value() == "7"
    own.close()


# States in which a piece shows all that it can show.
BUSY = {
    "convention": "?convention.network=googlenet&convention.with=linear_heads",
    "depth": "?depth.depth=56&depth.seed=all",
    "digit": f"?digit.ink={SEVEN}&digit.right=2",
    "kernel": "?kernel.stride=4&kernel.padding=2",
    "stack": "?stack.network=3x31x48.conv-8-k3x5-s2x1.max-k2.conv-4-k9&stack.layer=2",
    "train": "?train.epochs=2",
}


@pytest.mark.parametrize("name", PIECES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("screen", [DESKTOP, PHONE], ids=["1280", "390"])
def test_axe_finds_nothing_and_nothing_is_wider_than_the_screen(desktop, name, scheme, screen):
    desktop.page.set_viewport_size(screen)
    desktop.page.emulate_media(color_scheme=scheme)
    opened(desktop, name, BUSY[name])
    if name == "digit":
        desktop.page.wait_for_selector(".digit-origin")
    if name == "train":
        desktop.page.get_by_role("button", name="Start again").click()
        desktop.page.get_by_role("button", name="One epoch").click()
    desktop.page.evaluate("document.querySelectorAll('.live details').forEach((fold) => { fold.open = true; })")
    found = Axe().run(desktop.page, context=".live").response["violations"]

    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []
    assert desktop.page.evaluate("document.documentElement.scrollWidth") <= screen["width"]


@pytest.mark.parametrize("name", PIECES)
def test_what_a_piece_says_is_in_a_live_region(desktop, name):
    opened(desktop, name)

    assert desktop.page.locator(".live-piece [aria-live=polite]").count() >= 1


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("asked.get(key(name)) ?? first.get(name)", "first.get(name)"),
        ("else asked.set(key(name), text);", ""),
    ],
)
def test_a_mistake_in_keeping_the_state_is_found(live, right, wrong):
    def keeps() -> bool:
        opened(live, "kernel", "?kernel.stride=2")
        read = live.page.get_by_label("Stride: 2").count() == 1
        live.page.get_by_label("Padding: 0").press("ArrowRight")
        return read and "kernel.padding=1" in live.page.url

    assert keeps()
    with mistake(live, "live.js", right, wrong):
        assert not keeps()


def test_a_piece_that_fails_leaves_its_fallback(live):
    pattern = f"**/live/{PIECES[0]}.js*"
    script = f'course.piece("{PIECES[0]}", () => {{ throw new Error("broken on purpose"); }});'
    live.page.route(pattern, lambda route: route.fulfill(body=script, content_type="text/javascript"))
    live.visit(f"{PIECES[0]}.html")
    live.page.unroute(pattern)

    assert any("broken on purpose" in problem for problem in live.problems)
    assert live.page.get_by_text(FALLBACK).is_visible()
    assert live.page.locator(".live-piece").count() == 0


@pytest.mark.parametrize("path", sorted((ROOT / "book" / "live").glob("*.js")), ids=lambda path: path.name)
def test_a_script_is_short_plain_and_asks_for_nothing(path):
    text = path.read_text(encoding="utf-8")

    assert len(text.splitlines()) < MOST_LINES
    assert [word for word in UNWANTED if re.search(word, text, flags=re.MULTILINE)] == []


def test_an_event_changes_the_address_once_and_a_refused_change_comes_later(live):
    opened(live, "kernel")
    live.page.evaluate(
        """() => {
          window.calls = 0;
          const replace = history.replaceState.bind(history);
          history.replaceState = (...rest) => {
            window.calls += 1;
            if (window.calls === 1) throw new DOMException("too often", "SecurityError");
            replace(...rest);
          };
        }"""
    )
    live.page.get_by_label("Stride: 1").press("ArrowRight")
    live.page.get_by_label("Stride: 1").or_(live.page.get_by_label("Stride: 2")).wait_for()
    assert live.page.evaluate("window.calls") == 1

    live.page.wait_for_url("**/kernel.html?kernel.stride=2")
    assert live.page.evaluate("window.calls") == 2
    assert live.problems == []
