"""What the book was built from: a tag, a commit, or the setting."""

import subprocess

import pytest

from course_suite.project import Project
from course_suite.published import release_problems
from course_suite.revision import built_from, tag_problems


def git(toy, *arguments):
    who = ["-c", "user.name=T", "-c", "user.email=t@x.test", "-c", "commit.gpgsign=false"]
    command = ["git", "-C", str(toy.root), *who, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def committed(toy):
    """The toy course in a repository of its own, with one commit."""
    toy.write("CHANGELOG.md", "## 0.1.0\n")
    git(toy, "init", "-q")
    git(toy, "add", "-A")
    git(toy, "commit", "-qm", "First")
    return toy


def test_without_git_it_is_the_versions_tag(toy):
    assert built_from(Project(toy.root)) == "v0.1.0"
    assert tag_problems(Project(toy.root)) == []


def test_with_git_it_is_the_commit_until_the_tag_stands_on_it(committed):
    assert built_from(Project(committed.root)) == git(committed, "rev-parse", "HEAD")
    git(committed, "tag", "v0.1.0")
    assert built_from(Project(committed.root)) == "v0.1.0"


def test_changes_that_are_not_committed_are_nobodys_commit(committed):
    committed.edit("README.md", "#", "##")
    assert built_from(Project(committed.root)) == "v0.1.0"


def test_a_tag_on_another_commit_and_a_version_under_development_are_told(committed):
    git(committed, "tag", "v0.1.0")
    committed.edit("pyproject.toml", "OWNER", "someone")
    git(committed, "commit", "-qam", "Second")
    message = "the tag v0.1.0 stands on another commit; raise the version in pyproject.toml"
    assert message in release_problems(Project(committed.root))
    committed.edit("pyproject.toml", 'version = "0.1.0"', 'version = "0.2.0.dev0"')
    assert tag_problems(Project(committed.root)) == [
        "version 0.2.0.dev0 is one under development; give it its number in pyproject.toml"
    ]
