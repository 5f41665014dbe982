"""Equal operations on equal values, once."""

from __future__ import annotations

from inception_search.passes.share_values import PASS
from tests.passes.checks import check, untouched


def test_equal_pools_and_what_follows_them() -> None:
    check(
        PASS,
        before="""
            %0 input = input(shape=(4, 6, 6)) : 4x6x6
            %1 a.0 = pool(%0, mode='max', kernel=(3, 3), padding=(1, 1)) : 4x6x6
            %2 a.1 = act(%1) : 4x6x6
            %3 a.2 = conv(%2, width=3, kernel=(1, 1)) : 3x6x6
            %4 b.0 = pool(%0, mode='max', kernel=(3, 3), padding=(1, 1)) : 4x6x6
            %5 b.1 = act(%4) : 4x6x6
            %6 b.2 = conv(%5, width=3, kernel=(1, 1)) : 3x6x6
            %7 c.0 = pool(%0, mode='max', kernel=(3, 3), padding=(1, 1)) : 4x6x6
            %8 join = concat(%3, %6, %7) : 10x6x6
            return %8
        """,
        after="""
            %0 input = input(shape=(4, 6, 6)) : 4x6x6
            %1 a.0 = pool(%0, mode='max', kernel=(3, 3), padding=(1, 1)) : 4x6x6
            %2 a.1 = act(%1) : 4x6x6
            %3 a.2 = conv(%2, width=3, kernel=(1, 1)) : 3x6x6
            %4 b.2 = conv(%2, width=3, kernel=(1, 1)) : 3x6x6
            %5 join = concat(%3, %4, %1) : 10x6x6
            return %5
        """,
    )


def test_equal_outputs_are_one_node_with_two_names() -> None:
    check(
        PASS,
        before="""
            %0 input = input(shape=(4, 6, 6)) : 4x6x6
            %1 a = scale(%0, factor=0.5) : 4x6x6
            %2 b = scale(%0, factor=0.5) : 4x6x6
            %3 sum = add(%1, %2) : 4x6x6
            %4 c = add(%2, %1) : 4x6x6
            %5 all = add(%3, %4) : 4x6x6
            return %5
        """,
        after="""
            %0 input = input(shape=(4, 6, 6)) : 4x6x6
            %1 a = scale(%0, factor=0.5) : 4x6x6
            %2 sum = add(%1, %1) : 4x6x6
            %3 all = add(%2, %2) : 4x6x6
            return %3
        """,
    )


def test_weights_randomness_and_order_are_not_shared() -> None:
    untouched(
        PASS,
        """
            %0 input = input(shape=(4, 6, 6)) : 4x6x6
            %1 a = conv(%0, width=4, kernel=(1, 1)) : 4x6x6
            %2 b = conv(%0, width=4, kernel=(1, 1)) : 4x6x6
            %3 c = dropout(%0) : 4x6x6
            %4 d = dropout(%0) : 4x6x6
            %5 e = pool(%0, mode='avg', kernel=(3, 3), padding=(1, 1)) : 4x6x6
            %6 f = pool(%0, mode='avg', kernel=(3, 3), padding=(1, 1), count_pad=True) : 4x6x6
            %7 g = concat(%1, %2) : 8x6x6
            %8 h = concat(%2, %1) : 8x6x6
            %9 join = concat(%3, %4, %5, %6, %7, %8) : 32x6x6
            return %9
        """,
    )
