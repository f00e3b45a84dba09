"""What is drawn: the way to the output, what leaves it, which neighbours are alike, and all of it in words."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby

from course_lib.figures.architecture.graph import SINK, SOURCE, Box, Edges, Frame, Graph
from course_lib.figures.architecture.layout import Item, Leaf, Parallel, decompose
from course_lib.figures.architecture.picture import Framed, Picture
from course_lib.figures.architecture.shapes import LEGEND, Shape, box_shape, sizes_text


class Plan:
    """The pictures of a graph: ``main``, the way to the output; ``sides``, each with the number that it leaves from.

    ``description`` says in words what the pictures show; ``kinds`` are those that occur, ``num_boxes`` are drawn.
    """

    def __init__(self, graph: Graph, *, open_frames: bool, small: bool = False):
        self.graph = graph
        self.num_boxes = 0
        self.kinds = [kind for kind in LEGEND if any(box.label.kind == kind for box in graph.boxes.values())]
        self._open = open_frames
        self._frames = {frame.boxes[0]: frame for frame in graph.frames}  # a frame has the number of its first box
        outer = {box: frame.boxes[0] for frame in graph.frames for box in frame.boxes}
        numbers = [number for number in graph.boxes if outer.get(number, number) == number]
        edges = {(outer.get(a, a), outer.get(b, b)) for a, b in graph.edges}
        edges = {(a, b) for a, b in edges if a != b}
        output = outer.get(graph.output, graph.output)
        way = _ancestors(output, edges)
        inner = {edge for edge in edges if edge[1] in way} | {(output, SINK)}
        self.main, words = self._picture([number for number in numbers if number in way], inner, small=small)
        self.description = f"{words}."
        self.sides: list[tuple[int, Picture]] = []
        for part in _side_parts(numbers, edges, way):
            start, inner = _side_edges(part, edges, way)
            side, words = self._picture(part, inner)
            self.sides.append((start, side))
            self.description += f" Beside: {words}."

    def _picture(
        self, numbers: list[int], edges: Edges, *, small: bool = False, framed: bool = False
    ) -> tuple[Picture, str]:
        """A picture and its description; within a frame there are no further frames."""
        frames = {} if framed else self._frames
        groups: dict[int, list[int]] = {}
        items = _joined(decompose(numbers, edges), lambda number: self._look(number, frames), groups)
        shapes, words = {}, {}
        for number, alike in groups.items():
            if number in frames:
                shapes[number], words[number] = self._framed([frames[other] for other in alike])
            else:
                self.num_boxes += 1
                box = self.graph.boxes[number]
                shapes[number] = box_shape(box, small=small, count=len(alike))
                words[number] = " ".join([box.label.text, *box.notes]) + _times(len(alike))
        return Picture(items, shapes), ", ".join(_in_words(items, words))

    def _framed(self, frames: list[Frame]) -> tuple[Shape | Framed, str]:
        """One frame for all that look like it."""
        frame, count = frames[0], len(frames)
        heading = frame.type + (f"  ×{count}" if count > 1 else "")
        name = frame.name + (f" to {frames[-1].name.rpartition('.')[2]}" if count > 1 else "")
        below = f"{name} · {sizes_text(self.graph.boxes[frame.boxes[-1]].shape)}"
        if not self._open:
            self.num_boxes += 1
            return Shape("other", [heading, below], (13, 11)), frame.type + _times(count)
        picture, words = self._picture(frame.boxes, frame.edges, small=True, framed=True)
        return Framed(heading, below, picture), f"{frame.type}{_times(count)} [{words}]"

    def _look(self, number: int, frames: dict[int, Frame]) -> tuple:
        """Equal for what looks the same."""
        frame = frames.get(number)
        if frame is None:
            return _box_look(self.graph.boxes[number])
        places = {SOURCE: SOURCE, SINK: SINK, **{box: place for place, box in enumerate(frame.boxes)}}
        edges = tuple(sorted((places[a], places[b]) for a, b in frame.edges))
        return frame.type, edges, *(_box_look(self.graph.boxes[box]) for box in frame.boxes)


def _box_look(box: Box) -> tuple:
    return box.label, tuple(box.notes), box.shape, box.params


def _times(count: int) -> str:
    return f" {count} times" if count > 1 else ""


def _joined(items: list[Item], look: Callable[[int], tuple], groups: dict[int, list[int]]) -> list[Item]:
    """Neighbours that look the same as one; ``groups`` gets the numbers for which each stands."""
    joined: list[Item] = []
    for _, run in groupby(items, key=lambda item: look(item.number) if isinstance(item, Leaf) else id(item)):
        first, *others = run
        if isinstance(first, Parallel):
            first = Parallel([_joined(branch, look, groups) for branch in first.branches])
        elif isinstance(first, Leaf):
            groups[first.number] = [first.number, *(other.number for other in others)]
        else:
            groups.update({number: [number] for number in first.numbers})
        joined.append(first)
    return joined


def _in_words(items: list[Item], words: dict[int, str]) -> list[str]:
    found = []
    for item in items:
        if isinstance(item, Leaf):
            found.append(words[item.number])
        elif isinstance(item, Parallel):
            branches = [", ".join(_in_words(branch, words)) or "a shortcut" for branch in item.branches]
            found.append(f"{len(branches)} branches ({'; '.join(branches)})")
        else:
            found.append(f"connected across ({', '.join(words[number] for number in item.numbers)})")
    return found


def _ancestors(output: int, edges: Edges) -> set[int]:
    """``output`` and all that it depends on."""
    found, waiting = set(), [output]
    while waiting:
        number = waiting.pop()
        if number not in found and number != SOURCE:
            found.add(number)
            waiting += [source for source, target in edges if target == number]
    return found


def _side_parts(numbers: list[int], edges: Edges, way: set[int]) -> list[list[int]]:
    """What is not on the way, in connected parts."""
    parts: list[list[int]] = []
    for number in (number for number in numbers if number not in way):
        near = {a for a, b in edges if b == number} | {b for a, b in edges if a == number}
        joined = [part for part in parts if near & set(part)]
        parts = [part for part in parts if part not in joined] + [[*(n for part in joined for n in part), number]]
    return parts


def _side_edges(numbers: list[int], edges: Edges, way: set[int]) -> tuple[int, Edges]:
    """Where a part leaves the way, and its edges."""
    own = set(numbers)
    start = max((a for a, b in edges if b in own and a in way), default=SOURCE)
    inner = {(a if a in own else SOURCE, b) for a, b in edges if b in own}
    return start, inner | {(number, SINK) for number in numbers if not any(a == number for a, _ in inner)}
