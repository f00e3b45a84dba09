"""The set-up that runs before anything is installed: standard library only, done once, clear when it cannot be done."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from course_suite import bootstrap

SOURCE = Path(bootstrap.__file__)
LOCK = """\
six==1.16.0 \\
    --hash=sha256:aa
uv==0.13.9 \\
    --hash=sha256:bb \\
    --hash=sha256:cc
    # via x
zipp==4 \\
    --hash=sha256:dd
"""


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "a folder"
    root.mkdir()
    (root / "requirements.lock").write_text(LOCK)
    (root / "pyproject.toml").write_text("[project]\n")
    return root


def record_commands(monkeypatch, fail=None):
    """Stand in for the processes: note each command, make the venv's files, fail where the text says so."""
    commands = []

    def run(command, **_):
        commands.append([str(part) for part in command])
        if "venv" in command:
            python = bootstrap.venv_python(Path(command[-1]))
            python.parent.mkdir(parents=True)
            python.write_text("")
        failed = fail is not None and any(fail in part for part in commands[-1])
        return subprocess.CompletedProcess(command, int(failed))

    monkeypatch.setattr(bootstrap.subprocess, "run", run)
    return commands


def test_it_imports_only_the_standard_library():
    imported = {
        name.split(".")[0]
        for node in ast.walk(ast.parse(SOURCE.read_text()))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported <= sys.stdlib_module_names


def test_it_runs_without_site_packages():
    ended = subprocess.run([sys.executable, "-I", "-S", str(SOURCE)], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr  # this project's environment is set up: nothing is left to do


def test_uv_is_installed_from_the_locks_own_lines():
    assert bootstrap.uv_requirement(LOCK) == "uv==0.13.9 \\\n    --hash=sha256:bb \\\n    --hash=sha256:cc\n"
    with pytest.raises(bootstrap.SetupError, match="does not pin uv"):
        bootstrap.uv_requirement("six==1.16.0\n")


def test_a_second_set_up_does_nothing_and_a_changed_lock_keeps_the_venv(folder, monkeypatch):
    commands = record_commands(monkeypatch)
    assert bootstrap.setup(folder) is True
    assert [("venv" in c, "--require-hashes" in c, "-e" in c) for c in commands] == [
        (True, False, False),
        (False, True, False),
        (False, True, False),
        (False, False, True),
    ]
    commands.clear()
    assert bootstrap.setup(folder) is False
    assert commands == []

    (folder / ".venv" / "pyvenv.cfg").write_text(f"version = {'.'.join(map(str, sys.version_info[:3]))}\n")
    (folder / "requirements.lock").write_text(LOCK + "new==1 \\\n    --hash=sha256:dd\n")
    assert bootstrap.setup(folder) is True
    assert not any("venv" in command for command in commands)


def test_a_moved_folder_is_set_up_anew(folder, monkeypatch):
    commands = record_commands(monkeypatch)
    bootstrap.setup(folder)
    moved = folder.rename(folder.with_name("moved"))
    commands.clear()
    assert bootstrap.setup(moved) is True
    assert any("venv" in command for command in commands)


@pytest.mark.parametrize(("fail", "what"), [("uv.txt", "uv"), ("sync", "the locked packages"), ("-e", "the course")])
def test_a_failed_step_is_told_and_tried_again(folder, monkeypatch, fail, what):
    record_commands(monkeypatch, fail)
    with pytest.raises(bootstrap.SetupError, match=f"could not install {what}"):
        bootstrap.setup(folder)
    monkeypatch.undo()
    record_commands(monkeypatch)
    assert bootstrap.setup(folder) is True


def test_an_old_python_is_told_in_one_line(monkeypatch, capsys):
    monkeypatch.setattr(bootstrap.sys, "version_info", (3, 9, 2))
    assert bootstrap.main() == 1
    error = capsys.readouterr().err
    assert "Python 3.11 or newer is needed, this one is 3.9.2" in error
    assert error.count("\n") == 1
