"""A test split where nobody has made one."""

from __future__ import annotations

import random
from pathlib import Path

from course_lib.data.copies import find_copies


def share_out(classes: dict[str, list[Path]], *, share: float, seed: int) -> tuple[dict, dict]:
    """Training and test files of each class: drawn with ``seed``, the same share of every class, in their old order.

    A class gives ``share`` of its images, rounded, but keeps one and gives one where it has two. Copies of one file
    stay together, so that nothing is tested that was trained on.
    """
    random_source = random.Random(seed)
    train, test = {}, {}
    for name, files in classes.items():
        groups = _grouped(files)
        random_source.shuffle(groups)
        wanted, chosen = max(1, round(share * len(files))), set()
        for group in groups[1:]:  # one always stays
            if len(chosen) < wanted:
                chosen.update(group)
        train[name] = [file for file in files if file not in chosen]
        test[name] = [file for file in files if file in chosen]
    return train, test


def _grouped(files: list[Path]) -> list[list[Path]]:
    """Each file alone, or with its copies."""
    groups = find_copies(files)
    copied = {file for group in groups for file in group}
    return groups + [[file] for file in files if file not in copied]


def take_evenly(classes: dict[str, list[Path]], count: int) -> dict[str, list[Path]]:
    """The first files, ``count`` in all and spread evenly over the classes, as ``Split.take`` takes images."""
    turns = sorted((turn, label, name) for label, name in enumerate(classes) for turn in range(len(classes[name])))
    kept = dict.fromkeys(classes, 0)
    for _, _, name in turns[:count]:
        kept[name] += 1
    return {name: files[: kept[name]] for name, files in classes.items()}
