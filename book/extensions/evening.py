"""`{evening}`name``: a value of the chapter's recorded evening, beside the laptop's `{glue:text}`name``."""

from __future__ import annotations

from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxRole

from course_suite.errors import UserError
from course_suite.evening import evening_value
from course_suite.project import find_project


class Evening(SphinxRole):
    """The value as plain text, marked so that it can be told from the page's own run."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        path = find_project().root / "notebooks" / "evenings" / f"{Path(self.env.docname).name}.json"
        try:
            text = evening_value(path, self.text)
        except UserError as error:
            message = self.inliner.reporter.error(str(error), line=self.lineno)
            return [self.inliner.problematic(self.rawtext, self.rawtext, message)], [message]
        self.env.note_dependency(str(path))
        return [nodes.inline(self.rawtext, text, classes=["evening-value"])], []


def setup(app: Sphinx) -> dict:
    app.add_role("evening", Evening())
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
