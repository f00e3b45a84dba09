"""SVG, piece by piece: boxes, texts, lines with round corners and arrowheads. Nothing here knows of networks."""

from __future__ import annotations

from hashlib import sha256
from html import escape

INK, GREY, WHITE = "#1a1a1a", "#4a4a4a", "#ffffff"
CHAR_WIDTH, BOLD_WIDTH = 0.6, 0.68  # of the font size: wide enough for the fonts that readers have
ARROW = 4


def text_width(text: str, size: int, *, bold: bool = False) -> float:
    """Pixels that ``text`` takes at most."""
    return len(text) * size * (BOLD_WIDTH if bold else CHAR_WIDTH)


class Canvas:
    """Collects the elements of a drawing."""

    def __init__(self) -> None:
        self._elements: list[str] = []

    def rect(
        self, left: float, top: float, width: float, height: float, fill: str, stroke: str, radius: float = 4
    ) -> None:
        """A rectangle with round corners."""
        self._elements.append(
            f'<rect x="{_n(left)}" y="{_n(top)}" width="{_n(width)}" height="{_n(height)}" rx="{_n(radius)}" '
            f'fill="{fill}" stroke="{stroke}"/>'
        )

    def text(
        self, x: float, y: float, text: str, size: int, *, color: str = INK, bold: bool = False, anchor: str = "middle"
    ) -> None:
        """A line of text whose middle is at height ``y``."""
        weight = ' font-weight="bold"' if bold else ""
        self._elements.append(
            f'<text x="{_n(x)}" y="{_n(y + size * 0.36)}" font-size="{size}" text-anchor="{anchor}" '
            f'fill="{color}"{weight}>{escape(text)}</text>'
        )

    def line(self, *points: tuple[float, float], arrow: bool = False) -> None:
        """A line through ``points`` with round corners, and an arrowhead at its end if asked for."""
        path = [f"M{_n(points[0][0])} {_n(points[0][1])}"]
        for before, corner, after in zip(points, points[1:], points[2:], strict=False):
            start, end = _towards(corner, before), _towards(corner, after)
            path.append(f"L{_n(start[0])} {_n(start[1])}Q{_n(corner[0])} {_n(corner[1])} {_n(end[0])} {_n(end[1])}")
        path.append(f"L{_n(points[-1][0])} {_n(points[-1][1])}")
        self._elements.append(f'<path d="{"".join(path)}" fill="none" stroke="{GREY}" stroke-width="1.3"/>')
        if arrow:
            self._arrowhead(points[-2], points[-1])

    def _arrowhead(self, before: tuple[float, float], tip: tuple[float, float]) -> None:
        (x, y), length = tip, ARROW * 1.7
        if abs(before[0] - x) < abs(before[1] - y):
            corners = [(x, y), (x - ARROW, y - length), (x + ARROW, y - length)]
        else:
            back = x + (length if before[0] > x else -length)
            corners = [(x, y), (back, y - ARROW), (back, y + ARROW)]
        points = " ".join(f"{_n(a)},{_n(b)}" for a, b in corners)
        self._elements.append(f'<polygon points="{points}" fill="{GREY}"/>')

    def svg(self, width: float, height: float, title: str, description: str) -> str:
        """The drawing on a white card, with a title and a description for those who do not see it."""
        name = "drawing-" + sha256((title + description + "".join(self._elements)).encode()).hexdigest()[:12]
        wide, high = _n(width), _n(height)
        opening = (
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="{name}-title {name}-text" '
            f'viewBox="0 0 {wide} {high}" width="{wide}" height="{high}" style="max-width:100%;height:auto" '
            'font-family="DejaVu Sans, Verdana, Arial, sans-serif">'
        )
        naming = [
            f'<title id="{name}-title">{escape(title)}</title>',
            f'<desc id="{name}-text">{escape(description)}</desc>',
        ]
        card = f'<rect width="{wide}" height="{high}" rx="6" fill="{WHITE}"/>'
        return "\n".join([opening, *naming, card, *self._elements, "</svg>", ""])


def _towards(corner: tuple[float, float], other: tuple[float, float], radius: float = 5) -> tuple[float, float]:
    """The point at most ``radius`` from ``corner`` on the way to ``other``."""
    across, along = other[0] - corner[0], other[1] - corner[1]
    length = max(abs(across), abs(along))
    part = min(radius, length / 2) / length if length else 0
    return corner[0] + across * part, corner[1] + along * part


def _n(value: float) -> str:
    """A number with at most one decimal."""
    return f"{value:.1f}".removesuffix(".0")
