"""Run the cells of a chapter on an emulated GPU: ``python tests/chapter_on_gpu.py CHAPTER.md``, in its own process.

Parameters are as small as they go: one epoch, two seeds. What comes out means nothing; that it comes out is the test.
"""

from __future__ import annotations

import ast
import os
import sys
from pathlib import Path

os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")

import fake_cuda
from IPython.core.interactiveshell import InteractiveShell

from course_suite.chapters import Chapter

SMALLEST = {"epochs": 1, "steps": 16, "seeds": 2, "runs": 2, "repeats": 1, "starts": 2, "timed": 1}


def smallest(source: str) -> str:
    """The assignments of a parameters cell with the smallest values that make sense."""
    lines = []
    for statement in ast.parse(source).body:
        name, value = statement.targets[0].id, ast.literal_eval(statement.value)
        least = next((least for word, least in SMALLEST.items() if name.rpartition("_")[2] == word), None)
        if least is not None and isinstance(value, int):
            lines.append(f"{name} = {min(value, least)}")
    return "\n".join(lines)


def run(path: str) -> None:
    """Run all code cells, the smallest parameters after the parameters cell.

    Raises:
        Exception: what a cell raised.
    """
    fake_cuda.start()
    shell = InteractiveShell.instance()
    shell.display_pub.publish = lambda *_, **__: None
    shell.ast_node_interactivity = "none"  # figures are drawn, and not shown
    for cell in Chapter(Path(path)).notebook.cells:
        if cell.cell_type == "code":
            tagged = "parameters" in cell.metadata.get("tags", [])
            for source in [cell.source, *([smallest(cell.source)] if tagged else [])]:
                ended = shell.run_cell(source, store_history=False)
                ended.raise_error()
    print("all cells ran")


if __name__ == "__main__":
    run(sys.argv[1])
