"""The names that people give to the parts of a data set."""

from __future__ import annotations

import re

PARTS = ("train", "validation", "test")
WORDS = {
    "train": "train training trn trainval",
    "validation": "val valid validate validation dev eval evaluation",
    "test": "test testing tst heldout holdout",
}
PART_OF = {word: part for part, words in WORDS.items() for word in words.split()}
FILLERS = frozenset("set sets split data dataset images image imgs img pictures photos folder seg labels".split())


def part_of(name: str) -> str | None:
    """Which part a folder's or a file's name stands for: "train", "validation", "test", or None.

    One word of ``WORDS``, in any case, alone or beside words that say nothing: "Training", "train_images", "testset".
    """
    words = re.findall(r"[a-z]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", name).lower())
    words = [piece for word in words for piece in _pieces(word)]
    said = [word for word in words if word not in FILLERS]
    return PART_OF.get("".join(said)) if len(said) <= 2 else None


def parts_of(names: list[str]) -> list[str | None]:
    """``part_of`` for names that stand side by side: what they all begin with says nothing, as in "mnist_train"."""
    common = re.match(r"(.*[^A-Za-z])?", _beginning(names))[0] if len(names) > 1 else ""
    return [part_of(name[len(common) :]) for name in names]


def _beginning(names: list[str]) -> str:
    """The letters that all names begin with."""
    first, last = min(names), max(names)
    same = [a == b for a, b in zip(first, last, strict=False)]
    return first[: same.index(False) if False in same else len(same)]


def _pieces(word: str) -> list[str]:
    """ "trainset" as two words."""
    for start in PART_OF:
        if word.startswith(start) and word[len(start) :] in FILLERS:
            return [start, word[len(start) :]]
    return [word]
