"""Convolutions that read one value, as one."""

from __future__ import annotations

from inception_search.passes.merge_siblings import PASS
from tests.passes.checks import check, untouched


def test_an_inception_module() -> None:
    check(
        PASS,
        before="""
            %0 input = input(shape=(8, 6, 6)) : 8x6x6
            %1 a.0.conv = conv(%0, width=3, kernel=(1, 1)) : 3x6x6
            %2 a.0.norm = batch_norm(%1) : 3x6x6
            %3 a.0.act = act(%2) : 3x6x6
            %4 a.1.0.conv = conv(%0, width=5, kernel=(1, 1)) : 5x6x6
            %5 a.1.0.norm = batch_norm(%4) : 5x6x6
            %6 a.1.0.act = act(%5) : 5x6x6
            %7 a.1.1.conv = conv(%6, width=4, kernel=(3, 3), padding=(1, 1)) : 4x6x6
            %8 a.2.conv = conv(%0, width=2, kernel=(3, 3), padding=(1, 1)) : 2x6x6
            %9 a.concat = concat(%3, %7, %8) : 9x6x6
            return %9
        """,
        after="""
            %0 input = input(shape=(8, 6, 6)) : 8x6x6
            %1 a.{0,1.0}.conv = conv(%0, width=8, kernel=(1, 1)) : 8x6x6
            %2 a.{0,1.0}.norm = batch_norm(%1) : 8x6x6
            %3 a.{0,1.0}.act = act(%2) : 8x6x6
            %4 a.0.act = narrow(%3, width=3) : 3x6x6
            %5 a.1.0.act = narrow(%3, width=5, start=3) : 5x6x6
            %6 a.1.1.conv = conv(%5, width=4, kernel=(3, 3), padding=(1, 1)) : 4x6x6
            %7 a.2.conv = conv(%0, width=2, kernel=(3, 3), padding=(1, 1)) : 2x6x6
            %8 a.concat = concat(%4, %6, %7) : 9x6x6
            return %8
        """,
        state="""
            a.{0,1.0}.conv.weight = join(a.0.conv.weight, a.1.0.conv.weight)
            a.{0,1.0}.norm.weight = join(a.0.norm.weight, a.1.0.norm.weight)
            a.{0,1.0}.norm.bias = join(a.0.norm.bias, a.1.0.norm.bias)
            a.{0,1.0}.norm.running_mean = join(a.0.norm.running_mean, a.1.0.norm.running_mean)
            a.{0,1.0}.norm.running_var = join(a.0.norm.running_var, a.1.0.norm.running_var)
        """,
    )


def test_a_value_that_two_read_ends_a_chain() -> None:
    """The first norm is read by an activation and by the sum: only convolutions and norms are merged."""
    untouched(
        PASS,
        """
            %0 input = input(shape=(8, 6, 6)) : 8x6x6
            %1 a.conv = conv(%0, width=4, kernel=(1, 1)) : 4x6x6
            %2 a.norm = batch_norm(%1) : 4x6x6
            %3 a.act = act(%2) : 4x6x6
            %4 b.conv = conv(%0, width=4, kernel=(1, 1)) : 4x6x6
            %5 b.norm = batch_norm(%4) : 4x6x6
            %6 b.act = act(%5) : 4x6x6
            %7 sum = add(%3, %6, %2) : 4x6x6
            return %7
        """,
    )


def test_other_settings_are_not_siblings() -> None:
    untouched(
        PASS,
        """
            %0 input = input(shape=(8, 6, 6)) : 8x6x6
            %1 a.conv = conv(%0, width=4, kernel=(1, 1)) : 4x6x6
            %2 b.conv = conv(%0, width=4, kernel=(1, 1), bias=True) : 4x6x6
            %3 c.conv = conv(%0, width=4, kernel=(1, 1), groups=2) : 4x6x6
            %4 d.conv = conv(%0, width=4, kernel=(1, 1), groups=2) : 4x6x6
            %5 e.conv = conv(%0, width=4, kernel=(3, 3), padding=(1, 1)) : 4x6x6
            %6 f.conv = conv(%0, width=4, kernel=(1, 1)) : 4x6x6
            %7 f.act = act(%6) : 4x6x6
            %8 join = concat(%1, %2, %3, %4, %5, %7) : 24x6x6
            return %8
        """,
    )


def test_a_branch_that_no_gradient_reaches_stays_apart() -> None:
    """Its weights have no gradient, which for an optimizer with weight decay is not a gradient of zeros."""
    untouched(
        PASS,
        """
            %0 input = input(shape=(8, 6, 6)) : 8x6x6
            %1 a.conv = conv(%0, width=4, kernel=(1, 1)) : 4x6x6
            %2 b.conv = conv(%0, width=4, kernel=(1, 1)) : 4x6x6
            %3 b.none = zero(%2) : 4x6x6
            %4 sum = add(%1, %3) : 4x6x6
            return %4
        """,
    )
