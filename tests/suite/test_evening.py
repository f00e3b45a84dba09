"""The evening profile: run by hand, kept, and shown beside the laptop's values."""

import json

import pytest

from course_suite.errors import UserError
from course_suite.evening import evening_value

GLUE = """
```{code-cell} ipython3
from IPython.display import display

prefix = "application/papermill.record/"
metadata = {"scrapbook": {"name": "squared", "mime_prefix": prefix}}
display({prefix + "text/plain": repr(str(square))}, raw=True, metadata=metadata)
```
"""


@pytest.mark.slow
def test_an_evening_runs_its_own_values_and_is_kept(toy):
    stem = toy.chapter(1, GLUE)
    toy.edit(f"notebooks/{stem}.md", "  full: {size: 7}\n", "  full: {size: 7}\n  evening: {size: 9}\n")
    ended = toy.course("run", "1", "--profile", "evening")
    assert ended.status == 0, ended.err
    assert "wrote notebooks/evenings/01_toy.json" in ended.out
    kept = json.loads(toy.read("notebooks/evenings/01_toy.json"))
    assert kept["values"] == {"squared": "81"}
    assert kept["parameters"] == {"size": 9}
    assert kept["provenance"]["command"].endswith("run 1 --profile evening")
    assert evening_value(toy.root / "notebooks/evenings/01_toy.json", "squared") == "81"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "chapter 07 has no recorded evening; run: course run 07 --profile evening"),
        ("{", "07_toy.json cannot be read"),
        ('{"values": {}}', "07_toy.json cannot be read"),
        (
            '{"values": {}, "parameters": {}, "seconds": 1, "provenance": {}, "environment": {}, "code_sha256": ""}',
            "the recorded evening 07_toy.json has no value 'squared'",
        ),
    ],
)
def test_what_is_not_there_is_one_line(tmp_path, content, words):
    path = tmp_path / "07_toy.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(UserError) as error:
        evening_value(path, "squared")
    assert words in str(error.value)
    assert "\n" not in str(error.value)
