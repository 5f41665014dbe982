"""The values a hole may have, in words."""

from __future__ import annotations

from inception_search.space.holes import Choice, Float, Hole, Many

SHOWN = 12  # labels of a choice


def hole_words(hole: Hole) -> str:
    """``3x3, 5x5 or none``; ``4 to 48 in steps of 4``; ``1 to 3 of 3 parts``."""
    if isinstance(hole, Choice):
        return _labels(list(hole.options))
    if isinstance(hole, Float):
        steps = f" in steps of {hole.step:g}" if hole.step is not None else ""
        return f"{hole.low:g} to {hole.high:g}{steps}{_log(hole.log)}"
    if isinstance(hole, Many):
        return f"the first {hole.low} to {hole.high} of {len(hole.items)} parts"
    steps = f" in steps of {hole.step}" if hole.step != 1 else ""
    return f"{hole.low} to {hole.high}{steps}{_log(hole.log)}"


def _labels(labels: list[str]) -> str:
    if len(labels) > SHOWN:
        return f"{', '.join(labels[:SHOWN])} or {len(labels) - SHOWN} more"
    return " or ".join(filter(None, (", ".join(labels[:-1]), labels[-1])))


def _log(log: bool) -> str:
    return ", evenly by logarithm" if log else ""
