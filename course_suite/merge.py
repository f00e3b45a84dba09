"""An executed copy is its source's cells with the outputs of a run, and no trace of the tool that ran it."""

from __future__ import annotations

import nbformat
from nbformat import NotebookNode


def join_streams(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Outputs in which neighbouring pieces of one stream are one: a kernel cuts a text where its timer happens to."""
    joined: list[NotebookNode] = []
    for output in outputs:
        last = joined[-1] if joined else None
        if last and output.output_type == last.output_type == "stream" and output.name == last.name:
            last.text += output.text
        else:
            joined.append(nbformat.from_dict(output))
    return joined


def with_prose(executed: NotebookNode, source: NotebookNode) -> NotebookNode:
    """The executed cells in the order of the source, with the source's prose and cell metadata.

    The cell that papermill adds for given parameters stays behind the cell of their defaults.
    """
    ran = [cell for cell in executed.cells if cell.cell_type == "code"]
    fresh = nbformat.from_dict({**executed, "cells": []})
    position = 0
    for cell in source.cells:
        copy = nbformat.from_dict(cell)
        if cell.cell_type == "code":
            if ran[position].source != cell.source:
                raise ValueError("the executed copy holds other code")
            copy.outputs, copy.execution_count = join_streams(ran[position].outputs), ran[position].execution_count
            position += 1
        fresh.cells.append(copy)
        if position < len(ran) and "injected-parameters" in ran[position].metadata.get("tags", []):
            fresh.cells.append(ran[position])
            for trace in ("papermill", "execution"):
                ran[position].metadata.pop(trace, None)
            position += 1
    if position != len(ran):
        raise ValueError("the executed copy holds more cells")
    return fresh
