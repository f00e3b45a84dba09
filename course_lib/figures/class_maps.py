"""Class maps: where in an image a network with global average pooling sees which class.

Every function takes images and maps that the caller computed, draws them, and returns a figure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from course_lib.figures.style import INK, SIGNED, WIDTH, as_array, bare

SMALL = {"fontsize": 10}


def class_map_rows(images: Any, maps: Any, classes: Sequence[str]) -> Figure:
    """A row per image: the image (H, W), then its map (h, w) of each class, with the mean below it.

    All maps share one scale of colour, red above zero and blue below. The map with the largest mean has a heavy frame.

    Args:
        images: (N, H, W).
        maps: (N, K, h, w).
        classes: the K names.
    """
    pictures, scores = as_array(images), as_array(maps)
    limit = float(np.abs(scores).max()) or 1.0
    columns = len(classes) + 1
    figure = Figure(figsize=(WIDTH, len(pictures) * (WIDTH / columns + 0.28) + 0.25), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.01, h_pad=0.02, wspace=0)
    for line, picture, row in zip(
        figure.subplots(len(pictures), columns, squeeze=False), pictures, scores, strict=True
    ):
        line[0].imshow(picture, cmap=INK)
        bare(line[0])
        means = row.mean((1, 2))
        for ax, one, mean in zip(line[1:], row, means, strict=True):
            ax.imshow(one, cmap=SIGNED, vmin=-limit, vmax=limit)
            bare(ax, frame=2.4 if mean == means.max() else 0.6)
            ax.set_xlabel(f"{round(float(mean), 1) + 0.0:.1f}", fontsize=8, labelpad=2)
    for ax, title in zip(figure.axes[:columns], ("image", *classes), strict=True):
        ax.set_title(title, **SMALL)
    return figure


def heat_on_image(image: Any, heats: Mapping[str, Any]) -> Figure:
    """The image (H, W) once for each map (h, w) of ``heats``, one below the other, with the map's positive part on it.

    A map is stretched over the image; red is as strong as the largest value of all maps.
    """
    picture = as_array(image)
    panels = {title: np.clip(as_array(heat), 0, None) for title, heat in heats.items()}
    largest = max(float(heat.max()) for heat in panels.values()) or 1.0
    height, width = picture.shape
    figure = Figure(figsize=(WIDTH, len(panels) * (WIDTH * 0.85 * height / width + 0.12)), layout="constrained")
    axes = figure.subplots(len(panels), 1, squeeze=False)[:, 0]
    box = (-0.5, width - 0.5, height - 0.5, -0.5)
    for ax, (title, heat) in zip(axes, panels.items(), strict=True):
        ax.imshow(picture, cmap=INK)
        ax.imshow(heat, cmap="Reds", vmin=0, vmax=largest, alpha=0.7 * heat / largest, extent=box)
        bare(ax)
        ax.set_ylabel(title, rotation=0, ha="right", va="center", **SMALL)
    return figure
