"""What the ledger's main page shows: the counts by verdict and by source, and all figures. `ledger.py` uses it."""

from __future__ import annotations

from collections.abc import Iterable

from docutils import nodes
from ledger_nodes import SIGNS, Content, badge, class_of, computed, parts_of, printed, row, sign, table, text, why
from ledger_places import link

from course_suite.ledger import Entry
from course_suite.ledger.text import counts

MEANINGS = {
    "reproduced": "the computation gives exactly what is printed",
    "rounded": "it does after rounding, or truncating, to the digits printed",
    "measured": "our recorded runs address the figure: their number, mean and standard deviation stand beside it",
    "ambiguous": "the source does not say enough to compute it, or prints no number",
    "differs": "the computation gives something else; the row says what would explain it, where that is known",
    "not attempted": "nothing that arithmetic can decide, such as an accuracy on ImageNet or a setting of a training",
}
WORDS = {
    "reproduced": "equal", "rounded": "equal after rounding or truncating", "measured": "measured",
    "ambiguous": "ambiguous", "differs": "different", "not attempted": "not attempted",
}  # fmt: skip
FIGURE = ["Figure", "Printed", "Computed", "Verdict", "Why"]


def legend(entries: Iterable[Entry]) -> nodes.paragraph:
    """What the signs mean that stand before computed values."""
    rebuilt = any(entry.cell is not None for entry in entries)
    parts: Content = [text("Printed values stand above, computed ones below: " if rebuilt else "Signs: ")]
    for verdict, words in WORDS.items():
        parts += [sign(verdict), text(f" {words}, ")]
    alone = ". Where a printed value stands alone, nothing was computed, and the note says why." if rebuilt else "."
    parts[-1] = text(f" {WORDS['not attempted']}{alone}")
    return nodes.paragraph("", "", *parts)


def all_figures(entries: Iterable[Entry], *, anchors: bool) -> nodes.table:
    """A row for each figure. With ``anchors`` it is the table of all, whose rows can be linked to, and searched."""
    classes = ["ledger-figures", "ledger-all"] if anchors else ["ledger-figures"]
    return table(FIGURE, [figure_row(entry, anchors) for entry in entries], *classes)


def figure_row(entry: Entry, anchors: bool) -> nodes.row:
    """One figure with everything that the ledger says of it."""
    parts = parts_of(entry)
    unit = [text(f" {entry.unit}", "ledger-quiet")] if entry.unit else []
    contents = [
        [text(f"{entry.model}: {entry.quantity}"), where(entry)],
        [*printed(parts), *unit],
        computed(parts) if entry.compute is not None else [text("–", "ledger-quiet")],
        [badge(entry.verdict)],
        [text(why(entry))] if why(entry) else [],
    ]
    return row(
        contents, f"source-{entry.source}", class_of(entry.verdict), name=f"figure-{entry.id}" if anchors else ""
    )


def where(entry: Entry) -> nodes.inline:
    """The source, the place in it, and the chapter."""
    source = nodes.inline("", "", link("source", entry.source, text(entry.source)), classes=["ledger-source"])
    chapter = [text("; "), link("chapter", entry.chapter, text("chapter to come"))] if entry.chapter else []
    return nodes.inline("", "", source, text(f", {entry.location}"), *chapter, classes=["ledger-where"])


def verdicts(entries: Iterable[Entry]) -> nodes.table:
    """How many figures have each verdict, and what the verdict means."""
    found = counts(entries)
    rows = [row([[badge(name)], [text(str(found[name]))], [text(MEANINGS[name])]]) for name in SIGNS]
    return table(["Verdict", "Figures", "It means that"], rows, "ledger-verdicts")


def sources(pages: dict[str, list[Entry]]) -> nodes.table:
    """The pages of the papers, each with its counts."""
    rows = []
    for page, entries in pages.items():
        found = counts(entries)
        numbers = [[text(str(found[name]) if found[name] else "–", class_of(name))] for name in SIGNS]
        rows.append(row([[link("page", page)], [text(str(len(entries)))], *numbers]))
    return table(["Source", "Figures", *SIGNS], rows, "ledger-sources")
