"""Drawings of softmax and cross entropy."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from course_lib.figures.style import BLUE, VERMILLION, WIDTH


def image_and_scores(image: Any, scores: Any, probabilities: Any) -> Figure:
    """An image (H, W) as ink on paper, and beside it a bar for each class: scores above, probabilities below."""
    figure = Figure(figsize=(WIDTH, 3.4), layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=(1, 2.2))
    picture = left.subplots()
    picture.imshow(np.asarray(image), cmap="gray_r")
    picture.set_axis_off()
    above, below = right.subplots(2, 1, sharex=True)
    classes = range(len(scores))
    above.bar(classes, np.asarray(scores), color=BLUE)
    above.set_ylabel("score")
    below.bar(classes, np.asarray(probabilities), color=VERMILLION)
    below.set(ylabel="probability", xlabel="class", xticks=classes, ylim=(0, 1))
    return figure
