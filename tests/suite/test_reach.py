"""What a chapter's code reaches of course_lib, and what of those modules counts."""

import subprocess
import sys
from pathlib import Path

import pytest

from course_suite.reach import code_digest, data_files, reached

ROOT = Path(__file__).parents[2]
FILES = {
    "__init__.py": "",
    "one.py": '"""About one."""\n\n\ndef f(x):\n    """Twice."""\n    return 2 * x  # a comment\n',
    "two.py": "from course_lib.one import f\n",
    "room/__init__.py": "",
    "room/lazy.py": "def g():\n    from course_lib import two\n    return two.f(1)\n",
    "room/near.py": "from . import lazy\nfrom ..other import h\n",
    "room/table.csv": "1,2\n",
    "other.py": "h = 3\n",
    "found/__init__.py": "from importlib import import_module\n\n\ndef load(name):\n    return import_module(name)\n",
    "found/a.py": "a = 1\n",
    "text.py": "command = ['python', '-c', 'from course_lib.one import f']\n",
}


@pytest.fixture
def library(tmp_path):
    for name, text in FILES.items():
        path = tmp_path / "course_lib" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    ("source", "files"),
    [
        ("x = 1", ""),
        ("import course_lib.one", "__init__.py one.py"),
        ("from course_lib import two", "__init__.py one.py two.py"),
        ("if True:\n    from course_lib.two import f", "__init__.py one.py two.py"),
        ("import course_lib.room.lazy", "__init__.py one.py room/__init__.py room/lazy.py two.py"),
        (
            "import course_lib.room.near",
            "__init__.py one.py other.py room/__init__.py room/lazy.py room/near.py two.py",
        ),
        ("from course_lib.found import load", "__init__.py found/__init__.py found/a.py"),
        ("import course_lib.text", "__init__.py one.py text.py"),
        ("run('import course_lib.other')", "__init__.py other.py"),
        ("import torch, course_libel", ""),
        ("%pip install x\nfrom course_lib.other import h", "__init__.py other.py"),
        ("share = (7\n% 3)\nimport course_lib.other", "__init__.py other.py"),
        ("this is no Python", " ".join(sorted(name for name in FILES if name.endswith(".py")))),
    ],
)
def test_imports_count_wherever_they_stand_and_through_others(library, source, files):
    found = reached([source], library)
    assert sorted(path.relative_to(library / "course_lib").as_posix() for path in found) == files.split()


def test_a_module_that_changes_reaches_what_it_now_imports(library):
    path = library / "course_lib" / "other.py"
    assert len(reached(["import course_lib.other"], library)) == 2
    path.write_text("import course_lib.one\nh = 3\n")
    assert library / "course_lib" / "one.py" in reached(["import course_lib.other"], library)


@pytest.mark.parametrize(
    ("old", "new", "counts"),
    [
        ("About one.", "About the first.", False),
        ("Twice.", "Two times.", False),
        ("# a comment", "# another", False),
        ("\n\n\ndef", "\n\ndef", False),
        ("2 * x", "3 * x", True),
        ("def f(x)", "def f(x=1)", True),
        ('"""About one."""', 'about = """About one."""', True),
    ],
)
def test_code_counts_and_words_do_not(library, old, new, counts):
    path = library / "course_lib" / "one.py"
    before = code_digest(path)
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    assert (code_digest(path) != before) == counts


def test_data_beside_a_reached_module_count(library):
    assert [path.name for path in data_files(reached(["import course_lib.room.lazy"], library))] == ["table.csv"]
    assert data_files(reached(["import course_lib.found.a"], library)) == []


def test_python_loads_no_module_that_is_not_reached():
    """Each module of the library, imported alone: what Python then holds of it is among what was found by reading."""
    script = """
import sys
from importlib import import_module
from pathlib import Path
from course_suite.reach import _name, reached
root = Path(sys.argv[1])
for path in sorted((root / "course_lib").rglob("*.py")):
    for name in [name for name in sys.modules if name.split(".")[0] == "course_lib"]:
        del sys.modules[name]
    name = _name(path, root)
    import_module(name)
    loaded = {name for name in sys.modules if name.split(".")[0] == "course_lib"}
    missed = loaded - {_name(other, root) for other in reached([f"import {name}"], root)}
    assert not missed, (name, missed)
"""
    ended = subprocess.run([sys.executable, "-c", script, str(ROOT)], capture_output=True, text=True, timeout=240)
    assert ended.returncode == 0, ended.stderr
