"""``course build``: a whole site or the one before, and a clear word about what is wrong."""

import pytest
from conftest import code

pytestmark = pytest.mark.slow


@pytest.fixture
def small(toy):
    """The toy course with one chapter."""
    toy.edit("_toc.yml", "- file: notebooks/02_toy\n", "")
    (toy.root / "notebooks/02_toy.md").unlink()
    return toy


def test_a_book_is_rendered_with_the_settings_and_only_once(small):
    ended = small.course("build")
    assert ended.status == 0, ended.out + ended.err
    assert "_build/html/index.html" in ended.out
    page = small.read("_build/html/notebooks/01_toy.html")
    assert "params 10" in page
    assert "github.com/OWNER/cnn-recomputed" in small.read("_build/source/_config.yml")
    again = small.course("build")
    assert again.status == 0
    assert "unchanged  the site" in again.out


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[nowhere](missing_page.md)", "missing_page.md"),
        ("{ref}`no-such-label`", "no-such-label"),
    ],
)
def test_a_broken_link_fails_and_leaves_the_old_site(small, text, message):
    assert small.course("build").status == 0
    before = small.read("_build/html/book/preface.html")
    small.write("book/preface.md", small.read("book/preface.md") + text)
    ended = small.course("build")
    assert ended.status == 1
    assert message in ended.out
    assert "preface.md" in ended.out
    assert small.read("_build/html/book/preface.html") == before


def test_an_empty_page_fails(small):
    small.write("book/preface.md", "")
    ended = small.course("build")
    assert ended.status == 1
    assert "preface" in ended.out


def test_a_failing_chapter_is_not_rendered(small):
    small.chapter(1, code("1 / 0"))
    ended = small.course("build")
    assert ended.status == 1
    assert "ZeroDivisionError" in ended.out
    assert not (small.root / "_build" / "html").exists()
