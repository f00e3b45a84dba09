"""``draw``: a network's architecture as SVG."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from course_lib.complexity import Complexity, analyze
from course_lib.figures.architecture.canvas import GREY, Canvas, text_width
from course_lib.figures.architecture.graph import build_graph
from course_lib.figures.architecture.plan import Plan
from course_lib.figures.architecture.shapes import COLORS, LEGEND, sizes_text

MARGIN, STEP, ASIDE = 14.0, 18.0, 24.0
WIDE = 420.0  # pixels, beyond which boxes are drawn small
BATCH = 2  # images in the pass that is drawn: one is too few for batch normalisation on 1x1 maps


def draw(
    model: nn.Module,
    input_shape: Sequence[int],
    *,
    title: str | None = None,
    training: bool = True,
    open_frames: bool | None = None,
    max_boxes: int = 160,
) -> str:
    """An SVG of ``model`` as it runs on one input, on a white card, with a title and a description.

    Layers are boxes, with the normalisation and activation that follow them and the shape (C, H, W) that comes out.
    A module of a class of its own that holds several layers is a frame. Alike neighbours are drawn once, with their
    number. Auxiliary heads stand beside. The same model gives the same bytes.

    Args:
        model: any module, on any device; see ``course_lib.complexity.analyze``.
        input_shape: (C, H, W) of one image, or another shape without its batch.
        title: the heading; default: the model's type.
        training: draw the pass of training mode, in which auxiliary heads run.
        open_frames: whether frames show what is in them. Default: as long as there are at most ``max_boxes`` boxes.
        max_boxes: see ``open_frames``.

    Raises:
        ValueError: as ``course_lib.complexity.analyze``; or no layer lies between the model's input and its output.
    """
    complexity = analyze(model, input_shape, batch_size=BATCH, training=training)
    graph = build_graph(model, complexity)
    title = title or type(model).__name__
    if open_frames is None:
        open_frames = Plan(graph, open_frames=True).num_boxes <= max_boxes
    plan = Plan(graph, open_frames=open_frames)
    if plan.main.width > WIDE:
        plan = Plan(graph, open_frames=open_frames, small=True)
    return _render(plan, complexity, title, _facts(model, input_shape))


def _facts(model: nn.Module, input_shape: Sequence[int]) -> str:
    """Parameters and multiply-adds of an inference, for the heading."""
    found = analyze(model, input_shape)
    unit, size = next((u, s) for u, s in (("G", 1e9), ("M", 1e6), ("k", 1e3), ("", 1)) if found.macs >= s or s == 1)
    return f"{found.params:,} parameters · {found.macs / size:.3g} {unit} multiply-adds".replace("  ", " ")


def _render(plan: Plan, complexity: Complexity, title: str, facts: str) -> str:
    canvas, main = Canvas(), plan.main
    aside = max((side.width for _, side in plan.sides), default=0) + (ASIDE if plan.sides else 0)
    width = max(main.width + aside, text_width(title, 15, bold=True), text_width(facts, 11), 300) + 2 * MARGIN
    x = (width - aside) / 2
    canvas.text(width / 2, MARGIN + 8, title, 15, bold=True)
    canvas.text(width / 2, MARGIN + 28, facts, 11, color=GREY)
    inputs = " and ".join(sizes_text(shape[1:]) for shape in complexity.input_shapes)
    y = _pill(canvas, x, MARGIN + 44, f"input {inputs}")
    canvas.line((x, y), (x, y + STEP), arrow=main.begins_with_box)
    y = main.draw(canvas, x, y + STEP)
    canvas.line((x, y), (x, y + STEP), arrow=True)
    y = _pill(canvas, x, y + STEP, f"output {sizes_text(plan.graph.boxes[plan.graph.output].shape)}")
    y = max(y, _sides(canvas, plan, x + main.width / 2 + ASIDE + (aside - ASIDE) / 2))
    y = _legend(canvas, plan.kinds, width, y + STEP)
    description = f"{facts}. From input {inputs}: {plan.description}"
    return canvas.svg(width, y + MARGIN, f"Architecture of {title}", description)


def _sides(canvas: Canvas, plan: Plan, x: float) -> float:
    """What leaves the way to the output and does not come back. Returns where it ends."""
    end = 0.0
    for start, side in plan.sides:
        right, middle = plan.main.places.get(start, (x, 0.0))
        top = max(middle + STEP, end + STEP)
        canvas.line((right, middle), (x, middle), (x, top), arrow=side.begins_with_box)
        y = side.draw(canvas, x, top)
        canvas.line((x, y), (x, y + STEP), arrow=True)
        end = _pill(canvas, x, y + STEP, "output")
    return end


def _pill(canvas: Canvas, x: float, top: float, text: str) -> float:
    width = text_width(text, 12) + 24
    canvas.rect(x - width / 2, top, width, 24, "#ffffff", "#8a8a8a", radius=12)
    canvas.text(x, top + 12, text, 12)
    return top + 24


def _legend(canvas: Canvas, kinds: list[str], width: float, top: float) -> float:
    """Swatches with names, in as many lines as they need. Returns where they end."""
    x, y = MARGIN, top
    for kind in kinds:
        wide = text_width(LEGEND[kind], 10) + 28
        if x + wide > width - MARGIN and x > MARGIN:
            x, y = MARGIN, y + 18
        canvas.rect(x, y, 12, 12, *COLORS[kind], radius=3)
        canvas.text(x + 17, y + 6, LEGEND[kind], 10, color=GREY, anchor="start")
        x += wide
    return y + 12
