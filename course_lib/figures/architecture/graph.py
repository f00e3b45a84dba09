"""From the rows of an analysis to the boxes of a drawing, and to the frames of modules that hold several boxes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from torch import nn

from course_lib.complexity import Complexity, Row
from course_lib.figures.architecture.labels import Label, label_of

FOLLOWERS = ("norm", "act", "drop")  # kinds that join the box of the layer in front of them
LAYERS = ("conv", "pool", "linear", "join", "other")
CONTAINERS = (nn.Sequential, nn.ModuleList, nn.ModuleDict)
SOURCE, SINK = -1, 1 << 30

Edges = set[tuple[int, int]]


@dataclass
class Box:
    """One layer or function, with the normalisation and activation behind it."""

    label: Label
    shape: tuple[int, ...]  # of one image's output
    frame: str  # name of the module whose frame it stands in, empty where there is none
    notes: list[str] = field(default_factory=list)
    params: int = 0
    macs: int = 0


@dataclass
class Frame:
    """The boxes of one call of a module, and the edges between them; ``SOURCE`` and ``SINK`` are what is outside."""

    name: str
    type: str
    boxes: list[int]
    edges: Edges


@dataclass
class Graph:
    """Boxes by number, in the order of execution, with edges between them. ``output`` is the model's first output."""

    boxes: dict[int, Box]
    edges: Edges
    frames: list[Frame]
    output: int


def build_graph(model: nn.Module, complexity: Complexity) -> Graph:
    """The boxes of a model, without those that lead nowhere or do not depend on the input.

    Raises:
        ValueError: no layer lies between the model's input and its output.
    """
    modules, rows = dict(model.named_modules()), complexity.rows
    labels = [label_of(row, modules.get(row.name)) for row in rows]
    taken = _taken(rows, labels)
    frame_of = _FrameFinder(
        modules, (row.name for row, label in zip(rows, labels, strict=True) if label.kind in LAYERS)
    )
    boxes, edges, box_of = _boxes(rows, labels, taken, frame_of)
    last = complexity.outputs[0] if complexity.outputs else SOURCE
    if last != SOURCE and labels[last].kind == "pass":
        last = min(taken[last], default=SOURCE)
    output = box_of.get(last, SOURCE)
    if output == SOURCE:
        raise ValueError("there is nothing to draw: no layer lies between the model's input and its output")
    _drop_idle(boxes, edges, output)
    return Graph(boxes, edges, _frames(boxes, edges, modules, output), output)


def _taken(rows: Sequence[Row], labels: list[Label]) -> list[set[int]]:
    """The rows that each row takes, through those that are left out."""
    taken: list[set[int]] = []
    for row in rows:
        through = (taken[given] if given >= 0 and labels[given].kind == "pass" else {given} for given in row.inputs)
        taken.append(set().union(*through))
    return taken


def _boxes(
    rows: Sequence[Row], labels: list[Label], taken: list[set[int]], frame_of: Callable[[str], str]
) -> tuple[dict[int, Box], Edges, dict[int, int]]:
    """A box for each layer, with what follows it; the edges between them; and the box that each row is part of."""
    shown = [number for number, label in enumerate(labels) if taken[number] and label.kind != "pass"]
    uses = Counter(source for number in shown for source in taken[number])
    box_of: dict[int, int] = {SOURCE: SOURCE}
    boxes: dict[int, Box] = {}
    edges: Edges = set()
    for number in shown:
        row, label, (first, *others) = rows[number], labels[number], taken[number]
        frame, box = frame_of(row.name), boxes.get(box_of.get(first, SOURCE))
        if label.kind in FOLLOWERS and not others and uses[first] == 1 and box and box.frame == frame:
            box_of[number] = box_of[first]
            box.notes.append(label.short)
            box.shape = row.output_shape[1:]
        else:
            box_of[number] = number
            boxes[number] = box = Box(label, row.output_shape[1:], frame)
            edges |= {(box_of[source], number) for source in taken[number] if source in box_of}
        box.params += row.params
        box.macs += row.macs or 0
    return boxes, edges, box_of


def _drop_idle(boxes: dict[int, Box], edges: Edges, output: int) -> None:
    """Leave out what has no weights, computes nothing and leads nowhere, such as statistics that are kept."""
    for number in sorted(boxes, reverse=True):
        ends = number != output and not any(source == number for source, _ in edges)
        if ends and not boxes[number].params and not boxes[number].macs:
            del boxes[number]
            edges -= {edge for edge in edges if number in edge}


def _frames(boxes: dict[int, Box], edges: Edges, modules: dict[str, nn.Module], output: int) -> list[Frame]:
    """A frame for each run of boxes of one module; a module with one box has none."""
    frames = []
    for name, run in groupby(boxes, key=lambda number: boxes[number].frame):
        members = list(run)
        if name and len(members) > 1:
            inside = edges_of(edges, members)
            inside |= {(number, SINK) for number in members if number == output}
            frames.append(Frame(name, type(modules[name]).__name__, members, inside))
    return frames


def edges_of(edges: Edges, members: Iterable[int]) -> Edges:
    """The edges of ``members``, with everything else as ``SOURCE`` and ``SINK``."""
    own = set(members)
    return {
        (source if source in own else SOURCE, target if target in own else SINK)
        for source, target in edges
        if source in own or target in own
    }


class _FrameFinder:
    """Which module frames a row: the outermost of a class of its own that does not itself hold several such.

    Only a module with at least two layers counts, where normalisations and activations are none.
    """

    def __init__(self, modules: dict[str, nn.Module], layers: Iterable[str]):
        sizes = Counter(prefix for name in layers for prefix in _prefixes(name))
        own = [
            name
            for name, module in modules.items()
            if name and sizes[name] > 1 and module._modules and not isinstance(module, CONTAINERS)
        ]
        self._framing = {name for name in own if sum(other.startswith(f"{name}.") for other in own) < 2}

    def __call__(self, row_name: str) -> str:
        return next((name for name in _prefixes(row_name) if name in self._framing), "")


def _prefixes(name: str) -> list[str]:
    """ "a.b.c" -> ["a", "a.b", "a.b.c"]."""
    parts = name.split(".")
    return [".".join(parts[:length]) for length in range(1, len(parts) + 1)]
