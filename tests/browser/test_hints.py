"""A word of the glossary shows its sentence on hover and on focus."""

import pytest
from toy_book import render

pytestmark = pytest.mark.browser

GLOSSARY = """\
# Glossary

```{glossary}
stride
    How far a window moves, in pixels. The default is 1.

padding
    Pixels around an image.
```
"""
PAGE = """\
# A page

The {term}`stride` is two, and {term}`strides <stride>` may differ; {ref}`here <here>`.

(here)=
## Here
"""
SHOWN = "e => getComputedStyle(e, '::after').content"


def test_the_first_sentence_is_shown_on_hover_and_on_focus(page, tmp_path):
    html, warnings = render(tmp_path, {"book/glossary": GLOSSARY, "page": PAGE})
    assert warnings == ""
    page.goto(f"{html.as_uri()}/page.html")
    links = page.locator("a.has-hint")
    assert [link.get_attribute("data-hint") for link in links.all()] == ["How far a window moves, in pixels."] * 2
    assert links.first.evaluate(SHOWN) == "none"
    links.first.hover()
    assert links.first.evaluate(SHOWN) == '"How far a window moves, in pixels."'
    links.last.focus()
    page.keyboard.press("Shift+Tab")
    assert links.first.evaluate("e => e === document.activeElement")
    page.mouse.move(0, 0)
    assert links.first.evaluate(SHOWN) == '"How far a window moves, in pixels."'
