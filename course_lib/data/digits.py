"""The handwritten digits that come with scikit-learn: no download, and small enough to train on in seconds."""

from __future__ import annotations

import torch

from course_lib.data.splits import ImageData, Split

CLASSES = tuple("0123456789")


def load_digits() -> ImageData:
    """1,797 digits of 8x8, 1,437 to train and 360 to test; grey values 0..16 scaled to 0..255 and rounded.

    Alpaydin and Kaynak 1998, Optical Recognition of Handwritten Digits (UCI), the part that scikit-learn ships.

    Differs from the source: the source tests on digits of other writers; here each writer may be in both splits, and
    accuracy comes out higher.
    """
    from sklearn import datasets

    bunch = datasets.load_digits()
    images = torch.from_numpy(bunch.images).mul(255 / 16).round().to(torch.uint8).unsqueeze(1)
    labels = torch.from_numpy(bunch.target).to(torch.int64)
    return ImageData("digits", *stratified_split(images, labels), CLASSES)


def stratified_split(images: torch.Tensor, labels: torch.Tensor) -> tuple[Split, Split]:
    """Train and test: with the images sorted by class, every fifth is for the test. No chance is involved.

    Each class loses a fifth of its images, give or take one; both splits keep the order of the images.
    """
    is_test = torch.zeros(len(labels), dtype=torch.bool)
    is_test[labels.argsort(stable=True)[::5]] = True
    return Split(images[~is_test], labels[~is_test]), Split(images[is_test], labels[is_test])
