"""Bringing a network within a budget by the least change of widths, then of repeats."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from inception_search.errors import CompileError, ConfigError
from inception_search.measures.budget import Budget, Limit
from inception_search.measures.measure import Number
from inception_search.measures.subject import Subject

BISECTIONS = 14  # one part in 16,000: every step of a hole of that many

Scaled: TypeAlias = Callable[[float, float], Subject | None]
"""The network with its (widths, repeats) changed: 0 as they are, -1 the least, 1 the most there are; None: none."""


def fit(scaled: Scaled, budget: Budget) -> Subject | None:
    """The network nearest to ``scaled(0, 0)`` that is within ``budget``; None where there is none on the way.

    Limits on depth and receptive field are met by repeats, all others by widths, and where the narrowest (or
    widest) is still outside, by repeats as well.
    """
    shape, size = budget.only(by_width=False), budget.only(by_width=True)
    end, share = _change(shape, lambda amount: scaled(0.0, amount))
    if share is None:
        return None
    depth = end * share
    end, share = _change(size, lambda amount: scaled(amount, depth))
    width = end if share is None else end * share
    if share is None:
        missed, start = size.only(is_max=end < 0.0), depth
        share = _least(lambda part: _inside(missed, scaled(width, start + (end - start) * part)))
        if share is None:
            return None
        depth += (end - start) * share
    found = scaled(width, depth)
    return found if _inside(budget, found) else None


def not_within(what: str, tried: list[Subject], budget: Budget, more: str) -> ConfigError:
    """The error that no network ``what`` is within ``budget``: the nearest of those tried, and the hint.

    Of networks whose latency would have to be measured for it nothing is asked.
    """
    missed = [outside for subject in tried if (outside := _known(budget, subject)) is not None]
    limit, value = min(missed, key=lambda outside: outside[0].excess(outside[1]))
    change = f"{'raise' if limit.is_max else 'lower'} {limit.name}"
    return ConfigError(f"{what} is within the budget; the nearest: {limit.words(value)}", hint=f"{change}, {more}")


def _known(budget: Budget, subject: Subject) -> tuple[Limit, Number] | None:
    """What ``subject`` misses as far as that is known without work on the device."""
    timed = budget.max_latency_ms is None or budget.target in subject.latencies
    return (budget if timed else budget.untimed).worst(subject)


def _change(budget: Budget, scaled: Callable[[float], Subject | None]) -> tuple[float, float | None]:
    """The direction, and the least share of the way to its end, that correct what ``scaled(0)`` misses."""
    for end, part in ((-1.0, budget.only(is_max=True)), (1.0, budget.only(is_max=False))):
        if not _inside(part, scaled(0.0)):
            return end, _least(lambda share, end=end, part=part: _inside(part, scaled(end * share)))  # type: ignore[misc]
    return 0.0, 0.0


def _least(fits: Callable[[float], bool]) -> float | None:
    """The least share, 0 to 1, that fits, by bisection; a far end that is no network at all is moved nearer."""
    outside, inside = 0.0, next((share for share in (1.0, 0.5, 0.25) if fits(share)), None)
    if inside is None:
        return None
    for _ in range(BISECTIONS):
        middle = (outside + inside) / 2
        outside, inside = (outside, middle) if fits(middle) else (middle, inside)
    return inside


def _inside(budget: Budget, subject: Subject | None) -> bool:
    try:
        return subject is not None and budget.worst(subject) is None
    except CompileError:  # its latency cannot be measured
        return False
