"""A notebook in a real JupyterLab: opened, run whole, and an exercise answered, first wrongly, then rightly."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request

import pytest
from toy_book import ROOT

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(900)]
NAME = "01_convolution_arithmetic"
RUN_MILLISECONDS = 600_000  # a chapter takes 15 s on a core of its own


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A server on a free port, with the notebook in an empty folder and nothing of the user's settings."""
    folder = tmp_path_factory.mktemp("lab")
    shutil.copy(ROOT / "notebooks" / f"{NAME}.ipynb", folder)
    settings = folder / "settings" / "@jupyterlab" / "notebook-extension"
    settings.mkdir(parents=True)
    # By default what is off the screen is not in the page, and cannot be asked for.
    (settings / "tracker.jupyterlab-settings").write_text(json.dumps({"windowingMode": "none"}))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}", "--port-retries=0",
        f"--ServerApp.root_dir={folder}", "--IdentityProvider.token=", "--LabApp.news_url=",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]  # fmt: skip
    own = {"HOME": str(folder), "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"), "JUPYTER_PREFER_ENV_PATH": "1"}
    with (folder / "log.txt").open("w") as log:
        server = subprocess.Popen(command, env={**os.environ, **own}, stdout=log, stderr=subprocess.STDOUT)
        try:
            wait_for(f"http://127.0.0.1:{port}/api", server)
            yield f"http://127.0.0.1:{port}/lab/tree/{NAME}.ipynb"
        finally:
            server.terminate()
            server.wait(timeout=60)


def wait_for(address: str, server: subprocess.Popen) -> None:
    """Wait until the server answers."""
    until = time.monotonic() + 120
    while time.monotonic() < until:
        assert server.poll() is None, "JupyterLab ended at once"
        try:
            urllib.request.urlopen(address).close()
        except OSError:
            time.sleep(0.2)
        else:
            return
    pytest.fail("JupyterLab did not answer within 120 s")


def answer(cell, label: str, value: str) -> str:
    """Write an answer into an exercise's cell, run it, and read what it says."""
    cell.locator(".cm-content").click()
    cell.page.keyboard.press("Control+a")
    cell.page.keyboard.insert_text(f'answer = {value}\ncheck("{label}", answer)')
    before = cell.locator(".jp-InputPrompt").inner_text()
    cell.page.keyboard.press("Control+Enter")
    cell.page.wait_for_function(
        "([node, before]) => ![before, '[*]:'].includes(node.querySelector('.jp-InputPrompt').innerText)",
        arg=[cell.element_handle(), before],
        timeout=60_000,
    )
    return cell.locator(".jp-OutputArea").first.inner_text()


def test_a_chapter_is_read_run_and_answered(lab, page):
    window = page.context.new_page()
    window.goto(lab)
    window.wait_for_selector(".jp-RenderedMarkdown h1", timeout=60_000)

    # Read: numbers in the text, set-up folded, solutions closed.
    title = window.locator(".jp-RenderedMarkdown h1").inner_text()
    assert title.startswith("1. Convolution arithmetic")
    text = window.locator(".jp-Notebook").inner_text()
    assert "{glue" not in text
    assert "one weight for each pair, the layer would hold 14,338,936,012,800 weights" in " ".join(text.split())
    assert window.locator("details[open]").count() == 0
    assert window.locator(".jp-Placeholder-content", has_text="Set-up: imports").count() == 1

    # A link inside the notebook leads to its place.
    link = window.locator('.jp-RenderedMarkdown a[href="#equation-eq-cross-correlation"]').first
    link.click()
    target = window.locator('[data-jupyter-id="equation-eq-cross-correlation"]')
    box = target.bounding_box()
    assert box is not None
    assert 0 <= box["y"] < 900

    # Run all: every cell runs, and no exercise is answered by it.
    window.get_by_role("menuitem", name="Run", exact=True).click()
    window.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    window.wait_for_function(
        """() => {
          const prompts = [...document.querySelectorAll(".jp-CodeCell .jp-InputPrompt")].map(node => node.innerText);
          const ran = prompts.filter(text => /\\[\\d+\\]/.test(text));  // a folded cell shows none
          return ran.length > 20 && !prompts.includes("[*]:") && !prompts.includes("[ ]:");
        }""",
        timeout=RUN_MILLISECONDS,
    )
    assert window.locator("[data-mime-type='application/vnd.jupyter.error']").all_inner_texts() == []
    assert window.locator(".jp-OutputArea-output", has_text="Correct.").count() == 0
    assert window.locator(".jp-OutputArea-output", has_text="Not answered yet").count() >= 6
    assert window.locator(".jp-OutputArea-output", has_text="dense-weights = 14,338,936,012,800").count() == 1

    # (227 - 11) / 4 + 1 = 55 places: AlexNet's first layer, by the formula of the chapter.
    label = "ex-size-by-hand"
    cell = window.locator(".jp-CodeCell", has_text=f'check("{label}"').last
    assert "Hint:" in (wrong := answer(cell, label, "54"))
    assert "Not yet: 54 is not right." in wrong
    assert "55" not in wrong
    assert answer(cell, label, "55").strip() == "Correct."
    window.close()
