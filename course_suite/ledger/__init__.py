"""The figures that papers and articles print, each recomputed from code, with a verdict.

``entries()`` reads what ``entries/*.yaml`` hold, ``review(entry)`` computes an entry again and compares. Importing this
package reads no file and loads no torch.
"""

from course_suite.ledger.compare import VERDICTS, Part
from course_suite.ledger.entry import Cell, Entry, EntryError, Explanation, load
from course_suite.ledger.ledger import ENTRIES, Ledger, entries
from course_suite.ledger.review import Review, problems, review

__all__ = [
    "ENTRIES",
    "VERDICTS",
    "Cell",
    "Entry",
    "EntryError",
    "Explanation",
    "Ledger",
    "Part",
    "Review",
    "entries",
    "load",
    "problems",
    "review",
]
