"""The pieces in Firefox: each takes its place from a file, logs no error, and computes what Chromium computes."""

from __future__ import annotations

import asyncio
import json
import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest
from firefox import Firefox
from live_page import asked, opened

pytestmark = pytest.mark.browser

PROGRAM = next(filter(None, map(shutil.which, ("firefox", "firefox-esr"))), None)

# For each piece an expression over what its script computes.
COMPUTED = {
    "convention": "courseData.conventions.map(({ forms }) => course.convention.count(forms[0], 'macs', ['norm']))",
    "depth": "course.depth.linesOf(courseData.runs, 'test_loss', 'all').map(({ values }) => values)",
    "digit": """course.load("lenet_mnist").then((data) => Object.values(course.ink.EXAMPLES).map((text) =>
      Array.from(course.lenet.forward(data, course.ink.image(course.ink.read(text))).scores,
        (score) => score.toFixed(9))))""",
    "kernel": """course.kernel.map(course.kernel.pictures.photograph(courseData.photograph),
      [1, -2, 3, -4, 5, -6, 7, -8, 9], { stride: 3, padding: 2, dilation: 2 })""",
    "stack": "course.network.measure(course.network.parse(courseData.networks.vgg16.words))",
    "train": """(() => {
      const data = course.trainer.dataOf(courseData.digits.train);
      const run = course.trainer.run(data, { rate: 0.1, batch: 32, seed: 1, loop: "right" });
      return Array.from({ length: 5 }, () => run.step().loss.toFixed(9));
    })()""",
}
READY = """new Promise((resolve) => {
  const look = () => (document.querySelector(".live-on") ? resolve(true) : setTimeout(look, 20));
  look();
})"""


async def by_firefox(folder, html) -> tuple[dict[str, object], list[str]]:
    """What each piece computes in Firefox, and the errors that were logged."""
    async with Firefox(PROGRAM, folder) as browser:
        found = {}
        for name, expression in COMPUTED.items():
            await browser.open((html / f"{name}.html").as_uri())
            await browser.evaluate(READY)
            found[name] = await browser.evaluate(expression)
            assert await browser.evaluate("document.querySelectorAll('.live-fallback').length") == 1
        return found, browser.errors


@pytest.fixture(scope="module")
def in_firefox(tmp_path_factory, live_html):
    if PROGRAM is None:
        pytest.skip("no Firefox here (Debian and Ubuntu: apt install firefox-esr, or firefox)")
    folder = tmp_path_factory.mktemp("firefox")
    with ThreadPoolExecutor(1) as pool:  # Playwright keeps a loop of its own in this thread
        return pool.submit(lambda: asyncio.run(by_firefox(folder, live_html))).result()


def test_no_page_logs_an_error(in_firefox):
    assert in_firefox[1] == []


@pytest.mark.parametrize("name", COMPUTED)
def test_a_piece_computes_in_firefox_what_it_computes_in_chromium(live, in_firefox, name):
    opened(live, name)

    assert in_firefox[0][name] == asked(live, f"() => ({COMPUTED[name]})")
    assert json.dumps(in_firefox[0][name]) != "null"
