"""What the interactive pieces of the pages show: made from the library and the records when the book is built."""

from course_suite.live.data import DATA, script_of, write_data

__all__ = ["DATA", "script_of", "write_data"]
