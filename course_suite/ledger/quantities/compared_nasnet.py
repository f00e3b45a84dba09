"""NASNet-A counted layer by layer: Zoph et al. 2018, arXiv:1707.07012, figure 4 and appendix A.

What the drawings leave open, where a width or a size is adjusted, is as in the authors' program.
"""

from __future__ import annotations

from typing import NamedTuple

from course_suite.ledger.quantities.compared_tables import Counted


class Maps(NamedTuple):
    """What a cell puts out."""

    channels: int
    side: int


class NasnetA(Counted):
    """The counts of a network of cells."""

    def fitted(self, maps: Maps, filters: int, side: int) -> int:
        """Bring what is two cells back to the width and size that this cell works with, and return its width."""
        if maps.side != side:  # two halves, of pixels one step apart, and one normalisation
            for _ in range(2):
                self.conv(maps.channels, (filters // 2, 1, side))
        elif maps.channels != filters:
            self.conv(maps.channels, (filters, 1, side))
        return filters

    def separable(self, channels: int, filters: int, kernel_size: int, side: int) -> None:
        """Two separable convolutions, one after the other, the first of which may have the stride."""
        for in_channels in (channels, filters):
            self.conv(in_channels, (in_channels, kernel_size**2, side), groups=in_channels, norm=False)
            self.conv(in_channels, (filters, 1, side))

    def cell(self, before: Maps | None, maps: Maps, filters: int, *, reduce: bool = False) -> Maps:
        """A normal cell, or a reduction cell, which halves the size. The first has its input twice, once unfitted."""
        width = maps.channels if before is None else self.fitted(before, filters, maps.side)
        self.conv(maps.channels, (filters, 1, maps.side))
        side = -(-maps.side // 2) if reduce else maps.side
        for kernel_size in (5, 3):  # of the input and what is made of it
            self.separable(filters, filters, kernel_size, side)
        for kernel_size in (7, 7, 5) if reduce else (3, 5, 3):  # of what is two cells back
            self.separable(width, filters, kernel_size, side)
        return Maps((4 if reduce else 6) * filters, side)


def nasnet_a(image_side: int, num_cells: int, penultimate: int, stem: int, *, skip_reduction: bool) -> NasnetA:
    """NASNet-A (num_cells @ penultimate).

    Args:
        stem: channels of the first convolution.
        skip_reduction: the cell behind a reduction has the input of the cell in front of it as its second input.
    """
    counted = NasnetA(image_side)
    filters = penultimate // 24
    maps = Maps(counted.conv(3, (stem, 9, (image_side - 1) // 2)), (image_side - 1) // 2)
    before = None
    for divisor in (4, 2):
        before, maps = maps, counted.cell(before, maps, filters // divisor, reduce=True)
    for stage in range(3):
        if stage > 0:
            filters *= 2
            reduced = counted.cell(before, maps, filters, reduce=True)
            before, maps = before if skip_reduction else maps, reduced
        for _ in range(num_cells):
            before, maps = maps, counted.cell(before, maps, filters)
    counted.linear(maps.channels)
    return counted
