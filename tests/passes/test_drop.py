"""Operations that return their input, dropout, zeros in sums: left out."""

from __future__ import annotations

from inception_search.passes import drop_identities, drop_inactive
from tests.passes.checks import check, untouched


def test_operations_that_return_their_input() -> None:
    check(
        drop_identities.PASS,
        before="""
            %0 input = input(shape=(4, 6, 6)) : 4x6x6
            %1 a = narrow(%0, width=4) : 4x6x6
            %2 b = scale(%1, factor=1.0) : 4x6x6
            %3 c = pool(%2, mode='max', kernel=(1, 1)) : 4x6x6
            %4 d = adaptive_pool(%3, size=(6, 6)) : 4x6x6
            %5 e = global_pool(%4) : 4x1x1
            %6 f = global_pool(%5) : 4x1x1
            %7 g = flatten(%6) : 4
            %8 h = flatten(%7) : 4
            return %8
        """,
        after="""
            %0 input = input(shape=(4, 6, 6)) : 4x6x6
            %1 e = global_pool(%0) : 4x1x1
            %2 g = flatten(%1) : 4
            return %2
        """,
    )


def test_operations_that_only_look_alike() -> None:
    untouched(
        drop_identities.PASS,
        """
            %0 input = input(shape=(4, 6, 6)) : 4x6x6
            %1 a = narrow(%0, width=3) : 3x6x6
            %2 b = scale(%1, factor=0.5) : 3x6x6
            %3 c = pool(%2, mode='max', kernel=(1, 1), stride=(2, 2)) : 3x3x3
            %4 d = pool(%3, mode='avg', kernel=(3, 3), padding=(1, 1)) : 3x3x3
            %5 e = pool(%4, mode='l2', kernel=(1, 1)) : 3x3x3
            return %5
        """,
    )


def test_dropout_and_zeros_in_evaluation() -> None:
    check(
        drop_inactive.PASS,
        before="""
            %0 input = input(shape=(4, 6, 6)) : 4x6x6
            %1 a = conv(%0, width=4, kernel=(1, 1)) : 4x6x6
            %2 zero = zero(%0) : 4x6x6
            %3 one = add(%2, %1, %2) : 4x6x6
            %4 two = add(%2, %3, %0, scale=0.5) : 4x6x6
            %5 three = add(%4, %2, %1, scale=0.5) : 4x6x6
            %6 drop = dropout(%5) : 4x6x6
            return %6
        """,
        after="""
            %0 input = input(shape=(4, 6, 6)) : 4x6x6
            %1 a = conv(%0, width=4, kernel=(1, 1)) : 4x6x6
            %2 zero = zero(%0) : 4x6x6
            %3 two = add(%2, %1, %0, scale=0.5) : 4x6x6
            %4 three = add(%3, %1, scale=0.5) : 4x6x6
            return %4
        """,
    )


def test_a_sum_of_zeros_is_one_zero() -> None:
    check(
        drop_inactive.PASS,
        before="""
            %0 input = input(shape=(4, 6, 6)) : 4x6x6
            %1 zero = zero(%0) : 4x6x6
            %2 sum = add(%1, %1, %1) : 4x6x6
            %3 act = act(%2) : 4x6x6
            return %3
        """,
        after="""
            %0 input = input(shape=(4, 6, 6)) : 4x6x6
            %1 zero = zero(%0) : 4x6x6
            %2 act = act(%1) : 4x6x6
            return %2
        """,
    )
