"""Predict, then see; and exercises that answer on the page: on a small page, in a browser."""

import base64
import json

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from recorder import Recorder
from toy_book import render

pytestmark = pytest.mark.browser

TEXT = """\
# A chapter

:::{predict} pr-toy-1
:options: fewer | the same | more

Will there be **fewer**, the same, or more?
:::

The answer is more.

(sec-inside)=
Because of this.

:::{revealed}
:::

## After

:::{predict} pr-toy-2
How many?
:::

Seven of them.

:::{revealed}
:::

Beyond the mark.

:::{exercise}
:label: ex-toy
How much is 2.345 times ten, and which way?
:::
"""
KEY = {"value": [23.45, "up"], "hint": "ten times", "rel_tol": None, "digits": 3}


def glued(name, text):
    prefix = "application/papermill.record/"
    metadata = {"scrapbook": {"name": name, "mime_prefix": prefix}}
    return new_output("display_data", {f"{prefix}text/plain": repr(text)}, metadata=metadata)


def chapter(outcome="more", key=KEY):
    encoded = base64.b64encode(json.dumps(key).encode()).decode()[::-1]
    outputs = [glued("key-ex-toy", encoded)] + ([glued("pr-toy-1", outcome)] if outcome else [])
    metadata = {
        "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
        "language_info": {"name": "python", "pygments_lexer": "ipython3"},
    }
    cells = [new_markdown_cell(TEXT), new_code_cell("1", outputs=outputs, execution_count=1)]
    return nbformat.writes(new_notebook(cells=cells, metadata=metadata))


MINE = "# Mine\n\n```{predictions}\n```\n"


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    pages = {"07_toy.ipynb": chapter(), "mine": MINE, "plain": "# Plain\n\nWords."}
    html, warnings = render(tmp_path_factory.mktemp("predict"), pages)
    assert warnings == ""
    return html


@pytest.fixture
def at(page, book):
    """Opens a page of the toy book from the file system, with nothing kept from before."""
    own = page.context.browser.new_context(viewport={"width": 390, "height": 844})
    tab = own.new_page()
    watch = Recorder(tab, book.as_uri() + "/")

    def visit(path):
        assert watch.visit(path) == []
        return tab

    yield visit
    own.close()


def test_the_script_stands_on_pages_with_predictions_alone(book):
    assert "live/predict.js" in (book / "07_toy.html").read_text()
    assert "live/predict.js" not in (book / "plain.html").read_text()


def test_what_follows_is_folded_up_to_the_mark_until_the_reader_answers(at):
    tab = at("07_toy.html")
    assert not tab.get_by_text("The answer is more.").is_visible()
    assert tab.get_by_text("Beyond the mark.").is_visible()
    assert tab.get_by_role("button", name="See what came out").first.is_disabled()
    tab.get_by_label("more", exact=True).check()
    tab.get_by_role("button", name="See what came out").first.click()
    assert tab.get_by_text("The answer is more.").is_visible()
    assert "What came out: more — as you said." in tab.locator("#pr-toy-1").inner_text()
    assert not tab.get_by_text("Seven of them.").is_visible()
    tab.reload()
    assert tab.get_by_text("The answer is more.").is_visible()


def test_a_wrong_prediction_says_what_came_out(at):
    tab = at("07_toy.html")
    tab.get_by_label("fewer", exact=True).check()
    tab.locator("#pr-toy-1 [type=submit]").click()
    assert "You predicted: fewer" in tab.locator("#pr-toy-1").inner_text()
    assert "What came out: more — read why." in tab.locator("#pr-toy-1").inner_text()


def test_the_keyboard_is_enough(at):
    tab = at("07_toy.html")
    tab.locator("#pr-toy-2 textarea").focus()
    tab.keyboard.type("six")
    tab.keyboard.press("Tab")
    tab.keyboard.press("Enter")
    assert tab.get_by_text("Seven of them.").is_visible()
    assert tab.evaluate("document.activeElement.className") == "predict-said"


def test_a_link_and_the_browsers_search_open_a_fold(at):
    tab = at("07_toy.html#sec-inside")
    assert tab.get_by_text("Because of this.").is_visible()
    tab = at("07_toy.html")
    assert tab.locator("#pr-toy-2-answer").get_attribute("hidden") == "until-found"


def test_showing_all_holds_for_every_page_until_asked_again(at):
    tab = at("07_toy.html")
    tab.locator("#pr-toy-1").get_by_role("button", name="Show all, always").click()
    assert tab.get_by_text("Seven of them.").is_visible()
    tab.reload()
    assert tab.get_by_text("The answer is more.").is_visible()
    tab.locator("#pr-toy-1").get_by_role("button", name="Ask me again").click()
    assert not tab.get_by_text("The answer is more.").is_visible()


def test_without_scripts_and_in_print_all_is_open(page, book):
    own = page.context.browser.new_context(java_script_enabled=False)
    tab = own.new_page()
    tab.goto(f"{book.as_uri()}/07_toy.html")
    assert tab.get_by_text("Seven of them.").is_visible()
    own.close()
    own = page.context.browser.new_context()
    tab = own.new_page()
    tab.goto(f"{book.as_uri()}/07_toy.html")
    tab.emulate_media(media="print")
    assert tab.get_by_text("Seven of them.").is_visible()
    assert not tab.locator("#pr-toy-1 form").is_visible()
    own.close()


def test_the_list_holds_all_predictions_with_what_was_said_and_exports_them(at):
    tab = at("07_toy.html")
    tab.get_by_label("fewer", exact=True).check()
    tab.locator("#pr-toy-1 [type=submit]").click()
    tab = at("mine.html")
    items = [" ".join(text.split()) for text in tab.locator("li.prediction").all_inner_texts()]
    assert items == [
        "Prediction 7.1: Will there be fewer, the same, or more? You predicted: fewer. What came out: more.",
        "Prediction 7.2: How many? Not predicted yet.",
    ]
    with tab.expect_download() as download:
        tab.get_by_role("button", name="Save as CSV").click()
    assert download.value.path().read_text().splitlines()[1].startswith('"Prediction 7.1","Will there be fewer')


@pytest.mark.parametrize(("outcome", "words"), [("", "never calls reveal"), ("many", "it reveals 'many'")])
def test_options_without_one_that_came_out_are_an_error(tmp_path, outcome, words):
    _, warnings = render(tmp_path, {"07_toy.ipynb": chapter(outcome)})
    assert "the prediction pr-toy-1 has options, and" in warnings
    assert words in warnings


def test_an_exercise_answers_with_a_hint_and_never_the_solution(at):
    tab = at("07_toy.html")
    box = tab.locator(".answer-box")
    box.get_by_label("Your answer: 2 values, separated by commas").fill("23.3, up")
    box.get_by_role("button").click()
    assert box.locator(".answer-said").inner_text() == "Not yet. Hint: ten times"
    box.get_by_role("textbox").fill("(23.5, UP)")
    box.get_by_role("textbox").press("Enter")
    assert box.locator(".answer-said").inner_text() == "Correct."
    tab.reload()
    assert tab.locator(".answer-box input").input_value() == "(23.5, UP)"
    assert "23.45" not in tab.content()


SAME = [
    (24, "24", "24.0", "23"),
    (61706, "61,706", "61706", "61705"),
    (23.529, "23.5", "23.53", "23.6"),
    (0.6, "3/5", ".6", "0.61"),
    (-0.5, "−0.5", "-1/2", "0.5"),
    (0.002, "2e-3", "0.002", "0.0021"),
    ("grey", "grey", " 'Grey' ", "gray"),
    (True, "yes", "True", "no"),
    ([1, 2.5], "1, 2.5", "[1, 2.50]", "2.5, 1"),
    ([[1, 2], [3, 4]], "1,2,3,4", "[[1, 2], [3, 4]]", "1,2,3"),
    ({"any order": ["a", "b"]}, "b, a", "{'a', 'b'}", "a, a"),
]


@pytest.mark.parametrize(("value", "right", "other", "wrong"), SAME)
def test_the_page_compares_by_the_librarys_rule(at, value, right, other, wrong):
    tab = at("07_toy.html")
    told = tab.evaluate(
        "([value, texts]) => texts.map(t => course.answers.same(t, value, {rel_tol: null, digits: 3}))",
        [value, [right, other, wrong, ""]],
    )
    assert told == [True, True, False, False]
