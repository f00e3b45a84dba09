"""``course list``, ``course serve`` and ``course bench``: what they print, what they start, and a user's mistakes."""

import json
import sys
import threading
import urllib.request
from http.server import ThreadingHTTPServer

import pytest
from rich.console import Console

from course_suite import bench, serve
from course_suite.errors import UserError
from course_suite.listing import print_chapters
from course_suite.project import Project


def listed(toy, capsys):
    print_chapters(Project(toy.root), Console(width=120))
    return [" ".join(line.replace("│", " ").split()) for line in capsys.readouterr().out.splitlines()]


def test_the_list_shows_number_title_data_and_the_cost_that_is_known_best(toy, capsys):
    assert "1 01_toy Toy 1 not yet run none" in listed(toy, capsys)
    costs = {"01_toy": {"cpu": {"seconds": 12.4, "peak_mib": 300, "machine": "x"}}}
    toy.write("notebooks/costs.json", json.dumps(costs))
    assert "1 01_toy Toy 1 12 s, 300 MiB (recorded) none" in listed(toy, capsys)
    toy.write("_build/executed/01_toy.ipynb", json.dumps({"metadata": {"course": {"seconds": 3.1, "peak_mib": None}}}))
    assert "1 01_toy Toy 1 3 s, 0 MiB (here) none" in listed(toy, capsys)
    assert "2 02_toy Toy 2 not yet run none" in listed(toy, capsys)


def test_there_is_nothing_to_serve_before_the_book_is_rendered(toy):
    with pytest.raises(UserError, match="there is no rendered book yet; run: course build"):
        serve.serve(Project(toy.root), 0, Console(quiet=True))


def test_a_taken_port_is_told(toy):
    toy.write("_build/html/index.html", "<p>The book</p>")
    with (
        ThreadingHTTPServer(("127.0.0.1", 0), serve.QuietHandler) as other,
        pytest.raises(UserError, match=f"port {other.server_port} cannot be used .*; choose another"),
    ):
        serve.serve(Project(toy.root), other.server_port, Console(quiet=True))


def test_the_book_is_served_on_this_machine_alone_and_looked_for_again_at_each_reload(toy, monkeypatch, capsys):
    toy.write("_build/html/index.html", "<p>The book</p>")
    seen = {}

    class OneRequest(ThreadingHTTPServer):
        def serve_forever(self):
            thread = threading.Thread(target=self.handle_request)
            thread.start()
            address = f"http://127.0.0.1:{self.server_port}/"
            with urllib.request.urlopen(address, timeout=10) as answer:
                seen.update(
                    text=answer.read().decode(), cache=answer.headers["Cache-Control"], host=self.server_address[0]
                )
            thread.join()
            raise KeyboardInterrupt

    monkeypatch.setattr(serve, "ThreadingHTTPServer", OneRequest)
    serve.serve(Project(toy.root), 0, Console(width=100))
    assert seen == {"text": "<p>The book</p>", "cache": "no-cache", "host": "127.0.0.1"}
    printed = capsys.readouterr().out
    assert "The book is at http://127.0.0.1:" in printed
    assert printed.endswith("stopped\n")


@pytest.fixture
def measured(toy, monkeypatch):
    """Two benchmarks of which the second fails, in the environment of these tests."""
    toy.write("benchmarks/peers.py", "")
    toy.write("benchmarks/first.py", "from pathlib import Path\nPath('first.txt').write_text('ran')\n")
    toy.write("benchmarks/second.py", "raise SystemExit(3)\n")
    monkeypatch.setattr(bench, "_environment", lambda _: sys.executable)
    return toy


def test_each_benchmark_is_run_even_after_one_has_failed(measured):
    project, quiet = Project(measured.root), Console(quiet=True)
    assert bench.benchmarks(project) == ["first", "second"]
    assert bench.run_benchmarks(project, ["first"], quiet)
    assert measured.read("first.txt") == "ran"
    (measured.root / "first.txt").unlink()
    assert not bench.run_benchmarks(project, ["second", "first"], quiet)
    assert measured.read("first.txt") == "ran"


def test_an_unknown_benchmark_lists_the_known_ones(measured):
    with pytest.raises(UserError, match="'third' is not a benchmark; the benchmarks are: first, second"):
        bench.run_benchmarks(Project(measured.root), ["third"], Console(quiet=True))
