"""Drawings of networks, made from the modules themselves: what runs is what is drawn.

``draw(model, (3, 224, 224))`` follows one forward pass on shapes alone and gives an SVG: layers as boxes from the top
down, branches side by side, shortcuts as lines round what they skip, and modules of a class of their own as frames.
"""

from course_lib.figures.architecture.drawing import draw

__all__ = ["draw"]
