"""Where everything goes: a graph as boxes one below the other, with branches side by side.

A graph with one way in and one way out falls into pieces: boxes that every way passes stand on the axis, and what lies
between two of them are branches, each of which falls into pieces in the same way. What does not is stacked, with arcs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from course_lib.figures.architecture.graph import SINK, SOURCE, Edges, edges_of


@dataclass
class Leaf:
    """One box or frame, and the branches that leave it and do not come back."""

    number: int


@dataclass
class Parallel:
    """Branches between two boxes; an empty one is a shortcut."""

    branches: list[list[Item]]


@dataclass
class Tangle:
    """Boxes in the order of execution, whose edges allow no better."""

    numbers: list[int]
    edges: Edges


Item = Leaf | Parallel | Tangle


def decompose(numbers: Sequence[int], edges: Edges) -> list[Item]:
    """The pieces of a graph from ``SOURCE`` to ``SINK``; ``numbers`` are its boxes, each behind all that feed it."""
    places = {SOURCE: -1, SINK: len(numbers), **{number: place for place, number in enumerate(numbers)}}
    steps = [0] * (len(numbers) + 2)  # edges that begin or end to pass a place by
    for source, target in edges:
        steps[places[source] + 1] += 1
        steps[places[target]] -= 1
    passing, crossings = 0, []
    for step in steps[: len(numbers)]:
        passing += step
        crossings.append(passing)
    ends = [SOURCE, *(number for number, count in zip(numbers, crossings, strict=True) if count == 0), SINK]
    items: list[Item] = []
    for before, after in pairwise(ends):
        between = list(numbers[places[before] + 1 : places[after]])
        items += _between(between, edges, direct=(before, after) in edges)
        if after != SINK:
            items.append(Leaf(after))
    return items


def _between(numbers: list[int], edges: Edges, *, direct: bool) -> list[Item]:
    if not numbers:
        return []
    parts = _components(numbers, edges)
    if len(parts) == 1 and not direct:
        return [Tangle(numbers, edges_of(edges, numbers))]
    branches = [decompose(part, edges_of(edges, part)) for part in parts]
    return [Parallel([*branches, []] if direct else branches)]


def _components(numbers: list[int], edges: Edges) -> list[list[int]]:
    """``numbers`` in groups that no edge joins, each in order, the one that begins first in front."""
    group = {number: number for number in numbers}

    def root(number: int) -> int:
        while group[number] != number:
            number = group[number]
        return number

    for source, target in edges:
        if source in group and target in group:
            first, second = sorted((root(source), root(target)))
            group[second] = first
    parts: dict[int, list[int]] = {}
    for number in numbers:
        parts.setdefault(root(number), []).append(number)
    return list(parts.values())
