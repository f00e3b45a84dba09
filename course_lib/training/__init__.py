"""Training that is fast and repeatable: ``fit(model, data, ...)`` and ``evaluate(model, split)``."""

from __future__ import annotations

from course_lib.training.augment import Augment, random_crop, random_flip
from course_lib.training.checkpoint import load_checkpoint, open_run
from course_lib.training.compare import Comparison, Interval, compare, compare_on_images, interval
from course_lib.training.curvature import diagonal_curvature
from course_lib.training.device import find_device
from course_lib.training.errors import TrainingError
from course_lib.training.evaluation import Calibration, ClassResult, Evaluation, evaluate
from course_lib.training.fit import fit
from course_lib.training.group import Group, join_group, leave_group
from course_lib.training.history import History
from course_lib.training.optimisers import parameter_groups
from course_lib.training.range_test import RateTest, rate_range_test
from course_lib.training.recipe import Recipe
from course_lib.training.reproducible import seeded
from course_lib.training.schedules import Constant, Cosine, OneCycle, Steps, Table
from course_lib.training.sdlm import fit_sdlm

__all__ = [
    "Augment",
    "Calibration",
    "ClassResult",
    "Comparison",
    "Constant",
    "Cosine",
    "Evaluation",
    "Group",
    "History",
    "Interval",
    "OneCycle",
    "RateTest",
    "Recipe",
    "Steps",
    "Table",
    "TrainingError",
    "compare",
    "compare_on_images",
    "diagonal_curvature",
    "evaluate",
    "find_device",
    "fit",
    "fit_sdlm",
    "interval",
    "join_group",
    "leave_group",
    "load_checkpoint",
    "open_run",
    "parameter_groups",
    "random_crop",
    "random_flip",
    "rate_range_test",
    "seeded",
]
