"""Where the course is: its folder, its settings, its chapters in the order of ``_toc.yml``."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from course_suite.errors import UserError

if TYPE_CHECKING:
    from course_suite.chapters import Chapter


@dataclass(frozen=True)
class Settings:
    """Where the course is published: the table ``[tool.course]`` of pyproject.toml."""

    repository: str
    branch: str
    site: str
    version: str

    @property
    def revision(self) -> str:
        """What a notebook installs and the README's links open: the version's tag, the branch before a version is one.

        A version under development, such as ``0.2.0.dev0``, has no tag.
        """
        return self.branch if "dev" in self.version else f"v{self.version}"

    @property
    def slug(self) -> str:
        """``OWNER/NAME`` on the code host."""
        return "/".join(self.repository.rstrip("/").split("/")[-2:])


@dataclass(frozen=True)
class Project:
    """The course's folder and what is in it."""

    root: Path

    @cached_property
    def settings(self) -> Settings:
        """The settings of pyproject.toml."""
        data = tomllib.loads((self.root / "pyproject.toml").read_text(encoding="utf-8"))
        return Settings(**data["tool"]["course"], version=data["project"]["version"])

    @property
    def build(self) -> Path:
        """Everything that is made: never committed."""
        return self.root / "_build"

    @property
    def html(self) -> Path:
        """The rendered book."""
        return self.build / "html"

    def executed(self, profile: str) -> Path:
        """Where the executed copies of a profile stand; the book shows those of ``quick``."""
        return self.build / ("executed" if profile == "quick" else f"executed-{profile}")

    @property
    def runs(self) -> Path:
        """Where runs with parameters of a reader's own choice stand: the book never shows them."""
        return self.build / "runs"

    @cached_property
    def toc(self) -> dict[str, Any]:
        """``_toc.yml``, the one list of pages."""
        return yaml.safe_load((self.root / "_toc.yml").read_text(encoding="utf-8"))

    @cached_property
    def pages(self) -> list[str]:
        """Every page of the book, in order, without a file ending."""
        return list(_files(self.toc))

    @cached_property
    def chapters(self) -> list[Chapter]:
        """Every chapter, in the order of ``_toc.yml``."""
        from course_suite.chapters import Chapter

        found = [Chapter(self.root / f"{page}.md") for page in self.pages if page.startswith("notebooks/")]
        for chapter in found:
            if not chapter.source.is_file():
                raise UserError(f"_toc.yml lists notebooks/{chapter.stem}, but {chapter.source.name} does not exist")
        return found

    def select(self, names: list[str]) -> list[Chapter]:
        """The chapters that ``names`` mean (a number, a file name or the start of one), in the book's order.

        No names mean all chapters.
        """
        if not names:
            return self.chapters
        wanted = {self._one(name).stem for name in names}
        return [chapter for chapter in self.chapters if chapter.stem in wanted]

    def _one(self, name: str) -> Chapter:
        stem = Path(name).name.removesuffix(".ipynb").removesuffix(".md")
        matches = [
            chapter for chapter in self.chapters if chapter.stem == stem or str(chapter.number) == stem.lstrip("0")
        ]
        if not matches and not stem.isdecimal():
            matches = [chapter for chapter in self.chapters if stem and chapter.stem.startswith(stem)]
        if len(matches) != 1:
            known = ", ".join(chapter.stem for chapter in self.chapters)
            problem = "is not a chapter" if not matches else "means more than one chapter"
            raise UserError(f"{name!r} {problem}; the chapters are: {known}")
        return matches[0]


def _files(node: Any) -> Any:
    """The files of a table of contents, in reading order."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key in ("root", "file"):
                yield value
            elif key in ("parts", "chapters", "sections"):
                for item in value:
                    yield from _files(item)


def find_project(start: Path | None = None) -> Project:
    """The course that ``start`` (default: the current folder) is in, else the one this package is installed from.

    Raises:
        UserError: neither is a copy of the course.
    """
    start = (start or Path.cwd()).resolve()
    for folder in (start, *start.parents, Path(__file__).resolve().parents[1]):
        if (folder / "_toc.yml").is_file() and (folder / "pyproject.toml").is_file():
            return Project(folder)
    raise UserError(f"{start} is not inside a copy of the course (no _toc.yml); clone it and run the command there")


def build_folder() -> Path:
    """Where commands put what they make: ``_build`` of the course, or of the current folder outside any copy of it."""
    try:
        return find_project().build
    except UserError:
        return Path("_build")
