"""Advice for a picture that is too wide for the page; each suggestion is laid out first to see that it fits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations


def advice(changes: Sequence[str], fits: Callable[[frozenset[str]], bool]) -> str:
    """The fewest of ``changes`` with which a picture fits; several ways are separated by commas.

    Args:
        changes: what could be changed, in words.
        fits: whether the picture fits with some of them made.

    Returns:
        The words; empty where it does not fit with all of them.

    >>> advice(["no blocks", "flow 'down'"], lambda made: "flow 'down'" in made)
    "flow 'down'"
    """
    for number in range(1, len(changes) + 1):
        found = [made for made in combinations(changes, number) if fits(frozenset(made))]
        if found:
            return ", ".join(" and ".join(made) for made in found)
    return ""
