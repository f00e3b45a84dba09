"""From pieces to a picture: sizes from the inside out, then everything drawn from the top down."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from course_lib.figures.architecture.canvas import GREY, Canvas, text_width
from course_lib.figures.architecture.graph import SINK, SOURCE, Edges
from course_lib.figures.architecture.layout import Item, Leaf, Parallel, Tangle
from course_lib.figures.architecture.shapes import Shape

GAP, FAN, ASIDE, SHORTCUT = 16.0, 15.0, 9.0, 14.0
LANE, MOST_LANES = 9.0, 12
TITLE, INSET = 36.0, 9.0  # of a frame: height of the heading, room above and below the picture


@dataclass
class Framed:
    """A frame: its heading, and the picture of what is in it."""

    heading: str
    subheading: str
    picture: Picture

    @property
    def width(self) -> float:
        """From border to border."""
        headings = text_width(self.heading, 12, bold=True), text_width(self.subheading, 10)
        return max(self.picture.width, *(width + 4 for width in headings)) + 20

    @property
    def height(self) -> float:
        """From border to border."""
        return TITLE + self.picture.height + 2 * INSET

    def draw(self, canvas: Canvas, x: float, top: float) -> None:
        """Draw it with its middle at ``x``."""
        canvas.rect(x - self.width / 2, top, self.width, self.height, "#fafafa", "#8a8a8a", radius=8)
        canvas.text(x, top + 12, self.heading, 12, bold=True)
        canvas.text(x, top + 26, self.subheading, 10, color=GREY)
        start, end = top + TITLE, top + self.height
        canvas.line((x, start - 2), (x, start + INSET), arrow=self.picture.begins_with_box)
        self.picture.draw(canvas, x, start + INSET)
        canvas.line((x, end - INSET), (x, end))


class Picture:
    """Draws ``items``; ``shapes`` has the look of each number, and where it was drawn is kept in ``places``."""

    def __init__(self, items: list[Item], shapes: dict[int, Shape | Framed]):
        self.items = items
        self.shapes = shapes
        self.places: dict[int, tuple[float, float]] = {}  # right edge, and the middle of its height
        self.width, self.height = self.series_size(items)
        self.begins_with_box = bool(items) and isinstance(items[0], Leaf)

    def draw(self, canvas: Canvas, x: float, top: float) -> float:
        """Draw everything with its middle at ``x``. Returns where it ends."""
        return self.draw_series(canvas, self.items, x, top)

    def series_size(self, items: list[Item]) -> tuple[float, float]:
        """Width and height of pieces one below the other."""
        sizes = [self.size(item) for item in items]
        return max((width for width, _ in sizes), default=SHORTCUT), sum(h for _, h in sizes) + GAP * max(
            0, len(sizes) - 1
        )

    def size(self, item: Item) -> tuple[float, float]:
        """Width and height of one piece."""
        if isinstance(item, Leaf):
            return self.shapes[item.number].width, self.shapes[item.number].height
        if isinstance(item, Tangle):
            shapes = [self.shapes[number] for number in item.numbers]
            wide = max(shape.width for shape in shapes) + 2 * (LANE * len(_lanes(item)) + ASIDE)
            return wide, sum(shape.height for shape in shapes) + GAP * (len(shapes) - 1) + 2 * FAN
        sizes = [self.series_size(branch) for branch in item.branches]
        high = max(height for _, height in sizes) + 2 * FAN
        if len(sizes) == 2 and not item.branches[1]:
            return sizes[0][0] + 2 * (ASIDE + SHORTCUT), high
        return sum(width for width, _ in sizes) + ASIDE * (len(sizes) - 1), high

    def draw_series(self, canvas: Canvas, items: list[Item], x: float, top: float) -> float:
        """Draw pieces one below the other, with their middle at ``x``. Returns where they end."""
        for index, item in enumerate(items):
            if index:
                canvas.line((x, top), (x, top + GAP), arrow=isinstance(item, Leaf))
                top += GAP
            top = self._draw(canvas, item, x, top)
        return top

    def _draw(self, canvas: Canvas, item: Item, x: float, top: float) -> float:
        if isinstance(item, Leaf):
            shape = self.shapes[item.number]
            shape.draw(canvas, x, top)
            self.places[item.number] = (x + shape.width / 2, top + shape.height / 2)
        elif isinstance(item, Tangle):
            self._draw_tangle(canvas, item, x, top)
        else:
            self._draw_parallel(canvas, item, x, top)
        return top + self.size(item)[1]

    def _draw_parallel(self, canvas: Canvas, item: Parallel, x: float, top: float) -> None:
        """Branches side by side; what ends them stands on one line."""
        width, height = self.size(item)
        end = top + height
        sizes = [self.series_size(branch) for branch in item.branches]
        left = x - width / 2
        if len(sizes) == 2 and not item.branches[1]:  # the way stays on the axis, the shortcut goes round
            left = x - sizes[0][0] / 2
        for branch, (wide, high) in zip(item.branches, sizes, strict=True):
            middle = left + wide / 2
            left += wide + ASIDE
            if not branch:
                canvas.line((x, top), (x, top + 4), (middle, top + 4), (middle, end - 4), (x, end - 4), (x, end))
                continue
            begin = end - FAN - high
            canvas.line((x, top), (x, top + 4), (middle, top + 4), (middle, begin), arrow=isinstance(branch[0], Leaf))
            bottom = self.draw_series(canvas, branch, middle, begin)
            canvas.line((middle, bottom), (middle, end - 4), (x, end - 4), (x, end))

    def _draw_tangle(self, canvas: Canvas, item: Tangle, x: float, top: float) -> None:
        """Boxes one below the other; an edge that passes others by runs beside them."""
        starts, ends = {SOURCE: (x, top + 4)}, {}  # where edges leave and arrive
        y = top + FAN
        for number in item.numbers:
            shape = self.shapes[number]
            shape.draw(canvas, x, y)
            right = x + shape.width / 2
            self.places[number] = (right, y + shape.height / 2)
            starts[number], ends[number] = (right, y + shape.height - 6), (right, y + 8)
            y += shape.height + GAP
        bottom = y - GAP
        ends[SINK] = (x, bottom + FAN - 4)
        if (SOURCE, item.numbers[0]) in item.edges:
            canvas.line((x, top), (x, top + FAN), arrow=True)
        for before, after in pairwise(item.numbers):
            if (before, after) in item.edges:
                gap = ends[after][1] - 8
                canvas.line((x, gap - GAP), (x, gap), arrow=True)
        canvas.line((x, bottom), (x, bottom + FAN))
        edge = max(right for right, _ in starts.values())
        for lane, jumps in enumerate(_lanes(item), start=1):
            for source, target in jumps:
                (left, out), (goal, into), aside = starts[source], ends[target], edge + LANE * lane
                canvas.line((left, out), (aside, out), (aside, into), (goal, into), arrow=target != SINK)


def _lanes(item: Tangle) -> list[Edges]:
    """The edges that pass boxes by, in lanes in which none meets another; one lane for all if they are too many."""
    order = {number: place for place, number in enumerate((SOURCE, *item.numbers, SINK))}
    jumps = sorted(
        (edge for edge in item.edges if order[edge[1]] > order[edge[0]] + 1),
        key=lambda edge: (order[edge[1]] - order[edge[0]], order[edge[0]]),
    )
    lanes: list[Edges] = []
    for source, target in jumps:
        for lane in lanes:
            if all(order[source] >= order[end] or order[target] <= order[start] for start, end in lane):
                lane.add((source, target))
                break
        else:
            lanes.append({(source, target)})
    return lanes if len(lanes) <= MOST_LANES else [set(jumps)]
