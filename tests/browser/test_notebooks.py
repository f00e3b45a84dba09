"""The notebook behind each page's download button, rendered by nbconvert and opened in Chromium, against the page."""

from __future__ import annotations

import re
import tomllib
from urllib.parse import unquote, urldefrag

import nbformat
import pytest
from conftest import HTML, cannot_run, served
from notebook_pages import READ_NOTEBOOK, READ_PAGE, as_html, plain, sentence
from toy_book import ROOT

from course_suite.reader.markup import left_over

pytestmark = [pytest.mark.browser, pytest.mark.slow]
CHAPTERS = re.findall(r"file: notebooks/(\S+)", (ROOT / "_toc.yml").read_text(encoding="utf-8"))
SITE = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["course"]["site"].rstrip("/")


@pytest.fixture(scope="module")
def opened(page, tmp_path_factory):
    """What a chapter's page and its notebook show, by chapter; each is opened once."""
    if not (HTML / "index.html").is_file():
        cannot_run("no built site in _build/html; run: course build")
    folder, found = tmp_path_factory.mktemp("notebooks"), {}
    own = page.context.new_page()
    with served(HTML) as site, served(folder) as notebooks:
        own.route(lambda address: not address.startswith((site, notebooks)), lambda route: route.abort())

        def read(name: str) -> tuple[dict, dict, nbformat.NotebookNode]:
            if name not in found:
                notebook = nbformat.read(HTML / "_sources" / "notebooks" / f"{name}.ipynb", as_version=4)
                (folder / f"{name}.html").write_text(as_html(notebook), encoding="utf-8")
                own.goto(f"{site}notebooks/{name}.html", wait_until="domcontentloaded")
                shown = own.evaluate(READ_PAGE)
                own.goto(f"{notebooks}{name}.html", wait_until="domcontentloaded")
                found[name] = (shown, own.evaluate(READ_NOTEBOOK), notebook)
            return found[name]

        yield read
    own.close()


@pytest.mark.parametrize("name", CHAPTERS)
def test_every_number_of_the_page_stands_in_its_sentence(opened, name):
    page, notebook, _ = opened(name)
    text = plain(notebook["text"])
    assert page["glued"]
    assert [told for told in map(sentence, page["glued"]) if told not in text] == []


@pytest.mark.parametrize("name", CHAPTERS)
def test_headings_figures_equations_exercises_and_boxes_are_those_of_the_page(opened, name):
    page, notebook, source = opened(name)
    tags = re.findall(r"\\tag\{([\d.]+)\}", "\n".join(cell.source for cell in source.cells))
    figures = [told[:-1] for told in notebook["bold"] if re.fullmatch(r"Figure [\d.]+\.", told)]
    assert [plain(told) for told in notebook["headings"]] == [plain(told) for told in page["headings"]]
    assert figures == page["figures"]
    assert tags == page["equations"]
    boxes = notebook["boxes"]
    assert [told for told in boxes if told.startswith("Exercise ")] == page["exercises"]
    assert [told for told in boxes if told.startswith("Prediction ")] == page["predictions"]
    others = [told for told in boxes if not told.startswith(("Exercise ", "Prediction "))]
    assert [plain(told) for told in others] == [plain(told) for told in page["boxes"]]


@pytest.mark.parametrize("name", CHAPTERS)
def test_every_solution_is_there_and_closed(opened, name):
    page, notebook, _ = opened(name)
    solutions = [told for told in notebook["summaries"] if told.startswith("Solution ")]
    assert len(solutions) == len(page["solutions"])
    assert notebook["open"] == 0


@pytest.mark.parametrize("name", CHAPTERS)
def test_every_link_leads_somewhere(opened, name):
    _, notebook, _ = opened(name)
    broken = []
    for link in notebook["links"]:
        address, anchor = urldefrag(link)
        if not address:
            broken += [] if unquote(anchor) in notebook["ids"] else [link]
        elif address.startswith(SITE):
            path = HTML / address.removeprefix(f"{SITE}/")
            there = path.is_file() and (not anchor or f'id="{anchor}"' in path.read_text(encoding="utf-8"))
            broken += [] if there else [link]
        else:
            broken += [] if re.match(r"https?://[\w.-]+\.\w+/", link) else [link]
    assert broken == []


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_number_shows_where_it_was_computed_in_the_notebook_and_not_on_the_page(opened, name):
    page, notebook, source = opened(name)
    code = "\n".join(cell.source for cell in source.cells if cell.cell_type == "code")
    names = re.findall(r'\bglue\("([\w-]+)"', code)
    on_page = {given: page["text"].count(f"{given} = ") for given in names}
    assert [given for given in names if on_page[given] > code.count(f"{given} = ")] == []
    assert [given for given in names if f"{given} = " not in notebook["outputs"]] == []


@pytest.mark.parametrize("name", CHAPTERS)
def test_no_markup_is_left(opened, name):
    _, notebook, source = opened(name)
    cells = [cell.source for cell in source.cells if cell.cell_type == "markdown"]
    assert [left for cell in cells for left in left_over(cell)] == []
    assert re.findall(r"\{[a-z:]+\}`|:::|\((?:ch|sec|fig|eq)-[\w-]+\)=", notebook["text"]) == []


@pytest.mark.parametrize("name", CHAPTERS)
def test_figures_are_drawn_with_words_for_those_who_do_not_see_them(opened, name):
    page, notebook, source = opened(name)
    assert notebook["figuresDrawn"] >= len(page["figures"])
    drawings = [cell for cell in source.cells if "# @title Set-up: draws Figure" in cell.source]
    images = [output for cell in drawings for output in cell.outputs if any("image/" in kind for kind in output.data)]
    assert all(output.metadata[kind].alt for output in images for kind in output.data if "image/" in kind)
    words = [told for told in notebook["summaries"] if re.fullmatch(r"Figure [\d.]+ in words", told)]
    assert len(words) == len(page["figures"])
