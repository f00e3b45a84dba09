"""The rendered site without a browser: its pages, links, addresses, metadata and weight; and the pages' sources."""

from __future__ import annotations

import json
import os
import re
import tomllib
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin, urlparse

import pytest
import yaml
from site_pages import BASE, HTML, ROOT, Page

TOC = (ROOT / "_toc.yml").read_text(encoding="utf-8")
PAGES = re.findall(r"^[ -]*(?:root|file): (\S+)", TOC, flags=re.MULTILINE)
CHAPTERS = [page for page in PAGES if page.startswith("notebooks/")]
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["course"]

EXECUTED = HTML.parent / "executed"  # the copies that the pages were rendered from
LARGEST_PAGE = 5_000_000  # bytes of one page with every script, style sheet and picture that it names, uncompressed
LARGEST_SITE_STATIC = 4_000_000  # bytes of everything under _static

site = pytest.mark.site
pytestmark = pytest.mark.texts


@pytest.fixture(scope="session")
def pages() -> dict[str, Page]:
    """Every page of the built site by its address."""
    if not (HTML / "index.html").is_file():
        reason = "no built site in _build/html; run: course build"
        if os.environ.get("CI"):
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    found = [Page(path) for path in sorted(HTML.rglob("*.html")) if "_static" not in path.parts]
    return {page.address: page for page in found}


@site
@pytest.mark.parametrize("name", PAGES)
def test_every_page_of_the_contents_is_there_and_has_text(pages, name):
    page = pages.get(f"{BASE}{name}.html")

    assert page is not None, f"_build/html/{name}.html does not exist"
    assert len(page.text.split()) > 40


@site
def test_links_and_anchors_inside_the_site_resolve(pages):
    broken = []
    for page in pages.values():
        for link in page.links:
            target, anchor = urldefrag(urljoin(page.address, link))
            if not target.startswith(BASE):
                continue
            lost = anchor and target in pages and unquote(anchor) not in pages[target].ids
            if lost or not page.file_of(link).is_file():
                broken.append(f"{page.name} -> {link}")

    assert broken == []


@site
def test_nothing_is_fetched_from_another_host(pages):
    named = {address for page in pages.values() for address in page.fetched}
    foreign = [address for address in named if urlparse(address).netloc]
    for sheet in HTML.rglob("*.css"):
        text = sheet.read_text(encoding="utf-8")
        foreign += re.findall(r"""(?:url\(|@import)\s*["']?((?:https?:)?//[^"')]+)""", text)

    assert foreign == []


@site
def test_everything_that_a_page_names_is_there(pages):
    missing = {
        f"{page.name} -> {address}"
        for page in pages.values()
        for address in page.fetched
        if not address.startswith("data:") and not page.file_of(address).is_file()
    }

    assert missing == set()


@site
@pytest.mark.parametrize("name", PAGES)
def test_weight_of_a_page_with_all_that_it_names(pages, name, record_property):
    page = pages[f"{BASE}{name}.html"]
    files = {page.file_of(address) for address in page.fetched if not address.startswith("data:")}
    weight = page.path.stat().st_size + sum(file.stat().st_size for file in files)
    record_property("bytes", weight)
    print(f"{name}: {weight:,} bytes, of which {page.path.stat().st_size:,} are the page itself")

    assert weight <= LARGEST_PAGE


@site
def test_weight_of_what_all_pages_share(pages):
    files = [path for path in (HTML / "_static").rglob("*") if path.is_file()]
    weight = sum(path.stat().st_size for path in files)
    print(f"_static: {weight:,} bytes in {len(files)} files")

    assert weight <= LARGEST_SITE_STATIC
    assert not list((HTML / "_static").rglob("*thebe*"))


@site
@pytest.mark.parametrize("name", CHAPTERS)
def test_numbers_in_the_text_are_those_that_the_chapter_computed(pages, name):
    cells = json.loads((EXECUTED / f"{Path(name).name}.ipynb").read_text(encoding="utf-8"))["cells"]
    text = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    names = re.findall(r"\{glue:text\}`([^`]+)`", text)

    # The page sets apostrophes in type.
    shown = [glued.replace("’", "'") for glued in pages[f"{BASE}{name}.html"].glued]
    assert list(zip(names, shown, strict=True)) == [(key, computed_in(cells)[key]) for key in names]


def computed_in(cells: list[dict]) -> dict[str, str]:
    """What the cells of an executed chapter glued, by name; the last value of each."""
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    records = [output for output in outputs if "scrapbook" in output.get("metadata", {})]
    return {
        record["metadata"]["scrapbook"]["name"]: "".join(
            record["data"]["application/papermill.record/text/plain"]
        ).strip("'\"")
        for record in records
    }


@site
@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_carries_the_number_of_its_file(pages, name):
    number = int(Path(name).name.partition("_")[0])
    page = pages[f"{BASE}{name}.html"]

    assert page.text.lstrip().startswith(f"{number}. ")
    assert page.meta["og:title"].startswith(f"{number}. ")
    assert set(re.findall(r"Figure (\d+)\.\d+", page.text)) <= {str(int(Path(other).name[:2])) for other in CHAPTERS}


@site
def test_addresses_come_from_the_setting(pages):
    for name in PAGES:
        page = pages[f"{BASE}{name}.html"]
        assert page.meta["og:url"] == f"{SETTINGS['site'].rstrip('/')}/{name}.html"
        assert page.meta["og:site_name"] == "Convolutional Networks, Recomputed"
        assert not re.search(r"@(REPOSITORY|SLUG|BRANCH|SITE|MODULES)\b", page.text), "an address was not filled in"
    assert f"git clone {SETTINGS['repository']}" in pages[f"{BASE}book/how_to_run.html"].text


@site
def test_sitemap_lists_every_page(pages):
    listed = re.findall("<loc>([^<]+)</loc>", (HTML / "sitemap.xml").read_text(encoding="utf-8"))

    assert {f"{SETTINGS['site'].rstrip('/')}/{name}.html" for name in PAGES} <= set(listed)


def test_every_source_of_a_page_stands_in_the_contents():
    sources = {path.relative_to(ROOT).with_suffix("").as_posix() for path in (ROOT / "book").rglob("*.md")}

    assert sources == {page for page in PAGES if page.startswith("book/")}


def test_every_module_has_its_page_in_the_reference():
    library = ROOT / "course_lib"
    modules = {path.parent.name for path in library.glob("*/__init__.py")} | {"ledger", "records"}
    modules |= {path.stem for path in library.glob("[!_]*.py")}

    assert {f"book/api/{module}" for module in modules} == {page for page in PAGES if page.startswith("book/api/")}


@site
def test_the_preface_lists_every_chapter_in_order(pages):
    preface = pages[f"{BASE}book/preface.html"]
    links = [urljoin(preface.address, link) for link in preface.article_links]
    listed = [link for link in links if re.search(r"/notebooks/\d\d_\w+\.html$", link)]

    assert listed[-len(CHAPTERS) :] == [f"{BASE}{name}.html" for name in CHAPTERS]


@site
def test_an_address_of_a_page_that_moved_leads_to_it(pages):
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["sphinx"]["config"]

    assert config["redirects"]
    for old, new in config["redirects"].items():
        assert old not in PAGES
        target = urljoin(f"{BASE}{old}.html", new)
        assert target in pages
        assert new in pages[f"{BASE}{old}.html"].path.read_text(encoding="utf-8")


def test_no_address_of_the_repository_stands_in_the_configuration():
    config = (ROOT / "_config.yml").read_text(encoding="utf-8")

    assert "repository" not in yaml.safe_load(config)
    assert "cnn-recomputed" not in config


@pytest.mark.parametrize("path", sorted((ROOT / "book" / "extensions").glob("*.py")), ids=lambda path: path.stem)
def test_an_extension_is_used(path):
    loaded = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["sphinx"]["local_extensions"]
    others = [other.read_text(encoding="utf-8") for other in path.parent.glob("*.py") if other != path]
    assert path.stem in loaded or any(re.search(rf"^(from|import) {path.stem}\b", text, re.M) for text in others)


def test_the_banner_shows_a_true_cross_correlation():
    texts = re.findall(r">([−\d]+)</text>", (ROOT / "book/_static/banner.svg").read_text(encoding="utf-8"))
    numbers = [int(text.replace("−", "-")) for text in texts]
    image, kernel, output = numbers[:25], numbers[25:34], numbers[34:]

    assert output == [
        sum(image[5 * (i + u) + j + v] * kernel[3 * u + v] for u in range(3) for v in range(3))
        for i in range(3)
        for j in range(3)
    ]
