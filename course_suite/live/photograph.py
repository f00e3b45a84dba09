"""The photograph of the kernel lab."""

from __future__ import annotations

import base64
from typing import Any

REDUCTION = 4  # pixels of the photograph along each axis of a pixel of the page

CREDIT = "China, by danielbuechele, CC BY 2.0"


def photograph() -> dict[str, Any]:
    """scikit-learn's photograph "china" (CC BY), grey: the rounded mean of three colours and 4x4 pixels, as bytes."""
    from course_lib.data import photographs

    colours = photographs()["china"]  # (3, H, W), uint8
    height, width = (side // REDUCTION for side in colours.shape[1:])
    cut = colours[:, : height * REDUCTION, : width * REDUCTION].double()
    grey = cut.reshape(3, height, REDUCTION, width, REDUCTION).mean(dim=(0, 2, 4)).round().byte()
    return {"height": height, "width": width, "pixels": base64.b64encode(grey.numpy().tobytes()).decode("ascii")}
