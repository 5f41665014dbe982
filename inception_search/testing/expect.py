"""Assertions with clear messages that also work if Python skips assert statements (``python -O``)."""

from __future__ import annotations

from inception_search.errors import shorten


def equal(what: str, found: object, expected: object) -> None:
    """Raise AssertionError unless ``found`` equals ``expected``."""
    if found != expected:
        raise AssertionError(f"{what}: found {shorten(found)}, expected {shorten(expected)}")


def true(holds: bool, rule: str) -> None:
    """Raise AssertionError with ``rule`` unless ``holds``."""
    if not holds:
        raise AssertionError(rule)
