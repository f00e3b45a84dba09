"""The gradient of LeNet-5 of 1998 for one image, written out by hand in NumPy.

Gradient descent on one image a step spends its time on the calls, not on the arithmetic: a step through autograd has
some 300 of them. Here each layer is a few, on arrays that are made once.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.lib.stride_tricks import as_strided
from torch import Tensor, nn

from course_lib.models.lenet import LeNet5Of1998
from course_lib.models.lenet_layers import SparseConv2d

SCALE, SLOPE = np.float32(1.7159), np.float32(2 / 3)  # of the squashing function


class LeNetByHand:
    """All weights of one LeNet-5 of 1998 in one vector, and the gradient of the paper's loss for one image.

    ``gradient(image, label)`` fills ``slopes`` and returns the loss (equation 9, see ``map_criterion``) and whether
    the image was classified rightly. Change ``values``, then ``store()`` to give the module the new weights.

    Args:
        model: one channel, any table for C3; images of 32x32.
        margin: the constant j of the loss.

    Raises:
        ValueError: the network has more than one channel.
    """

    def __init__(self, model: LeNet5Of1998, margin: float = 16.0) -> None:
        if model.c1.in_channels != 1:
            raise ValueError(f"model must take one channel, got {model.c1.in_channels}")
        self.model, self.margin = model, np.float32(margin)
        self.codes = model.output.codes.numpy().astype(np.float32)
        self._parts = [
            (layer, name, parameter)
            for layer in model.children()
            for name, parameter in layer.named_parameters(recurse=False)
        ]
        self.values = self.flat({parameter: parameter.detach() for _, _, parameter in self._parts})
        self.slopes = np.zeros_like(self.values)
        weights, slopes = self._views(self.values), self._views(self.slopes)
        (self.w1, self.b1, self.c2, self.b2, self.w3, self.b3, self.c4, self.b4, self.w5, self.b5, self.w6, self.b6) = (
            weights
        )
        self.g = slopes
        maps = len(self.b3)
        self._in = Patches(1, 32)
        self._mid = Patches(6, 14)
        self._up1, self._up3 = np.empty((6, 28, 28), np.float32), np.empty((maps, 10, 10), np.float32)
        self._back = np.empty((6, 14, 14), np.float32)
        self._places = [self._back[:, r : r + 10, c : c + 10] for r in range(5) for c in range(5)]

    def flat(self, tensors: dict[nn.Parameter, Tensor]) -> np.ndarray:
        """A tensor for each parameter as one float32 vector, in the order of ``values``.

        C3's kernels take the places of all pairs of maps; where the table has none, the vector holds 0.
        """
        pieces = []
        for layer, name, parameter in self._parts:
            tensor = tensors[parameter].detach()
            if isinstance(layer, SparseConv2d) and name == "weight":
                tensor = tensor.new_zeros(layer.dense_shape).index_put(tuple(layer.pairs), tensor)
            pieces.append(tensor.reshape(-1))
        return torch.cat(pieces).numpy().astype(np.float32)

    def store(self) -> None:
        """Give the module the weights of ``values``."""
        with torch.no_grad():
            for (layer, name, parameter), view in zip(self._parts, self._views(self.values), strict=True):
                tensor = torch.from_numpy(view.copy())
                if isinstance(layer, SparseConv2d) and name == "weight":
                    tensor = tensor.view(layer.dense_shape)[tuple(layer.pairs)]
                parameter.copy_(tensor.view_as(parameter))

    def _views(self, vector: np.ndarray) -> list[np.ndarray]:
        """The parts of a vector, weights as matrices (units, inputs of a unit)."""
        views, start = [], 0
        for layer, name, parameter in self._parts:
            dense = isinstance(layer, SparseConv2d) and name == "weight"
            shape = layer.dense_shape if dense else parameter.shape
            size = int(np.prod(shape))
            view = vector[start : start + size]
            views.append(view.reshape(shape[0], -1) if name == "weight" else view)
            start += size
        return views

    def gradient(self, image: np.ndarray, label: int) -> tuple[float, bool]:
        """(32, 32) float32 and its class -> the loss and whether the nearest code is the right one."""
        # forwards: t is a tanh, and SCALE * t what the layer gives
        p1 = self._in(image)
        t1 = np.tanh(SLOPE * (self.w1 @ p1 + self.b1[:, None]))
        s2 = _squares(t1.reshape(-1, 28, 28)).reshape(6, 196) * SCALE
        t2 = np.tanh(SLOPE * (s2 * self.c2[:, None] + self.b2[:, None]))
        p3 = self._mid(SCALE * t2.reshape(6, 14, 14))
        t3 = np.tanh(SLOPE * (self.w3 @ p3 + self.b3[:, None]))
        s4 = _squares(t3.reshape(-1, 10, 10)).reshape(-1, 25) * SCALE
        t4 = np.tanh(SLOPE * (s4 * self.c4[:, None] + self.b4[:, None]))
        x5 = SCALE * t4.reshape(-1)
        t5 = np.tanh(SLOPE * (self.w5 @ x5 + self.b5))
        x6 = SCALE * t5
        t6 = np.tanh(SLOPE * (self.w6 @ x6 + self.b6))
        apart = SCALE * t6 - self.codes
        penalties = np.einsum("ij,ij->i", apart, apart)
        least = min(penalties.min(), self.margin)
        weights = np.exp(least - penalties)
        total = weights.sum() + np.exp(least - self.margin)
        loss = penalties[label] + np.log(total) - least
        # backwards: d is the derivative by what goes into the tanh
        pull = -weights / total
        pull[label] += 1
        g1, gb1, gc2, gb2, g3, gb3, gc4, gb4, g5, gb5, g6, gb6 = self.g
        d6 = _through(t6, 2 * (pull @ apart))
        np.outer(d6, x6, out=g6)
        gb6[:] = d6
        d5 = _through(t5, d6 @ self.w6)
        np.outer(d5, x5, out=g5)
        gb5[:] = d5
        d4 = _through(t4, (d5 @ self.w5).reshape(t4.shape))
        np.einsum("ij,ij->i", d4, s4, out=gc4)
        d4.sum(1, out=gb4)
        d3 = _through(t3, _spread(d4 * self.c4[:, None], self._up3).reshape(t3.shape))
        np.matmul(d3, p3.T, out=g3)
        d3.sum(1, out=gb3)
        d2 = _through(t2, self._fold(self.w3.T @ d3).reshape(t2.shape))
        np.einsum("ij,ij->i", d2, s2, out=gc2)
        d2.sum(1, out=gb2)
        d1 = _through(t1, _spread(d2 * self.c2[:, None], self._up1).reshape(t1.shape))
        np.matmul(d1, p1.T, out=g1)
        d1.sum(1, out=gb1)
        return float(loss), int(penalties.argmin()) == label

    def _fold(self, patches: np.ndarray) -> np.ndarray:
        """(6 * 25, 100), the derivative by each patch of S2's maps -> (6, 14, 14), by the maps."""
        self._back.fill(0)
        by_place = patches.reshape(6, 25, 10, 10)
        for place, target in enumerate(self._places):
            target += by_place[:, place]
        return self._back


class Patches:
    """All 5x5 patches of square maps as columns: (channels, side, side) -> (channels * 25, (side - 4)^2)."""

    def __init__(self, channels: int, side: int) -> None:
        self.maps = np.zeros((channels, side, side), np.float32)
        self.out = np.empty((channels, 5, 5, side - 4, side - 4), np.float32)
        self.rows = self.out.reshape(channels * 25, -1)
        c, y, x = self.maps.strides
        self.windows = as_strided(self.maps, self.out.shape, (c, y, x, y, x))

    def __call__(self, maps: np.ndarray) -> np.ndarray:
        """The patches, in an array that the next call overwrites."""
        self.maps[:] = maps
        np.copyto(self.out, self.windows)
        return self.rows


def _squares(maps: np.ndarray) -> np.ndarray:
    """Sums over squares of 2x2: (maps, 2h, 2w) -> (maps, h, w)."""
    rows = maps[:, ::2] + maps[:, 1::2]
    return rows[:, :, ::2] + rows[:, :, 1::2]


def _spread(values: np.ndarray, out: np.ndarray) -> np.ndarray:
    """Each value to the four places of its square: (maps, h * w) -> (maps, 2h, 2w)."""
    count, height, width = out.shape
    squares = values.reshape(count, height // 2, 1, width // 2, 1)
    out.reshape(count, height // 2, 2, width // 2, 2)[:] = squares
    return out


def _through(t: np.ndarray, by_output: np.ndarray) -> np.ndarray:
    """The derivative by the input of the squashing from that by its output; ``t`` is its tanh, and is used up."""
    np.multiply(t, t, out=t)
    np.subtract(1, t, out=t)
    t *= SCALE * SLOPE
    t *= by_output
    return t
