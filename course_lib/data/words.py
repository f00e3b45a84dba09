"""Counts in messages."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """``counted(1, "bad file")`` is "1 bad file", ``counted(2000, "bad file")`` is "2,000 bad files"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
