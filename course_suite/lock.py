"""The lock: every package that the course uses, with its version and hashes, for all systems and Pythons."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections import defaultdict

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from course_suite.errors import UserError
from course_suite.files import write_if_changed
from course_suite.project import Project


def requirements(project: Project) -> list[Requirement]:
    """What pyproject.toml asks for: the dependencies and all extras."""
    table = tomllib.loads((project.root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = [*table["dependencies"], *(line for extra in table["optional-dependencies"].values() for line in extra)]
    return [Requirement(line) for line in lines]


def locked(text: str) -> list[Requirement]:
    """The pinned packages of a lock, each with the systems and Pythons that it is for."""
    return [Requirement(line.rstrip("\\ ")) for line in re.findall(r"^[A-Za-z0-9._-]+==.*$", text, flags=re.MULTILINE)]


def locked_versions(text: str) -> dict[str, list[str]]:
    """Versions by package name; a package can have several, for different systems or Pythons."""
    versions = defaultdict(list)
    for requirement in locked(text):
        versions[canonicalize_name(requirement.name)].append(str(requirement.specifier).removeprefix("=="))
    return versions


def constraints(text: str) -> str:
    """The lock's pins without hashes, for conda: pip installs no folder while it checks hashes."""
    pins = [str(requirement) for requirement in locked(text)]
    return "# Generated from requirements.lock by `course lock`; environment.yml uses it.\n" + "\n".join(pins) + "\n"


def lock_problems(project: Project) -> list[str]:
    """What is wrong with requirements.lock: out of step with pyproject.toml, unhashed lines, addresses."""
    text = (project.root / "requirements.lock").read_text(encoding="utf-8")
    versions = locked_versions(text)
    problems = []
    for requirement in requirements(project):
        found = versions.get(canonicalize_name(requirement.name), [])
        if not found:
            problems.append(f"requirements.lock lacks {requirement.name}; run: make lock")
        problems += [
            f"requirements.lock has {requirement.name} {version}, pyproject.toml asks for {requirement.specifier}; "
            "run: make lock"
            for version in found
            if not requirement.specifier.contains(version, prereleases=True)
        ]
    packages = re.split(r"\n(?=[A-Za-z])", re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE).strip())
    problems += [f"requirements.lock: {p.split()[0]} has no hash" for p in packages if "--hash=sha256:" not in p]
    if re.search(r"://|^\s*--?(index|find|extra)", text, flags=re.MULTILINE):
        problems.append("requirements.lock names an index address; run: make lock")
    if (project.root / "constraints.txt").read_text(encoding="utf-8") != constraints(text):
        problems.append("constraints.txt is out of step with requirements.lock; run: make lock")
    return problems


def renew_lock(project: Project, upgrade: bool) -> bool:
    """Resolve the lock again; ``upgrade`` takes the newest allowed versions. Returns whether it changed."""
    lock = project.root / "requirements.lock"
    before = lock.read_bytes()
    command = [
        sys.executable, "-m", "uv", "pip", "compile", "pyproject.toml", "--all-extras", "--universal",
        "--python-version", "3.11", "--generate-hashes", "--no-emit-index-url", "--no-emit-find-links", "--no-header",
        "--quiet", "--output-file", "requirements.lock", *(["--upgrade"] if upgrade else []),
    ]  # fmt: skip
    if subprocess.run(command, cwd=project.root, stdout=subprocess.DEVNULL).returncode != 0:
        write_if_changed(lock, before)
        raise UserError("the lock could not be resolved (the reason is above); requirements.lock is as it was")
    write_if_changed(project.root / "constraints.txt", constraints(lock.read_text(encoding="utf-8")))
    return lock.read_bytes() != before
