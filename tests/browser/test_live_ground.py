"""The ground of the live pieces: the directive, its required fallback, and files only where they are used."""

from __future__ import annotations

import pytest
from toy_book import page_with, render

NAME = "kernel"


@pytest.mark.parametrize(
    ("page", "problem"),
    [
        (f"# A page\n\n:::{{live}} {NAME}\n:::\n", f"the live piece {NAME!r} has no fallback"),
        ("# A page\n\n:::{live} nothing\nWords.\n:::\n", "no live piece is called 'nothing'; there are: "),
        ("# A page\n\n:::{live}\nWords.\n:::\n", "1 argument(s) required"),
    ],
)
def test_a_directive_that_cannot_work_is_an_error_that_says_why(tmp_path, page, problem):
    html, warnings = render(tmp_path, {"page": page})

    assert problem in warnings
    assert "data-piece" not in (html / "page.html").read_text(encoding="utf-8")


def test_scripts_style_and_data_stand_only_on_the_page_that_uses_them(tmp_path):
    html, warnings = render(tmp_path, {"with": page_with(NAME), "without": "# Another page\n\nWords.\n"})
    used, unused = ((html / f"{name}.html").read_text(encoding="utf-8") for name in ("with", "without"))

    assert warnings == ""
    assert "live/live.css?v=" in used
    assert f"live/{NAME}.js?v=" in used
    assert used.count("live/live.js") == 1
    assert "live/" not in unused
    assert (html / "live" / f"{NAME}.js").is_file()
    assert not list((html / "_static").rglob(f"{NAME}.js"))


def test_two_pieces_of_one_kind_have_places_and_states_of_their_own(tmp_path):
    two = page_with(NAME, "stride=2") + page_with(NAME).split("\n", 1)[1]
    html, _ = render(tmp_path, {"page": two})
    text = (html / "page.html").read_text(encoding="utf-8")

    assert text.count(f'id="live-{NAME}"') == text.count(f'id="live-{NAME}-2"') == 1
    assert 'data-state="stride=2"' in text
