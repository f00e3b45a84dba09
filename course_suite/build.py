"""``course build``: stage the pages with the executed chapters, render them, and put the new site in place."""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

import yaml
from rich.console import Console

from course_suite.files import digest, digest_files, write_if_changed
from course_suite.keys import package_files
from course_suite.project import Project
from course_suite.reader.download import download_text
from course_suite.reader.places import Book
from course_suite.revision import built_from
from course_suite.stamps import clear, is_fresh, mark

DOWNLOADS = "downloads"  # readers' notebooks with all outputs, which `downloads.py` puts behind the button
SHORTEST_PAGE = 200  # characters of text; a shorter page is taken for an empty one


def staged_config(project: Project) -> str:
    """``_config.yml`` with the addresses that are settings, and the revision that the links to the code lead to."""
    config = yaml.safe_load((project.root / "_config.yml").read_text(encoding="utf-8"))
    settings = project.settings
    config.setdefault("repository", {}).update(url=settings.repository, branch=built_from(project), path_to_book="")
    sphinx = config.setdefault("sphinx", {}).setdefault("config", {})
    sphinx["html_baseurl"] = settings.site.rstrip("/") + "/"
    sphinx["version"] = sphinx["release"] = settings.version
    return yaml.safe_dump(config, sort_keys=False, allow_unicode=True)


def stage(project: Project) -> Path:
    """Lay out what Jupyter Book reads: configuration, pages, figures of the benchmarks, executed chapters."""
    folder = project.build / "source"
    wanted = {folder / "_config.yml": staged_config(project).encode()}
    wanted[folder / "_toc.yml"] = (project.root / "_toc.yml").read_bytes()
    for path in sorted((project.root / "book").rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            wanted[folder / path.relative_to(project.root)] = path.read_bytes()
    for path in sorted((project.root / "benchmarks" / "results").glob("*.json")):
        wanted[folder / "benchmarks" / path.name] = path.read_bytes()
    book, revision = Book(project), built_from(project)
    for chapter in project.chapters:
        executed = (project.executed("quick") / chapter.pair.name).read_bytes()
        wanted[folder / "notebooks" / chapter.pair.name] = executed
        wanted[folder / DOWNLOADS / f"{chapter.stem}.json"] = download_text(book, chapter, executed, revision).encode()
    for path in list(folder.rglob("*")):
        if path.is_file() and path not in wanted:
            path.unlink()
    for path, content in wanted.items():
        write_if_changed(path, content)
    return folder


def render(project: Project, console: Console) -> bool:
    """Render the staged book into ``_build/html``. Returns whether it was rendered without a warning.

    The site in place is replaced only by a whole one; nothing is done when nothing changed.
    """
    source = stage(project)
    files = [path for path in source.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    # Pages show the library's docstrings, the ledger and the records too.
    sources = [path for package in ("course_lib", "course_suite") for path in package_files(project.root, package)]
    library = digest_files([*sources, project.root / "requirements.lock"], project.root)
    key = digest([digest_files(files, source), library, platform.python_version()])
    if is_fresh(project, "site", key) and (project.html / "index.html").is_file():
        console.print("unchanged  the site", highlight=False)
        return True
    clear(project, "site")
    scratch = project.build / "render"
    shutil.rmtree(scratch, ignore_errors=True)
    command = [
        sys.executable, "-c", "from jupyter_book.cli.main import main; main()",
        "build", str(source), "--path-output", str(scratch), "--all", "-W", "-n", "--keep-going", "-q",
    ]  # fmt: skip
    log = project.build / "sphinx.log"
    with log.open("w", encoding="utf-8") as stream:
        ended = subprocess.run(command, cwd=project.root, stdout=stream, stderr=subprocess.STDOUT)
    new = scratch / "_build" / "html"
    problems = [] if ended.returncode == 0 else warnings_in(log.read_text(encoding="utf-8", errors="replace"), source)
    problems += [] if problems else missing_pages(project, new)
    if problems:
        console.print("The book was not rendered:", style="bold red")
        for problem in problems:
            console.print(f"  {problem}", markup=False, highlight=False, soft_wrap=True)
        console.print(f"The whole log: {log}", highlight=False, soft_wrap=True)
        return False
    replace_site(new, project.html)
    shutil.rmtree(scratch, ignore_errors=True)
    mark(project, "site", key)
    return True


def warnings_in(log: str, source: Path) -> list[str]:
    """The warnings and errors of a Sphinx log, with paths as the reader knows them."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", log)  # without the colours
    words = ("WARNING:", "ERROR:", "Error", "error:")
    lines = [line for line in plain.splitlines() if any(word in line for word in words)]
    found = [line.replace(f"{source}/", "").strip() for line in lines]
    return list(dict.fromkeys(found)) or plain.splitlines()[-5:]


def missing_pages(project: Project, html: Path) -> list[str]:
    """Pages of the table of contents that were not made, or are empty."""
    problems = []
    for page in project.pages:
        path = html / f"{page}.html"
        if not path.is_file():
            problems.append(f"{page}: no page was made")
        elif len(article_text(path.read_text(encoding="utf-8"))) < SHORTEST_PAGE:
            problems.append(f"{page}: the page is empty")
    return problems


def article_text(page: str) -> str:
    """The words of a page's article, without its markup and scripts."""
    article = re.search(
        r"<article\b[^>]*>(.*?)</article>", re.sub(r"(?s)<script\b.*?</script>", "", page), flags=re.DOTALL
    )
    return " ".join(re.sub(r"<[^>]+>", " ", article.group(1)).split()) if article else ""


def replace_site(new: Path, html: Path) -> None:
    """Put a rendered site in the place of the old one, by renaming."""
    old = html.with_name("html.old")
    shutil.rmtree(old, ignore_errors=True)
    if html.exists():
        html.rename(old)
    new.rename(html)
    shutil.rmtree(old, ignore_errors=True)
