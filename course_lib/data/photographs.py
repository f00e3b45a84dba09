"""Two photographs that come with scikit-learn, for convolutions by hand and pictures of feature maps."""

from __future__ import annotations

import torch
from torch import Tensor


def photographs() -> dict[str, Tensor]:
    """``{"china": ..., "flower": ...}``: colour photographs as uint8 (3, 427, 640).

    A Chinese pagoda and a flower, both under CC BY; scikit-learn's ``load_sample_images`` names the photographers.
    """
    from sklearn.datasets import load_sample_image

    return {
        name: torch.from_numpy(load_sample_image(f"{name}.jpg").copy()).permute(2, 0, 1).contiguous()
        for name in ("china", "flower")
    }
