"""Which versions ``make compatibility`` tries."""

from __future__ import annotations

import pytest

from tests.compatibility import NEWEST, allowed, pairs

OLDEST = allowed()["torch"]


@pytest.mark.parametrize(
    ("found", "pythons", "torches", "expected"),
    [
        (["3.11", "3.12", "3.13"], [], [], [("3.11", OLDEST), ("3.13", NEWEST)]),
        (["3.11"], [], [], [("3.11", OLDEST), ("3.11", NEWEST)]),
        (["3.11", "3.12", "3.13"], [], ["2.14.1"], [("3.11", "2.14.1"), ("3.13", "2.14.1")]),
        (["3.11", "3.12"], ["3.12"], [], [("3.12", OLDEST), ("3.12", NEWEST)]),
        (["3.11"], ["3.14"], ["2.12"], [("3.14", "2.12")]),
    ],
)
def test_pairs(found: list[str], pythons: list[str], torches: list[str], expected: list[tuple[str, str]]) -> None:
    assert list(pairs(found, pythons, torches)) == expected
