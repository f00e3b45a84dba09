"""A reader's notebook and its page, both opened in a browser and read with the same questions."""

from __future__ import annotations

import re
from typing import Any

import nbformat
from nbconvert import HTMLExporter

# What the page has, piece by piece. Text around a number: what stands in the same line of text, without other markup.
READ_PAGE = """() => {
  const words = node => (node ? node.textContent : "").replace(/\\s+/g, " ");
  const near = node => node && node.nodeType === 3 ? node.textContent.replace(/\\s+/g, " ") : "";
  const article = document.querySelector("article");
  const all = (selector, read) => [...article.querySelectorAll(selector)].map(read);
  return {
    text: words(article),
    headings: all("h1, h2, h3, h4", node => words(node).replace(/#\\s*$/, "").trim()),
    figures: all("figcaption .caption-number", node => words(node).trim().replace(/\\.$/, "")),
    equations: all(".eqno", node => words(node).replace(/[^0-9.]/g, "")),
    exercises: all(".exercise > .admonition-title", node => words(node).trim()),
    solutions: all(".solution > .admonition-title", node => words(node).trim()),
    predictions: all(".predict > .admonition-title", node => words(node).trim()),
    boxes: all(".admonition > .admonition-title", node => words(node).trim()).filter(
      told => !/^(Exercise|Solution|Prediction) /.test(told)),
    glued: all(".pasted-text", node => ({
      value: words(node), before: near(node.previousSibling), after: near(node.nextSibling),
    })),
  };
}"""

READ_NOTEBOOK = """() => {
  const words = node => node.textContent.replace(/\\s+/g, " ").trim();
  const cells = [...document.querySelectorAll(".jp-RenderedMarkdown")];
  const all = (selector, read) => cells.flatMap(cell => [...cell.querySelectorAll(selector)].map(read));
  const text = cells.map(words).join(" ");
  return {
    text,
    headings: all("h1, h2, h3, h4", node => words(node).replace(/¶$/, "").trim()),
    bold: all("strong", words),
    boxes: all("blockquote > p:first-child > strong:only-child", words),
    summaries: all("summary", words),
    open: all("details", node => node.open).filter(Boolean).length,
    links: all("a[href]:not(.anchor-link)", node => node.getAttribute("href")),
    ids: [...document.querySelectorAll("[id]")].map(node => node.id),
    outputs: [...document.querySelectorAll(".jp-OutputArea-output")].map(words).join(" "),
    figuresDrawn: document.querySelectorAll(".jp-OutputArea-output img, .jp-OutputArea-output svg").length,
  };
}"""


def as_html(notebook: nbformat.NotebookNode) -> str:
    """What nbconvert makes of a notebook."""
    return HTMLExporter(template_name="lab").from_notebook_node(notebook)[0]


def plain(text: str) -> str:
    """Text without differences of typography: the page sets quotation marks and dashes in type."""
    for typed, names in {"'": "’‘", '"': "“”", "-": "–—−", "...": "…"}.items():
        text = re.sub(f"[{names}]", typed, text)
    return re.sub(r"-+", "-", " ".join(text.split()))


def sentence(glued: dict[str, Any], width: int = 25) -> str:
    """A number with what stands right before and after it on the page."""
    return plain(glued["before"][-width:] + glued["value"] + glued["after"][:width])
