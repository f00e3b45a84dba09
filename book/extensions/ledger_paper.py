"""What the page of one source shows: its tables rebuilt, each cell printed and computed. `ledger.py` uses it."""

from __future__ import annotations

import re

from docutils import nodes
from ledger_nodes import Content, computed, parts_of, printed, row, section, table, text, why
from ledger_tables import all_figures

from course_suite.ledger import Entry, Part
from course_suite.ledger.compare import NEEDS_NO_REASON
from course_suite.ledger.text import counts_text


def paper(entries: list[Entry]) -> list[nodes.Node]:
    """The counts of a source, its tables rebuilt, and its figures that stand in no table."""
    made: list[nodes.Node] = [
        nodes.paragraph("", f"{len(entries)} figures: {counts_text(entries)}."),
        *rebuilt(entries),
    ]
    rest = [entry for entry in entries if entry.cell is None]
    if not rest:
        return made
    figures = all_figures(rest, anchors=False)
    return [*made, figures if len(rest) == len(entries) else section("Figures outside the tables", figures)]


def rebuilt(entries: list[Entry]) -> list[nodes.Node]:
    """The tables that a paper prints, each with its notes: a printed value, and below it what was computed."""
    tables: dict[str, list[Entry]] = {}
    for entry in entries:
        if entry.cell is not None:
            tables.setdefault(entry.cell.table, []).append(entry)
    in_order = sorted(tables, key=lambda name: [int(number) for number in re.findall(r"\d+", name)][:1])
    return [section(name, *one_table(tables[name])) for name in in_order]


def one_table(entries: list[Entry]) -> list[nodes.Node]:
    """One printed table, its columns in the order of its fullest row, and the notes to its cells."""
    notes = list(dict.fromkeys(why(entry) for entry in entries if why(entry)))
    all_share_one = len(notes) == 1 and all(why(entry) for entry in entries)
    rows: dict[str, dict[str, Content]] = {}
    for entry in entries:
        number = 0 if all_share_one or not why(entry) else notes.index(why(entry)) + 1
        for column, content in cells_of(entry, number).items():
            there = rows.setdefault(entry.cell.row, {}).setdefault(column, [])
            there += [text("; "), *content] if there else content
    fullest = max(rows.values(), key=len)
    heads = list(dict.fromkeys(column for cells in (fullest, *rows.values()) for column in cells))
    units = units_of(entries)
    shared = set(units.values()) if len(set(units.values())) == 1 and set(units) == set(heads) else set()
    named = {head for head in units if "(" in head or {*units[head].lower().split()} <= {*head.lower().split()}}
    titles = [
        f"{head}, {units[head]}" if head in units and head not in named and not shared else head for head in heads
    ]
    made = [row([[text(name)], *[cells.get(head, []) for head in heads]]) for name, cells in rows.items()]
    items = [nodes.list_item("", nodes.paragraph("", note)) for note in notes]
    numbered = [nodes.enumerated_list("", *items, enumtype="arabic", prefix="", suffix=".")] if items else []
    return [
        *[nodes.paragraph("", f"In {unit}.") for unit in shared],
        table(["", *titles], made, "ledger-rebuilt"),
        *([nodes.paragraph("", notes[0])] if all_share_one else numbered),
    ]


def units_of(entries: list[Entry]) -> dict[str, str]:
    """The unit of each column in which all figures have the same one."""
    found: dict[str, set[str]] = {}
    for entry in entries:
        columns, units = entry.cell.columns, re.split(r" / |, ", entry.unit or "")
        for place, column in enumerate(columns):
            found.setdefault(column, set()).add(units[place] if len(units) == len(columns) else entry.unit or "")
    return {column: units.pop() for column, units in found.items() if len(units) == 1 and units != {""}}


def cells_of(entry: Entry, number: int) -> dict[str, Content]:
    """What an entry puts into the columns of its row. The note goes to the parts that are not plainly right, if any."""
    parts, columns = parts_of(entry), entry.cell.columns
    groups = [[part] for part in parts] if len(columns) == len(parts) else [parts]
    open_ones = [group for group in groups if any(part.verdict not in (*NEEDS_NO_REASON, None) for part in group)]
    noted = [group for group in groups if group in open_ones or not open_ones] if number else []
    return {column: cell(group, number * (group in noted)) for column, group in zip(columns, groups, strict=True)}


def cell(parts: list[Part], number: int) -> Content:
    """The content of a cell: printed, the number of its note, computed."""
    content = [*printed(parts), nodes.superscript("", str(number))] if number else printed(parts)
    if any(part.found is not None for part in parts):
        content.append(nodes.inline("", " ", *computed(parts), classes=["ledger-computed"]))
    return content
