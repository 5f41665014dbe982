"""Norms and activations at the ends of branches, as one after the concatenation."""

from __future__ import annotations

from inception_search.passes.join_norms import PASS
from tests.passes.checks import check, untouched


def test_an_inception_module() -> None:
    check(
        PASS,
        before="""
            %0 input = input(shape=(8, 6, 6)) : 8x6x6
            %1 a.0.conv = conv(%0, width=3, kernel=(1, 1)) : 3x6x6
            %2 a.0.norm = batch_norm(%1) : 3x6x6
            %3 a.0.act = act(%2) : 3x6x6
            %4 a.1.conv = conv(%0, width=5, kernel=(3, 3), padding=(1, 1)) : 5x6x6
            %5 a.1.norm = batch_norm(%4) : 5x6x6
            %6 a.1.act = act(%5) : 5x6x6
            %7 a.concat = concat(%3, %6) : 8x6x6
            %8 b.conv = conv(%7, width=4, kernel=(1, 1)) : 4x6x6
            return %8
        """,
        after="""
            %0 input = input(shape=(8, 6, 6)) : 8x6x6
            %1 a.0.conv = conv(%0, width=3, kernel=(1, 1)) : 3x6x6
            %2 a.1.conv = conv(%0, width=5, kernel=(3, 3), padding=(1, 1)) : 5x6x6
            %3 a.concat.joined = concat(%1, %2) : 8x6x6
            %4 a.{0,1}.norm = batch_norm(%3) : 8x6x6
            %5 a.concat = act(%4) : 8x6x6
            %6 b.conv = conv(%5, width=4, kernel=(1, 1)) : 4x6x6
            return %6
        """,
        state="""
            a.{0,1}.norm.weight = join(a.0.norm.weight, a.1.norm.weight)
            a.{0,1}.norm.bias = join(a.0.norm.bias, a.1.norm.bias)
            a.{0,1}.norm.running_mean = join(a.0.norm.running_mean, a.1.norm.running_mean)
            a.{0,1}.norm.running_var = join(a.0.norm.running_var, a.1.norm.running_var)
        """,
    )


def test_activations_without_norms_and_linear_norms() -> None:
    check(
        PASS,
        before="""
            %0 input = input(shape=(8, 6, 6)) : 8x6x6
            %1 a.conv = conv(%0, width=3, kernel=(1, 1), bias=True) : 3x6x6
            %2 a.act = act(%1, kind='elu') : 3x6x6
            %3 b.pool = pool(%0, mode='avg', kernel=(3, 3), padding=(1, 1)) : 8x6x6
            %4 b.act = act(%3, kind='elu') : 8x6x6
            %5 concat = concat(%2, %4) : 11x6x6
            return %5
        """,
        after="""
            %0 input = input(shape=(8, 6, 6)) : 8x6x6
            %1 a.conv = conv(%0, width=3, kernel=(1, 1), bias=True) : 3x6x6
            %2 b.pool = pool(%0, mode='avg', kernel=(3, 3), padding=(1, 1)) : 8x6x6
            %3 concat.joined = concat(%1, %2) : 11x6x6
            %4 concat = act(%3, kind='elu') : 11x6x6
            return %4
        """,
    )


def test_one_branch_that_ends_otherwise() -> None:
    """Another epsilon, no activation, a pool: nothing is joined."""
    for end in (
        "%4 b.norm = batch_norm(%3, eps=0.1) : 3x6x6\n%5 b.act = act(%4) : 3x6x6",
        "%4 b.other = act(%3) : 3x6x6\n%5 b.norm = batch_norm(%4) : 3x6x6",
        "%4 b.norm = batch_norm(%3) : 3x6x6\n%5 b.pool = pool(%4, mode='max', kernel=(1, 1)) : 3x6x6",
    ):
        untouched(
            PASS,
            f"""
%0 input = input(shape=(8, 6, 6)) : 8x6x6
%1 a.norm = batch_norm(%0) : 8x6x6
%2 a.act = act(%1) : 8x6x6
%3 b.conv = conv(%0, width=3, kernel=(1, 1)) : 3x6x6
{end}
%6 concat = concat(%2, %5) : 11x6x6
return %6
""",
        )


def test_a_value_that_two_read() -> None:
    untouched(
        PASS,
        """
            %0 input = input(shape=(8, 6, 6)) : 8x6x6
            %1 a.act = act(%0) : 8x6x6
            %2 b.conv = conv(%0, width=3, kernel=(1, 1)) : 3x6x6
            %3 b.act = act(%2) : 3x6x6
            %4 concat = concat(%1, %3) : 11x6x6
            %5 c.conv = conv(%1, width=11, kernel=(1, 1)) : 11x6x6
            %6 sum = add(%4, %5) : 11x6x6
            return %6
        """,
    )
