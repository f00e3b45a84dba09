"""The ledger's page in a browser: search and filters by keyboard, links to rows, and the table without a script."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.browser

ROWS = "table.ledger-all tbody tr"
PATH = "book/ledger.html"


def visible(site) -> int:
    return site.page.locator(f"{ROWS}:visible").count()


def test_search_and_filters_work_from_the_keyboard(site):
    assert site.visit(PATH) == []
    whole = site.page.locator(ROWS).count()

    site.page.get_by_label("Search the figures").focus()
    site.page.keyboard.type("alexnet 253,440")
    assert visible(site) == 1
    assert site.page.locator("form.ledger-controls output").inner_text() == f"1 of {whole} figures"

    for _ in range(3):
        site.page.keyboard.press("Tab")
    site.page.keyboard.press("Enter")  # on "Show all"
    site.page.wait_for_function(f"document.querySelectorAll('{ROWS}:not([hidden])').length === {whole}")
    assert "q=" not in site.page.url

    site.page.get_by_label("Verdict", exact=True).select_option("differs")
    shown = visible(site)
    assert 0 < shown < whole
    assert site.page.locator(f"{ROWS}:visible", has_text="≠ differs").count() == shown
    assert site.page.url.endswith("?verdict=differs")


def test_the_address_keeps_a_choice_and_a_link_to_a_row_wins(site):
    site.visit(f"{PATH}?verdict=differs&source=krizhevsky2012imagenet")
    assert 0 < visible(site) < 20

    site.page.evaluate("location.hash = 'figure-lenet-5-c1-connections'")
    row = site.page.locator("#figure-lenet-5-c1-connections")
    row.wait_for(state="visible")
    assert "122,304" in row.inner_text()


def test_the_table_is_whole_without_its_script(site):
    site.page.route("**/ledger.js*", lambda route: route.fulfill(body="", content_type="text/javascript"))
    site.visit(PATH)
    site.page.unroute("**/ledger.js*")

    assert site.page.locator("form.ledger-controls").count() == 0
    assert visible(site) == site.page.locator(ROWS).count() > 90


def test_a_row_leads_to_its_chapter_and_to_the_bibliography(site):
    site.visit(PATH)
    links = site.page.locator("#figure-lenet-5-c1-connections a").evaluate_all("all => all.map(a => a.pathname)")

    assert [link.rpartition("/")[2] for link in links] == ["bibliography.html", "09_lenet5.html"]
