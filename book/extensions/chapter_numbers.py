"""Number each chapter by its file name: `notebooks/09_lenet5` is chapter 9, its figures 9.1, 9.2 and so on.

Sphinx counts the chapters of each part from 1. While chapters are still missing, and across the parts, that is not the
number a reader knows them by. So the first component of every section number is replaced after the sections were
counted and before the figures are. Navigation, headings, figures, equations and exercises all read these numbers.
"""

from __future__ import annotations

import re

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.environment.collectors.toctree import TocTreeCollector

CHAPTER = re.compile(r"(?:^|/)(\d+)_[^/]*$")


def chapter_number(docname: str) -> int | None:
    """The number that a page's file name starts with; None for a page without one."""
    match = CHAPTER.search(docname)
    return int(match.group(1)) if match else None


def number_by_file_name(env: BuildEnvironment) -> list[str]:
    """Put each chapter's own number first in the numbers of its sections. Returns the pages that have one."""
    chapters = {docname: chapter_number(docname) for docname in env.toc_secnumbers}
    chapters = {docname: number for docname, number in chapters.items() if number is not None}
    for docname, chapter in chapters.items():
        env.toc_secnumbers[docname] = {
            anchor: (chapter, *number[1:]) if number else number
            for anchor, number in env.toc_secnumbers[docname].items()
        }
        for node in (env.titles[docname], env.longtitles[docname], *env.tocs[docname].findall(nodes.reference)):
            if node.get("secnumber"):
                node["secnumber"] = [chapter, *node["secnumber"][1:]]
    return list(chapters)


def setup(_app: Sphinx) -> dict:
    count_figures = TocTreeCollector.assign_figure_numbers

    def assign_figure_numbers(collector: TocTreeCollector, env: BuildEnvironment) -> list[str]:
        return number_by_file_name(env) + count_figures(collector, env)

    TocTreeCollector.assign_figure_numbers = assign_figure_numbers
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
