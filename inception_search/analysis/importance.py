"""Results of an importance analysis: a bar with an interval per decision or property, or the reason for having none."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Bar:
    """The importance of one item with its interval; ``cells`` is its row in the table."""

    name: str
    value: float
    low: float
    high: float
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Importance:
    """An importance analysis, most important first, or ``refusal``: the reason why there is none."""

    title: str
    about: str = ""
    """The method, the number of trials and the meaning of the numbers, in a few sentences."""
    axis: str = ""
    columns: tuple[str, ...] = ()
    rows: tuple[Bar, ...] = ()
    chance: float | None = None
    """The level that chance alone reaches; None where zero is the reference line."""
    refusal: str | None = None
