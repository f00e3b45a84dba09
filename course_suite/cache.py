"""Executed copies that are still good: found by their key, and given the prose as it is now."""

from __future__ import annotations

import nbformat

from course_suite.execute import Job, Result
from course_suite.files import write_if_changed
from course_suite.merge import with_prose


def reuse(job: Job) -> Result | None:
    """The result of an earlier run of the same code under the same conditions; None when there is none.

    Prose that changed since is brought up to date in the executed copy; its outputs stay.
    """
    try:
        executed = nbformat.read(job.output, as_version=4)
        facts = executed.metadata["course"]
        if facts["key"] != job.key:
            return None
        fresh = with_prose(executed, job.notebook)
    except (OSError, ValueError, KeyError, AttributeError, nbformat.reader.NotJSONError):
        return None
    write_if_changed(job.output, nbformat.writes(fresh, version=4) + "\n")
    return Result(
        job.chapter.stem, job.chapter.title, "unchanged", facts["seconds"], facts["peak_mib"],
        output=str(job.output), parameters=job.parameters,
    )  # fmt: skip
