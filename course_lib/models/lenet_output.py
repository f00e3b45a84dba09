"""LeNet-5's output of 1998: ten fixed pictures, the distance to each, and the two criteria that train on distances.

LeCun, Bottou, Bengio, Haffner, "Gradient-based learning applied to document recognition", Proceedings of the IEEE
86(11), 1998, sections II-B (output units) and II-C (loss function).
"""

from __future__ import annotations

from random import Random

import torch
from torch import Tensor, nn

# Ten digits drawn on a 7x12 grid, '#' for +1 and '.' for -1. The drawings are ours: figure 3 of the paper shows the
# authors' own as a small picture of the whole printable ASCII set, without numbers.
BITMAPS = """
.......  .......  .......  .......  .......  .......  .......  .......  .......  .......
..###..  ...#...  ..###..  .#####.  ....##.  ######.  ...###.  #######  ..###..  ..###..
.#...#.  ..##...  .#...#.  #.....#  ...#.#.  #......  ..#....  ......#  .#...#.  .#...#.
#.....#  .#.#...  #.....#  ......#  ...#.#.  #......  .#.....  .....#.  #.....#  #.....#
#.....#  ...#...  ......#  .....#.  ..#..#.  #......  #......  .....#.  .#...#.  #.....#
#.....#  ...#...  .....#.  ..###..  ..#..#.  #.###..  #.###..  ....#..  ..###..  .#...##
#.....#  ...#...  ....#..  .....#.  .#...#.  ##...#.  ##...#.  ....#..  .#...#.  ..###.#
#.....#  ...#...  ...#...  ......#  #....#.  ......#  #.....#  ...#...  #.....#  ......#
#.....#  ...#...  ..#....  ......#  #######  ......#  #.....#  ...#...  #.....#  .....#.
.#...#.  ...#...  .#.....  #.....#  .....#.  #....#.  .#...#.  ..#....  .#...#.  ....#..
..###..  .#####.  #######  .#####.  .....#.  .####..  ..###..  ..#....  ..###..  .###...
.......  .......  .......  .......  .......  .......  .......  .......  .......  .......
"""
CODE_HEIGHT, CODE_WIDTH = 12, 7
CODE_LENGTH = CODE_HEIGHT * CODE_WIDTH


def class_codes(num_classes: int = 10) -> Tensor:
    """The fixed targets of F6, one row per class: (num_classes, 84), each value +1 or -1.

    Classes 0 to 9 get the bitmaps of the digits, read row by row; a class beyond has no drawing and gets a fixed
    random code.
    """
    rows = [line.split() for line in BITMAPS.split("\n") if line]
    codes = [
        [1.0 if bit == "#" else -1.0 for row in rows for bit in row[digit]] for digit in range(min(10, num_classes))
    ]
    coins = Random(1998)
    codes += [coins.choices((-1.0, 1.0), k=CODE_LENGTH) for _ in range(10, num_classes)]
    return torch.tensor(codes)


class EuclideanRBF(nn.Module):
    """Output units that measure how far their input is from the code of their class: (N, 84) -> (N, num_classes).

    Unit i computes the penalty y_i = sum over j of (x_j - w_ij)^2. The codes w are a buffer: fixed, not trained, and
    not counted as parameters. They do move with the module and are saved with it.

    Differs from the paper: returns -y, so that the largest output wins, as in every other network of the course.
    """

    def __init__(self, codes: Tensor) -> None:
        super().__init__()
        self.register_buffer("codes", codes)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 84) -> (N, num_classes): minus the squared distance to each code."""
        return -(x.unsqueeze(1) - self.codes).square().sum(dim=2)


def mse_criterion(logits: Tensor, labels: Tensor) -> Tensor:
    """The simpler criterion, equation 8: the mean penalty of the right class, a scalar.

    Args:
        logits: (N, num_classes), minus the penalties.
        labels: (N,), the right classes.
    """
    return -logits.gather(1, labels.unsqueeze(1)).mean()


def map_criterion(logits: Tensor, labels: Tensor, margin: float = 16.0) -> Tensor:
    """The maximum a posteriori criterion, equation 9: wrong classes are pushed away as well. A scalar.

    The mean over the images of y_D + log(exp(-j) + sum over all classes i of exp(-y_i)), where D is the right class
    and j the margin: a wrong class whose penalty is far above j is left alone. It is the cross entropy with one more
    class, whose logit is always -j.

    Args:
        logits: (N, num_classes), minus the penalties.
        labels: (N,), the right classes.
        margin: the paper's constant j, positive.

    Differs from the paper: it gives no value for j; ours is a third of the smallest squared distance
    between two of our codes, 48.
    """
    rubbish = logits.new_full((len(logits), 1), -margin)
    return mse_criterion(logits, labels) + torch.cat([logits, rubbish], dim=1).logsumexp(dim=1).mean()
