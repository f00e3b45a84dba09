"""Curves of a training run, confusion matrices and reliability diagrams. Each function returns a figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from course_lib.data import Split
from course_lib.figures.style import BLACK, BLUE, ORANGE, PALETTE, WIDTH
from course_lib.training import Calibration, Evaluation, History, RateTest


def plot_history(history: History | Mapping[str, History]) -> Figure:
    """Loss above, accuracy below, over the epochs; solid lines on the test split, dashed ones while training.

    Args:
        history: one run, or several under the names that the legend shows.

    Raises:
        ValueError: there is no run, or one has no epoch.
    """
    runs = {"": history} if isinstance(history, History) else dict(history)
    if not runs or not all(run.epochs for run in runs.values()):
        raise ValueError("history must hold at least one run with at least one epoch, got none")
    figure = Figure(figsize=(WIDTH, 5.6))
    loss, accuracy = figure.subplots(2, sharex=True)
    for index, (name, run) in enumerate(runs.items()):
        epochs = range(1, run.epochs + 1)
        test = PALETTE[index % len(PALETTE)]
        train = ORANGE if name == "" else test
        mark = "o" if run.epochs == 1 else ""  # a line through one point cannot be seen
        for axes, tested, trained in (
            (loss, run.test_loss, run.train_loss),
            (accuracy, run.test_accuracy, run.train_accuracy),
        ):
            axes.plot(epochs, trained, color=train, linestyle="--", marker=mark, label=f"{name} train".strip())
            when = epochs[run.epochs - len(tested) :]  # the last epoch alone, after fit(test_once=True)
            dot = "o" if len(tested) == 1 else ""
            axes.plot(when, tested, color=test, marker=dot, label=f"{name} test".strip())
    loss.set_ylabel("loss (nats)")
    accuracy.set_ylabel("accuracy")
    accuracy.set_xlabel("epoch")
    accuracy.xaxis.set_major_locator(MaxNLocator(integer=True))
    accuracy.yaxis.set_major_formatter(PercentFormatter(1.0))
    loss.legend(fontsize=10)
    return figure


def plot_confusion(confusion: Sequence[Sequence[int]], classes: Sequence[str]) -> Figure:
    """Counts of images, true classes down and predicted ones across; darker is a larger share of the true class.

    Args:
        confusion: (K, K) counts; a tensor, an array or nested sequences.
        classes: the K names.

    Raises:
        ValueError: the shape is not (K, K).
    """
    counts = np.asarray(confusion)
    size = len(classes)
    if counts.shape != (size, size):
        raise ValueError(f"confusion must be ({size}, {size}), one row per class, got {counts.shape}")
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    figure = Figure(figsize=(WIDTH, WIDTH))
    axes = figure.subplots()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for row, column in zip(*counts.nonzero(), strict=True):
        colour = "white" if shares[row, column] > 0.5 else BLACK
        axes.text(column, row, f"{counts[row, column]}", ha="center", va="center", color=colour, fontsize=9)
    turned = max(map(len, classes)) > 2
    axes.set_xticks(range(size), classes, rotation=90 if turned else 0)
    axes.set_yticks(range(size), classes)
    axes.set_xlabel("predicted class")
    axes.set_ylabel("true class")
    axes.grid(False)
    return figure


def plot_reliability(calibration: Calibration) -> Figure:
    """Accuracy against confidence, one bar per bin; on the diagonal the network is as sure as it should be.

    Guo et al. 2017, arXiv:1706.04599, figure 1.
    """
    bins = len(calibration.count)
    centres = (np.arange(bins) + 0.5) / bins
    filled = np.asarray(calibration.count) > 0
    figure = Figure(figsize=(WIDTH, 4.5), layout="constrained")
    axes = figure.subplots()
    axes.bar(centres[filled], np.asarray(calibration.accuracy)[filled], width=0.9 / bins, color=BLUE, label="accuracy")
    axes.plot([0, 1], [0, 1], color=BLACK, linestyle="--", label="perfect")
    axes.plot(
        np.asarray(calibration.confidence)[filled], np.asarray(calibration.accuracy)[filled], "o", color=ORANGE,
        label="at the bin's mean confidence", clip_on=False, zorder=3,
    )  # fmt: skip
    axes.set(xlim=(0, 1), ylim=(0, 1.02), xlabel="confidence of the prediction", ylabel="accuracy")
    axes.set_title(f"expected calibration error {calibration.ece:.1%}")
    figure.legend(loc="outside lower center", ncols=3, fontsize=10)
    return figure


def plot_rate_test(test: RateTest) -> Figure:
    """The loss of each step over its learning rate, smoothed; a mark where it falls fastest."""
    figure = Figure(figsize=(WIDTH, 3.4))
    ax = figure.subplots()
    ax.plot(test.rates, test.losses, color=ORANGE, linewidth=0.8, label="each step")
    ax.plot(test.rates, test.smooth, color=BLUE, label="smoothed")
    ax.axvline(test.steepest, color=BLACK, linestyle="--", linewidth=1, label=f"falls fastest: {test.steepest:.2g}")
    ax.set_xscale("log")
    ax.set_xlabel("learning rate")
    ax.set_ylabel("loss (nats)")
    ax.legend(fontsize=10)
    return figure


def most_wrong_panels(split: Split, result: Evaluation, classes: Sequence[str], *, count: int = 12) -> Figure:
    """The images whose wrong class the network is surest of: what it says, how sure it is, and what is right.

    Raises:
        ValueError: every image is classified rightly, or the result is not of this split.
    """
    if len(split) != len(result.labels):
        raise ValueError(f"result must be of this split of {len(split)} images, got one of {len(result.labels)}")
    places = result.most_wrong(count).tolist()
    if not places:
        raise ValueError("result must have an image that is classified wrongly, got none")
    columns = min(4, len(places))
    rows = -(-len(places) // columns)
    figure = Figure(figsize=(WIDTH, 2.1 * rows))
    axes = list(figure.subplots(rows, columns, squeeze=False).flat)
    for ax in axes:
        ax.set_axis_off()
    for ax, place in zip(axes, places, strict=False):
        image, said = split.images[place].cpu(), int(result.predictions[place])
        ax.imshow(image.permute(1, 2, 0).squeeze(-1).numpy(), cmap="gray", vmin=0, vmax=255)
        sure = result.probabilities[place, said]
        ax.set_title(f"{classes[said]} ({sure:.0%})\nis {classes[result.labels[place]]}", fontsize=9)
    return figure
