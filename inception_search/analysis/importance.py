"""What an analysis of importance gives: a bar with an interval for each thing that may matter, or why there is none."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Bar:
    """How much one thing matters, with its interval; ``cells`` are what a table says of it."""

    name: str
    value: float
    low: float
    high: float
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Importance:
    """The answer to a question about what matters, the most important first, or ``refusal``: why there is none."""

    title: str
    about: str = ""
    """How it was computed, from how many trials, and what the numbers are, in a few sentences."""
    axis: str = ""
    columns: tuple[str, ...] = ()
    rows: tuple[Bar, ...] = ()
    chance: float | None = None
    """What chance alone reaches; None where zero is the line to look at."""
    refusal: str | None = None
