"""The revision that the book was built from: a tag or a commit, as git says; the setting where there is no git."""

from __future__ import annotations

import subprocess

from course_suite.project import Project


def git(project: Project, *arguments: str) -> str | None:
    """What a git command prints; None where it fails, as in a folder unpacked from a ZIP."""
    try:
        ended = subprocess.run(
            ["git", "-C", str(project.root), *arguments], capture_output=True, text=True, timeout=30, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return ended.stdout.strip()


def built_from(project: Project) -> str:
    """The version's tag where it stands on what is checked out, else the commit.

    With changes that are not committed, or without git, it is the revision of the settings.
    """
    tag = project.settings.revision
    head, changed = git(project, "rev-parse", "HEAD"), git(project, "status", "--porcelain")
    if head is None or changed is None or changed:
        return tag
    return tag if git(project, "rev-parse", f"refs/tags/{tag}^{{commit}}") == head else head


def tag_problems(project: Project) -> list[str]:
    """Why the version's tag could not be set on what is checked out."""
    settings = project.settings
    if settings.revision == settings.branch:
        return [f"version {settings.version} is one under development; give it its number in pyproject.toml"]
    tagged = git(project, "rev-parse", "--verify", "--quiet", f"refs/tags/{settings.revision}^{{commit}}")
    if tagged and tagged != git(project, "rev-parse", "HEAD"):
        return [f"the tag {settings.revision} stands on another commit; raise the version in pyproject.toml"]
    return []
