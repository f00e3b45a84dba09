"""Numbers for the prose, and the library's own lines on a page."""

import subprocess
import sys

import pytest

from course_lib.models.lenet_layers import Subsampling
from course_lib.notebook import glue, show_source, store


def test_importing_the_library_imports_nothing_heavy():
    code = "import sys, course_lib; print([m for m in ('torch', 'numpy', 'matplotlib', 'IPython') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


def test_glue_stores_text_that_the_page_can_show(monkeypatch):
    shown = []
    monkeypatch.setattr("course_lib.notebook.display", lambda data, **rest: shown.append((data, rest)))
    glue("lenet5-params", f"{61706:,}")
    data = {
        "application/papermill.record/text/plain": "'61,706'",  # MyST-NB takes the quotes off
        "text/plain": "lenet5-params = 61,706",  # what a notebook shows
    }
    metadata = {"scrapbook": {"name": "lenet5-params", "mime_prefix": "application/papermill.record/"}}
    assert shown == [(data, {"raw": True, "metadata": metadata})]


def test_the_key_of_a_solved_exercise_is_stored_and_not_shown(monkeypatch):
    shown = []
    monkeypatch.setattr("course_lib.notebook.display", lambda data, **_: shown.append(data))
    store("key-ex-size", "secret")
    assert list(shown[0]) == ["application/papermill.record/text/plain"]


def test_a_glue_name_with_other_characters_is_refused():
    with pytest.raises(ValueError, match="got 'two words'"):
        glue("two words", 1)


def test_a_class_is_shown_by_its_own_lines_without_its_docstrings(monkeypatch):
    shown = []
    monkeypatch.setattr("course_lib.notebook.display", lambda markdown: shown.append(markdown.data))
    show_source(Subsampling)
    lines = shown[0].splitlines()
    assert lines[0] == "```python"
    assert lines[-1] == "```"
    assert lines[1] == "class Subsampling(nn.Module):"
    assert lines[2].strip().startswith("def __init__")
    assert '"""' not in shown[0]
