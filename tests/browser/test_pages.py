"""Every page of the site in a browser: it asks no other host for anything, nothing fails, and it works as it should."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import yaml

pytestmark = pytest.mark.browser

ROOT = Path(__file__).resolve().parents[2]
TOC = (ROOT / "_toc.yml").read_text(encoding="utf-8")
PAGES = re.findall(r"^[ -]*(?:root|file): (\S+)", TOC, flags=re.MULTILINE)
CHAPTERS = [page for page in PAGES if page.startswith("notebooks/")]
OTHERS = ["search", "genindex"]
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}

LOOK = r"""() => ({
  untypeset: [...document.querySelectorAll("article .math")].filter(e => !e.querySelector("mjx-container")).length,
  failed: [...document.querySelectorAll("mjx-merror")].map(e => e.textContent),
  unnamed: [...document.querySelectorAll("img")]
    .filter(e => !e.hasAttribute("alt") || /[\/\\]|\.(svg|png|jpe?g)$/.test(e.alt)).map(e => e.src),
  silent: [...document.querySelectorAll("article img")].filter(e => !e.alt.trim()).map(e => e.src),
  uncopied: [...document.querySelectorAll("article div.highlight pre")]
    .filter(e => !e.parentElement.querySelector("button.copybtn")).length,
})"""

WIDER_THAN_THE_SCREEN = """() => document.documentElement.scrollWidth <= innerWidth ? [] :
  [...document.querySelectorAll("main *")].filter(e => e.getBoundingClientRect().right > innerWidth + 1)
    .slice(0, 5).map(e => `${e.tagName.toLowerCase()}.${e.className}`)"""


@pytest.mark.parametrize("path", PAGES + OTHERS)
def test_page_is_sound(site, path):
    site.page.set_viewport_size(DESKTOP)
    problems = list(site.visit(f"{path}.html"))
    seen = site.page.evaluate(LOOK)
    site.page.set_viewport_size(PHONE)
    too_wide = site.page.evaluate(WIDER_THAN_THE_SCREEN)

    assert problems == [], "requests to other hosts, failed requests or errors"
    assert seen["untypeset"] == 0, "formulas that were not typeset"
    assert seen["failed"] == [], "formulas with errors"
    assert seen["unnamed"] == [], "images without alt text, or with a file's path as alt text"
    assert seen["silent"] == [], "figures with an empty alt text"
    assert seen["uncopied"] == 0, "blocks of code without a copy button"
    assert too_wide == [], f"wider than {PHONE['width']} pixels"


def test_mathematics_is_on_the_page_of_notation(site):
    site.visit("book/notation.html")

    assert site.page.locator("mjx-container").count() > 10


def test_index_leads_to_the_first_page(site):
    problems = site.visit("index.html", redirects_to=f"{PAGES[0]}.html")

    assert problems == []
    assert site.page.locator("h1").first.inner_text().startswith("Convolutional Networks, Recomputed")


def test_search_finds_a_chapter(site):
    site.visit("search.html?q=convolution")
    found = site.page.locator('#search-results ul.search li a[href*="notebooks/01_convolution_arithmetic.html"]')
    found.first.wait_for()  # results come one after the other

    assert site.problems == []


@pytest.mark.parametrize("path", CHAPTERS)
def test_launch_buttons_lead_to_the_notebook(site, path):
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    slug = "/".join(settings["tool"]["course"]["repository"].rstrip("/").split("/")[-2:])
    revision = rf"(v{settings['project']['version']}|[0-9a-f]{{40}})"  # the version's tag or a commit, no moving branch
    site.visit(f"{path}.html")
    links = [a.get_attribute("href") for a in site.page.locator(".article-header-buttons a").all()]

    for wanted in (
        rf"https://colab\.research\.google\.com/github/{slug}/blob/{revision}/{path}\.ipynb",
        rf"https://mybinder\.org/v2/gh/{slug}/{revision}\?urlpath=lab/tree/{path}\.ipynb",
    ):
        assert any(re.fullmatch(wanted, link) for link in links if link)
    assert f"../_sources/{path}.ipynb" in links
    assert (ROOT / f"{path}.ipynb").is_file(), "the notebook that the buttons open"
    assert site.page.request.get(f"{site.origin}_sources/{path}.ipynb").ok


@pytest.mark.parametrize("path", CHAPTERS)
def test_solutions_open(site, path):
    site.page.set_viewport_size(DESKTOP)
    site.visit(f"{path}.html")
    solutions = site.page.locator(".solution.dropdown")
    assert solutions.count() >= 4
    text = solutions.first.locator("section, .section, p:not(.admonition-title)").first
    assert not text.is_visible()

    solutions.first.locator(".toggle-button").click()

    text.wait_for(state="visible")
    assert site.problems == []


def test_dark_mode_can_be_chosen_and_stays(site):
    site.visit("book/notation.html")
    switch = site.page.locator(".theme-switch-button").first
    modes = {}
    for _ in range(3):
        switch.click()
        mode, theme = site.page.evaluate(
            "() => [document.documentElement.dataset.mode, document.documentElement.dataset.theme]"
        )
        modes[mode] = (theme, site.page.evaluate("() => getComputedStyle(document.body).backgroundColor"))
    assert set(modes) == {"light", "dark", "auto"}
    assert modes["dark"][0] == "dark"
    assert modes["light"][1] != modes["dark"][1]

    while site.page.evaluate("() => document.documentElement.dataset.mode") != "dark":
        switch.click()
    site.visit("book/glossary.html")

    assert site.page.evaluate("() => document.documentElement.dataset.theme") == "dark"
    site.page.evaluate("() => localStorage.clear()")


def test_table_of_contents_was_read():
    assert yaml.safe_load(TOC)["root"] == PAGES[0]
    assert len(CHAPTERS) >= 3
