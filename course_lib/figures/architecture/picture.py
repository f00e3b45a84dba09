"""From pieces to a picture: sizes from the inside out, then everything drawn from the top down."""

from __future__ import annotations

from dataclasses import dataclass

from course_lib.figures.architecture.canvas import GREY, Canvas, text_width
from course_lib.figures.architecture.graph import SINK, SOURCE
from course_lib.figures.architecture.layout import Item, Leaf, Parallel, Tangle
from course_lib.figures.architecture.shapes import Shape

GAP, FAN, ASIDE, SHORTCUT, LANE, LANES = 16.0, 15.0, 9.0, 14.0, 8.0, 80.0
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
        self.begins_with_box = bool(items) and not isinstance(items[0], Parallel)

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
            wide = max(shape.width for shape in shapes) + 2 * (min(LANE * len(_lanes(item)), LANES) + ASIDE)
            return wide, sum(shape.height for shape in shapes) + GAP * (len(shapes) - 1)
        sizes = [self.series_size(branch) for branch in item.branches]
        high = max(height for _, height in sizes) + 2 * FAN
        if len(sizes) == 2 and not item.branches[1]:
            return sizes[0][0] + 2 * (ASIDE + SHORTCUT), high
        return sum(width for width, _ in sizes) + ASIDE * (len(sizes) - 1), high

    def draw_series(self, canvas: Canvas, items: list[Item], x: float, top: float) -> float:
        """Draw pieces one below the other, with their middle at ``x``. Returns where they end."""
        for index, item in enumerate(items):
            if index:
                canvas.line((x, top), (x, top + GAP), arrow=not isinstance(item, Parallel))
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
            canvas.line(
                (x, top), (x, top + 4), (middle, top + 4), (middle, begin), arrow=not isinstance(branch[0], Parallel)
            )
            bottom = self.draw_series(canvas, branch, middle, begin)
            canvas.line((middle, bottom), (middle, end - 4), (x, end - 4), (x, end))

    def _draw_tangle(self, canvas: Canvas, item: Tangle, x: float, top: float) -> None:
        """Boxes one below the other; an edge that passes others by runs beside them."""
        places = {SOURCE: (x, top, top)}
        y = top
        for number in item.numbers:
            shape = self.shapes[number]
            shape.draw(canvas, x, y)
            self.places[number] = (x + shape.width / 2, y + shape.height / 2)
            places[number] = (x + shape.width / 2, y, y + shape.height)
            y += shape.height + GAP
        places[SINK] = (x, y - GAP, y - GAP)
        order = [SOURCE, *item.numbers, SINK]
        right = max(self.shapes[number].width for number in item.numbers) / 2 + x
        for before, after in zip(item.numbers, item.numbers[1:], strict=False):
            if (before, after) in item.edges:
                canvas.line((x, places[before][2]), (x, places[after][1]), arrow=True)
        lanes = _lanes(item)
        step = min(LANE, LANES / max(1, len(lanes)))
        for lane, edges in enumerate(lanes, start=1):
            for source, target in edges:
                aside = right + step * lane
                start, end = places[order[source]], places[order[target]]
                from_y = start[2] - 5 if order[source] != SOURCE else start[2]
                to_y = end[1] + 6 if order[target] != SINK else end[1]
                canvas.line(
                    (start[0], from_y), (aside, from_y), (aside, to_y), (end[0], to_y), arrow=order[target] != SINK
                )


def _lanes(item: Tangle) -> list[list[tuple[int, int]]]:
    """The edges that pass boxes by, as pairs of places, in lanes in which none meets another."""
    places = {SOURCE: 0, SINK: len(item.numbers) + 1, **{number: at for at, number in enumerate(item.numbers, start=1)}}
    jumps = sorted(
        ((places[a], places[b]) for a, b in item.edges if places[b] > places[a] + 1), key=lambda e: (e[1] - e[0], e)
    )
    lanes: list[list[tuple[int, int]]] = []
    for jump in jumps:
        free = next((lane for lane in lanes if all(jump[0] >= b or jump[1] <= a for a, b in lane)), None)
        if free is None:
            lanes.append([jump])
        else:
            free.append(jump)
    return lanes
