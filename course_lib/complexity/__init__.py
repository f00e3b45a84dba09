"""What a network costs: parameters, multiply-adds, memory and receptive field, for any ``nn.Module``.

``analyze(model, (3, 224, 224))`` runs the model on shapes alone, on torch's meta device: nothing is computed, nothing
is allocated but a few constants, and the model is left as it was. A model that looks at values runs on real numbers
instead, and the result says so. ``build_meta(name)`` makes a network to analyze without initialising it.

Units: one multiply-add counts 1; biases are not counted, normalisation and activations count 0; counts are those of the
whole input, one image by default; a product of complex numbers counts 1. Memory is in bytes.
"""

from course_lib.complexity.analyze import analyze
from course_lib.complexity.inputs import Input
from course_lib.complexity.meta import build_meta, on_meta
from course_lib.complexity.rows import Complexity, Row, Stage

__all__ = ["Complexity", "Input", "Row", "Stage", "analyze", "build_meta", "on_meta"]
