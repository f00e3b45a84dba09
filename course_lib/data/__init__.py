"""Images and labels as resident tensors: ``load(name)`` gives any data set of the course."""

from __future__ import annotations

from course_lib.data.at_hand import is_at_hand
from course_lib.data.errors import DataError
from course_lib.data.load import NAMES, data_root, load
from course_lib.data.photographs import photographs
from course_lib.data.prepared import load_prepared
from course_lib.data.splits import ChannelStats, ImageData, Split
from course_lib.data.summary import summary
from course_lib.data.transforms import PIXELS, Normaliser, channel_stats, normalise, pad_to, pixel_scale, resize

__all__ = [
    "NAMES",
    "PIXELS",
    "ChannelStats",
    "DataError",
    "ImageData",
    "Normaliser",
    "Split",
    "channel_stats",
    "data_root",
    "is_at_hand",
    "load",
    "load_prepared",
    "normalise",
    "pad_to",
    "photographs",
    "pixel_scale",
    "resize",
    "summary",
]
