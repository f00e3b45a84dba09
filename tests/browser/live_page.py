"""Helpers of the live pieces' tests: a page whose piece has been built, and a script with a mistake in it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from recorder import Recorder
from toy_book import ROOT


def opened(live: Recorder, name: str, query: str = "") -> None:
    """Open a piece's page, and wait until the piece has taken its place. Nothing went wrong on the way."""
    live.requests, live.problems = [], []
    live.page.goto(f"{live.origin}{name}.html{query}")  # the piece may then write its address in another order
    live.page.wait_for_selector(".live-on")
    assert live.problems == []


def asked(live: Recorder, script: str, value: Any = None) -> Any:
    """What a function of the page makes of a value. Both travel as one text: Playwright is slow with many numbers."""
    whole = f"async (text) => JSON.stringify(await ({script})(JSON.parse(text)))"
    return json.loads(live.page.evaluate(whole, json.dumps(value)))


@contextmanager
def mistake(live: Recorder, script: str, right: str, wrong: str) -> Iterator[None]:
    """While it is open, pages get the script with one place of it changed."""
    text = (ROOT / "book" / "live" / script).read_text(encoding="utf-8")
    assert text.count(right) == 1, f"{right!r} stands {text.count(right)} times in {script}"
    pattern = f"**/live/{script}*"
    body = text.replace(right, wrong)
    live.page.route(pattern, lambda route: route.fulfill(body=body, content_type="text/javascript"))
    yield
    live.page.unroute(pattern)
