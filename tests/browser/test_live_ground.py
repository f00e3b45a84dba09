"""The ground of the live pieces: the directive, its required fallback, and files only where they are used."""

from __future__ import annotations

from pathlib import Path

import pytest
from toy_book import page_with, render

NAME = "kernel"
FLAWED = {
    "no_fallback": (f"# A page\n\n:::{{live}} {NAME}\n:::\n", f"the live piece {NAME!r} has no fallback"),
    "no_such_piece": ("# A page\n\n:::{live} nothing\nWords.\n:::\n", "no live piece is called 'nothing'; there are: "),
    "no_name": ("# A page\n\n:::{live}\nWords.\n:::\n", "1 argument(s) required"),
}
SOUND = {
    "one": page_with(NAME),
    "two": page_with(NAME, "stride=2") + page_with(NAME).split("\n", 1)[1],
    "none": "# Another page\n\nWords.\n",
}


@pytest.fixture(scope="module")
def rendered(tmp_path_factory) -> tuple[Path, str]:
    """The site of all these pages, and its warnings."""
    pages = {name: page for name, (page, _) in FLAWED.items()} | SOUND
    return render(tmp_path_factory.mktemp("ground"), pages)


def text_of(rendered: tuple[Path, str], name: str) -> str:
    return (rendered[0] / f"{name}.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", FLAWED)
def test_a_directive_that_cannot_work_is_an_error_that_says_why(rendered, name):
    warned = [line for line in rendered[1].splitlines() if f"{name}.md" in line]

    assert len(warned) == 1
    assert FLAWED[name][1] in rendered[1]
    assert "data-piece" not in text_of(rendered, name)


def test_sound_pages_give_no_warning(rendered):
    assert [line for line in rendered[1].splitlines() if any(f"{name}.md" in line for name in SOUND)] == []


def test_scripts_style_and_data_stand_only_on_the_page_that_uses_them(rendered):
    used, unused = text_of(rendered, "one"), text_of(rendered, "none")

    assert "live/live.css?v=" in used
    assert f"live/{NAME}.js?v=" in used
    assert used.count("live/live.js") == 1
    assert "live/" not in unused
    assert (rendered[0] / "live" / f"{NAME}.js").is_file()
    assert not list((rendered[0] / "_static").rglob(f"{NAME}.js"))


def test_two_pieces_of_one_kind_have_places_and_states_of_their_own(rendered):
    text = text_of(rendered, "two")

    assert text.count(f'id="live-{NAME}"') == text.count(f'id="live-{NAME}-2"') == 1
    assert text.count('data-state="stride=2"') == 1
    assert text.count(f"live/{NAME}.js") == 1
