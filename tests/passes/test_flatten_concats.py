"""Concatenations of concatenations, and of parts of a value."""

from __future__ import annotations

from inception_search.passes.flatten_concats import PASS
from tests.passes.checks import check, untouched


def test_nested_concatenations() -> None:
    check(
        PASS,
        before="""
            %0 input = input(shape=(4, 6, 6)) : 4x6x6
            %1 a = act(%0) : 4x6x6
            %2 b = concat(%0, %1) : 8x6x6
            %3 c = concat(%2, %1, %0) : 16x6x6
            %4 d = concat(%1, %3) : 20x6x6
            return %4
        """,
        after="""
            %0 input = input(shape=(4, 6, 6)) : 4x6x6
            %1 a = act(%0) : 4x6x6
            %2 d = concat(%1, %0, %1, %1, %0) : 20x6x6
            return %2
        """,
    )


def test_neighbouring_parts_of_a_value() -> None:
    """Parts 0, 1 and 3 of four, where another value is before the last: 0 and 1 become one."""
    check(
        PASS,
        before="""
            %0 input = input(shape=(8, 6, 6)) : 8x6x6
            %1 a = narrow(%0, width=2) : 2x6x6
            %2 b = narrow(%0, width=3, start=2) : 3x6x6
            %3 c = narrow(%0, width=1, start=5) : 1x6x6
            %4 d = narrow(%0, width=2, start=6) : 2x6x6
            %5 e = act(%3) : 1x6x6
            %6 join = concat(%1, %2, %5, %4) : 8x6x6
            return %6
        """,
        after="""
            %0 input = input(shape=(8, 6, 6)) : 8x6x6
            %1 c = narrow(%0, width=1, start=5) : 1x6x6
            %2 d = narrow(%0, width=2, start=6) : 2x6x6
            %3 e = act(%1) : 1x6x6
            %4 a = narrow(%0, width=5) : 5x6x6
            %5 join = concat(%4, %3, %2) : 8x6x6
            return %5
        """,
    )


def test_all_parts_of_a_value() -> None:
    check(
        PASS,
        before="""
            %0 input = input(shape=(8, 6, 6)) : 8x6x6
            %1 a = narrow(%0, width=2) : 2x6x6
            %2 b = narrow(%0, width=6, start=2) : 6x6x6
            %3 join = concat(%1, %2) : 8x6x6
            %4 act = act(%3) : 8x6x6
            return %4
        """,
        after="""
            %0 input = input(shape=(8, 6, 6)) : 8x6x6
            %1 a = narrow(%0, width=8) : 8x6x6
            %2 act = act(%1) : 8x6x6
            return %2
        """,
    )


def test_what_others_read_or_has_another_order_stays() -> None:
    untouched(
        PASS,
        """
            %0 input = input(shape=(4, 6, 6)) : 4x6x6
            %1 a = narrow(%0, width=2) : 2x6x6
            %2 b = narrow(%0, width=2, start=2) : 2x6x6
            %3 c = concat(%2, %1) : 4x6x6
            %4 d = act(%3) : 4x6x6
            %5 e = concat(%3, %4) : 8x6x6
            %6 f = narrow(%0, width=1) : 1x6x6
            %7 g = narrow(%0, width=1, start=1) : 1x6x6
            %8 h = act(%6) : 1x6x6
            %9 i = concat(%5, %8, %6, %7) : 11x6x6
            %10 j = concat(%9, %9, %5) : 30x6x6
            return %10
        """,
    )
