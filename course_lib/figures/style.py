"""The look of every figure: readable on a phone and in dark mode, colour-blind safe, the same bytes on each run."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib_inline.backend_inline import set_matplotlib_formats

# Okabe and Ito's palette: distinguishable with every common form of colour blindness.
BLUE, ORANGE, GREEN, VERMILLION, PURPLE, SKY, YELLOW, BLACK = (
    "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#F0E442", "#000000",
)  # fmt: skip
PALETTE = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY, BLACK)

GREY = "#8c8c8c"
MARKERS = "os^DvP*X<h"  # a sign for each colour: no curve is told by its colour alone
INK = "gray_r"  # colour map of digits: dark ink on white
SIGNED = "RdBu_r"  # colour map: red above zero, white at zero, blue below
HEADING = {"fontsize": 11}  # of a panel

# 5.6 inches with 12-point text stays readable when a phone shows it 350 pixels wide.
WIDTH = 5.6

STYLE = {
    "axes.grid": True,
    "axes.prop_cycle": mpl.cycler(color=PALETTE),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.dpi": 96,
    "figure.facecolor": "white",  # a white card, so that a figure reads in dark mode too
    "figure.figsize": (WIDTH, 3.5),
    "figure.constrained_layout.use": True,
    "font.family": "DejaVu Sans",  # ships with matplotlib: the same shapes on every machine
    "font.size": 12,
    "grid.alpha": 0.3,
    "image.cmap": "gray",
    "image.interpolation": "nearest",
    "lines.linewidth": 2,
    "savefig.facecolor": "white",
    "svg.fonttype": "path",
    "svg.hashsalt": "cnn-recomputed",
}


def use_style() -> None:
    """Set the course's figure style, and SVG without a date as the format of a notebook's figures."""
    mpl.rcParams.update(STYLE)
    set_matplotlib_formats("svg", metadata={"Date": None})


def bare(ax: Axes, frame: float = 0.6) -> None:
    """Leave of an axis its frame alone, ``frame`` points wide: for pictures."""
    ax.set(xticks=[], yticks=[])
    ax.grid(False)
    for spine in ax.spines.values():
        spine.set(visible=True, linewidth=frame)


def as_array(values: Any) -> np.ndarray:
    """A tensor or a nested sequence as an array of floats; a tensor may require gradients."""
    return np.asarray(values.detach().cpu() if hasattr(values, "detach") else values, dtype=float)
