"""Comparisons that say what they compared, also where Python leaves out its assert statements."""

from __future__ import annotations

from inception_search.errors import shorten


def equal(what: str, found: object, expected: object) -> None:
    """Raise AssertionError where ``found`` is not ``expected``."""
    if found != expected:
        raise AssertionError(f"{what}: found {shorten(found)}, expected {shorten(expected)}")


def true(holds: bool, rule: str) -> None:
    """Raise AssertionError with ``rule`` where it does not hold."""
    if not holds:
        raise AssertionError(rule)
