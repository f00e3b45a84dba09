"""How boxes, joins and frames look: their sizes, and how they are drawn."""

from __future__ import annotations

from dataclasses import dataclass

from course_lib.figures.architecture.canvas import GREY, INK, WHITE, Canvas, text_width
from course_lib.figures.architecture.graph import Box
from course_lib.figures.style import BLUE, GREEN, ORANGE, PURPLE

# Fill and border by kind. The text says the kind as well: nothing depends on telling the colours apart.
COLORS = {
    "conv": ("#d6e8f5", BLUE),
    "pool": ("#fdeecb", ORANGE),
    "linear": ("#d3efe5", GREEN),
    "norm": ("#f6e3ee", PURPLE),
    "act": ("#f6e3ee", PURPLE),
    "drop": ("#f6e3ee", PURPLE),
    "join": (WHITE, INK),
    "other": ("#ededed", GREY),
}
LEGEND = {
    "conv": "convolution",
    "pool": "pooling",
    "linear": "fully connected",
    "norm": "normalisation",
    "act": "activation",
    "other": "other",
}


@dataclass
class Shape:
    """Something with a size that can be drawn: its texts, from the top, and how."""

    kind: str
    lines: list[str]
    sizes: tuple[int, ...]
    note: str = ""  # beside a join
    padding: float = 12

    @property
    def width(self) -> float:
        """From border to border; with its note, for a join."""
        first, *others = [
            text_width(line, size, bold=index == 0)
            for index, (line, size) in enumerate(zip(self.lines, self.sizes, strict=False))
        ]
        if self.kind == "join":
            return max(22, first + 12) + (2 * (text_width(self.note, 10) + 8) if self.note else 0)
        return 2 * self.padding + max(first, *others, 0)

    @property
    def height(self) -> float:
        """From border to border."""
        if self.kind == "join":
            return 20
        return sum(size + 5 for size, _ in zip(self.sizes, self.lines, strict=False)) + self.padding * 0.7

    def draw(self, canvas: Canvas, x: float, top: float) -> None:
        """Draw it with its middle at ``x``."""
        fill, stroke = COLORS[self.kind]
        if self.kind == "join":
            width = max(22, text_width(self.lines[0], 11, bold=True) + 12)
            canvas.rect(x - width / 2, top, width, 20, fill, stroke, radius=10)
            canvas.text(x, top + 10, self.lines[0], 13 if len(self.lines[0]) == 1 else 11, bold=True)
            if self.note:
                canvas.text(x + width / 2 + 5, top + 10, self.note, 10, color=GREY, anchor="start")
            return
        canvas.rect(x - self.width / 2, top, self.width, self.height, fill, stroke)
        y = top + self.padding * 0.35
        for index, (line, size) in enumerate(zip(self.lines, self.sizes, strict=False)):
            canvas.text(x, y + (size + 5) / 2, line, size, bold=index == 0, color=GREY if index else INK)
            y += size + 5


def box_shape(box: Box, *, small: bool, count: int = 1) -> Shape:
    """The shape of a box; ``small`` inside a frame, ``count`` where it stands for several alike."""
    times = f"  ×{count}" if count > 1 else ""
    notes = " · ".join(dict.fromkeys(box.notes))
    if box.label.kind == "join":
        return Shape("join", [box.label.text], (11,), note=notes)
    if small:
        return Shape(box.label.kind, [box.label.short + times, *([notes] if notes else [])], (11, 9), padding=6)
    below = " · ".join(part for part in (notes, sizes_text(box.shape)) if part)
    return Shape(box.label.kind, [box.label.text + times, below], (13, 11))


def sizes_text(shape: tuple[int, ...]) -> str:
    """(64, 56, 56) as 64×56×56; a single number with its thousands."""
    return "×".join(str(size) for size in shape) if len(shape) > 1 else f"{shape[0]:,}" if shape else ""
