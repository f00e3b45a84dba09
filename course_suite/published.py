"""Files that repeat the settings of ``[tool.course]``: generated from them, and checked against them."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from course_suite.files import write_if_changed
from course_suite.project import Project
from course_suite.revision import tag_problems

BEGIN, END = "<!-- generated from pyproject.toml: begin -->", "<!-- generated from pyproject.toml: end -->"


def citation(project: Project) -> str:
    """CITATION.cff, from the version and the addresses of pyproject.toml."""
    settings = project.settings
    content = {
        "cff-version": "1.2.0",
        "message": "If you use this course or its counts, please cite it as below.",
        "title": "Convolutional Networks, Recomputed",
        "type": "software",
        "version": settings.version,
        "authors": [{"name": "The authors of Convolutional Networks, Recomputed"}],
        "repository-code": settings.repository,
        "url": settings.site,
        "license": ["MIT", "CC-BY-4.0"],
        "keywords": ["convolutional networks", "reproducibility", "course", "PyTorch"],
    }
    return "# Generated from pyproject.toml by `course pair`.\n" + yaml.safe_dump(content, sort_keys=False)


PLACEHOLDER = "OWNER"  # stands in the addresses until the course has some
UNPUBLISHED = "The course has no address yet, so there is nothing to link to: `make book` renders it on your machine."


def links(project: Project) -> str:
    """The README's table of chapters with a link into Colab and into Binder for each; none without addresses."""
    settings = project.settings
    if PLACEHOLDER in settings.repository + settings.site:
        return UNPUBLISHED
    colab = f"https://colab.research.google.com/github/{settings.slug}/blob/{settings.revision}/notebooks"
    binder = f"https://mybinder.org/v2/gh/{settings.slug}/{settings.revision}?urlpath=lab/tree/notebooks"
    rows = [f"The book: <{settings.site}>", "", "| chapter | try it |", "| --- | --- |"]
    for chapter in project.chapters:
        name = chapter.pair.name
        read = f"{settings.site}/notebooks/{chapter.stem}.html"
        rows.append(f"| [{chapter.title}]({read}) | [Colab]({colab}/{name}), [Binder]({binder}/{name}) |")
    return "\n".join(rows)


def generated_files(project: Project) -> dict[Path, str]:
    """The text that each of these files should have."""
    readme = project.root / "README.md"
    text = readme.read_text(encoding="utf-8")
    block = f"{BEGIN}\n{links(project)}\n{END}"
    pattern = re.escape(BEGIN) + ".*?" + re.escape(END)
    return {
        project.root / "CITATION.cff": citation(project),
        readme: re.sub(pattern, lambda _: block, text, flags=re.DOTALL),
    }


def write_generated(project: Project) -> list[str]:
    """Bring the files up to date. Returns the names of those that changed."""
    return [path.name for path, text in generated_files(project).items() if write_if_changed(path, text)]


def generated_problems(project: Project) -> list[str]:
    """The files that are out of step with the settings."""
    problems = []
    for path, text in generated_files(project).items():
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            problems.append(f"{path.name} is out of step with pyproject.toml; run: course pair")
    return problems


def release_problems(project: Project) -> list[str]:
    """What stands in the way of publishing: placeholder addresses, and what is out of step with the settings."""
    settings = project.settings
    problems = [
        f"[tool.course] {name} = {value!r} still names OWNER; set it in pyproject.toml, then run: course pair"
        for name, value in (("repository", settings.repository), ("site", settings.site))
        if PLACEHOLDER in value
    ]
    if f"## {settings.version}" not in (project.root / "CHANGELOG.md").read_text(encoding="utf-8"):
        problems.append(f"CHANGELOG.md has no section '## {settings.version}'")
    return problems + tag_problems(project) + generated_problems(project)
