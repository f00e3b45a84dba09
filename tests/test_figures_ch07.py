"""The drawing of an image beside its scores shows the numbers that it was given."""

from __future__ import annotations

import numpy as np
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg

from course_lib.figures.chapters.ch07 import image_and_scores


def test_an_image_stands_beside_its_scores_and_their_probabilities() -> None:
    image, scores = torch.eye(8), torch.tensor([2.0, -1.0, 0.5])
    figure = image_and_scores(image, scores, scores.softmax(0))
    FigureCanvasAgg(figure).draw()
    picture, above, below = figure.axes
    assert picture.images[0].get_array().tolist() == np.eye(8).tolist()
    assert [bar.get_height() for bar in above.patches] == scores.tolist()
    assert [bar.get_height() for bar in below.patches] == scores.softmax(0).tolist()
    assert below.get_ylim() == (0, 1)
