"""The watch over the pages sees what it is there to see."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.browser

PAGE = '<!doctype html><link rel="icon" href="data:,"><title>toy</title><p>A toy page.</p>'


def test_a_sound_page_has_no_problems(toy, tmp_path):
    (tmp_path / "toy.html").write_text(PAGE)

    assert toy.visit("toy.html") == []
    assert toy.requests == [f"{toy.origin}toy.html"]


@pytest.mark.parametrize(
    ("flaw", "problem"),
    [
        ('<script src="http://example.invalid/x.js"></script>', "request to another host: http://example.invalid/x.js"),
        ('<img alt="x" src="https://example.invalid/x.png">', "request to another host: https://example.invalid/x.png"),
        (
            "<style>@import url(//example.invalid/x.css);</style>",
            "request to another host: http://example.invalid/x.css",
        ),
        (
            "<script>fetch('http://example.invalid/').catch(() => 0)</script>",
            "request to another host: http://example.inv",
        ),
        ("<script>nowhere.at.all</script>", "page error: nowhere is not defined"),
        ("<script>const a = 1</script><script>const a = 1</script>", "page error: Identifier 'a' has already been"),
        ("<script>Promise.reject(new Error('late'))</script>", "page error: late"),
        ("<script>console.error('broken')</script>", "console error: broken"),
        ('<script src="missing.js"></script>', "status 404: "),
    ],
)
def test_a_flaw_is_reported(toy, tmp_path, flaw, problem):
    (tmp_path / "toy.html").write_text(PAGE + flaw)

    problems = toy.visit("toy.html")

    assert any(found.startswith(problem) for found in problems), problems
