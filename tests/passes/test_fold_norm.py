"""Norms folded into the layers beside them."""

from __future__ import annotations

import pytest

from inception_search.passes.fold_norm import PASS
from tests.passes.checks import check, untouched


def test_after_a_convolution() -> None:
    """Without gamma and with it, without a bias and with one, with groups."""
    check(
        PASS,
        before="""
            %0 input = input(shape=(4, 6, 6)) : 4x6x6
            %1 a.conv = conv(%0, width=6, kernel=(3, 3), padding=(1, 1), groups=2) : 6x6x6
            %2 a.norm = batch_norm(%1) : 6x6x6
            %3 a.act = act(%2) : 6x6x6
            %4 b.conv = conv(%3, width=2, kernel=(1, 1), bias=True) : 2x6x6
            %5 b.norm = batch_norm(%4, eps=1e-05, gamma=False) : 2x6x6
            return %5
        """,
        after="""
            %0 input = input(shape=(4, 6, 6)) : 4x6x6
            %1 a.conv = conv(%0, width=6, kernel=(3, 3), padding=(1, 1), groups=2, bias=True) : 6x6x6
            %2 a.act = act(%1) : 6x6x6
            %3 b.conv = conv(%2, width=2, kernel=(1, 1), bias=True) : 2x6x6
            return %3
        """,
        state="""
            a.conv.weight = a.conv.weight * (a.norm.weight * rsqrt(a.norm.running_var + 0.001))
            a.conv.bias = (a.norm.bias + -a.norm.running_mean * a.norm.weight * rsqrt(a.norm.running_var + 0.001))
            b.conv.weight = b.conv.weight * (rsqrt(b.norm.running_var + 1e-05))
            b.conv.bias = (b.norm.bias + (b.conv.bias - b.norm.running_mean) * rsqrt(b.norm.running_var + 1e-05))
        """,
    )


@pytest.mark.parametrize(
    "settings", ["stride=(2, 2), padding='tf'", "stride=(2, 2), padding=(1, 1)", "padding=(2, 2), dilation=(2, 2)"]
)
def test_after_a_convolution_of_any_kind(settings: str) -> None:
    size = "6x6" if "dilation" in settings else "3x3"
    check(
        PASS,
        before=f"""
            %0 input = input(shape=(4, 6, 6)) : 4x6x6
            %1 a.conv = conv(%0, width=4, kernel=(3, 3), {settings}, groups=4) : 4x{size}
            %2 a.norm = batch_norm(%1) : 4x{size}
            return %2
        """,
        after=f"""
            %0 input = input(shape=(4, 6, 6)) : 4x6x6
            %1 a.conv = conv(%0, width=4, kernel=(3, 3), {settings}, groups=4, bias=True) : 4x{size}
            return %1
        """,
    )


def test_after_a_linear_layer() -> None:
    check(
        PASS,
        before="""
            %0 input = input(shape=(4, 3, 3)) : 4x3x3
            %1 flat = flatten(%0) : 36
            %2 a.linear = linear(%1, width=5, bias=False) : 5
            %3 a.norm = batch_norm(%2) : 5
            return %3
        """,
        after="""
            %0 input = input(shape=(4, 3, 3)) : 4x3x3
            %1 flat = flatten(%0) : 36
            %2 a.linear = linear(%1, width=5) : 5
            return %2
        """,
    )


POOLS = {
    "pool(%1, mode='avg', kernel=(3, 3), padding=(1, 1))": "6x6",
    "pool(%1, mode='avg', kernel=(3, 3), stride=(2, 2), padding='tf')": "3x3",
    "pool(%1, mode='avg', kernel=(3, 3), stride=(2, 2), count_pad=True, ceil=True)": "3x3",
    "global_pool(%1)": "1x1",
    "adaptive_pool(%1, size=(4, 5))": "4x5",
}


@pytest.mark.parametrize("pool", POOLS)
def test_through_an_average_pool(pool: str) -> None:
    check(
        PASS,
        before=f"""
            %0 input = input(shape=(4, 6, 6)) : 4x6x6
            %1 a.conv = conv(%0, width=3, kernel=(1, 1)) : 3x6x6
            %2 a.pool = {pool} : 3x{POOLS[pool]}
            %3 a.norm = batch_norm(%2) : 3x{POOLS[pool]}
            %4 a.act = act(%3) : 3x{POOLS[pool]}
            return %4
        """,
        after=f"""
            %0 input = input(shape=(4, 6, 6)) : 4x6x6
            %1 a.conv = conv(%0, width=3, kernel=(1, 1), bias=True) : 3x6x6
            %2 a.pool = {pool} : 3x{POOLS[pool]}
            %3 a.act = act(%2) : 3x{POOLS[pool]}
            return %3
        """,
    )


def test_before_convolutions() -> None:
    check(
        PASS,
        before="""
            %0 input = input(shape=(4, 6, 6)) : 4x6x6
            %1 a.norm = batch_norm(%0) : 4x6x6
            %2 a.conv = conv(%1, width=6, kernel=(3, 3), groups=2) : 6x4x4
            %3 b.conv = conv(%1, width=6, kernel=(1, 1), stride=(2, 2), padding='tf', bias=True) : 6x3x3
            %4 b.pool = adaptive_pool(%3, size=(4, 4), mode='max') : 6x4x4
            %5 sum = add(%2, %4) : 6x4x4
            return %5
        """,
        after="""
            %0 input = input(shape=(4, 6, 6)) : 4x6x6
            %1 a.conv = conv(%0, width=6, kernel=(3, 3), groups=2, bias=True) : 6x4x4
            %2 b.conv = conv(%0, width=6, kernel=(1, 1), stride=(2, 2), padding='tf', bias=True) : 6x3x3
            %3 b.pool = adaptive_pool(%2, size=(4, 4), mode='max') : 6x4x4
            %4 sum = add(%1, %3) : 6x4x4
            return %4
        """,
    )


@pytest.mark.parametrize(
    ("conv", "size"),
    [
        ("kernel=(3, 3), padding=(1, 1)", "6x6"),
        ("kernel=(1, 1), padding=(1, 1)", "8x8"),
        ("kernel=(3, 3), padding='tf'", "6x6"),
        ("kernel=(1, 3), padding='tf'", "6x6"),
    ],
)
def test_zeros_around_the_normalised_value_are_not_zeros_before(conv: str, size: str) -> None:
    untouched(
        PASS,
        f"""
            %0 input = input(shape=(4, 6, 6)) : 4x6x6
            %1 a.norm = batch_norm(%0) : 4x6x6
            %2 a.conv = conv(%1, width=3, {conv}) : 3x{size}
            return %2
        """,
    )


@pytest.mark.parametrize(
    "between",
    [
        "pool(%1, mode='avg', kernel=(3, 3), padding=(1, 1), count_pad=True)",
        "pool(%1, mode='avg', kernel=(3, 3), padding='tf', count_pad=True)",
        "pool(%1, mode='max', kernel=(3, 3), padding=(1, 1))",
        "pool(%1, mode='l2', kernel=(3, 3), padding=(1, 1))",
        "adaptive_pool(%1, size=(6, 6), mode='max')",
        "act(%1)",
    ],
)
def test_what_a_shift_cannot_pass(between: str) -> None:
    untouched(
        PASS,
        f"""
            %0 input = input(shape=(4, 6, 6)) : 4x6x6
            %1 a.conv = conv(%0, width=3, kernel=(1, 1)) : 3x6x6
            %2 a.between = {between} : 3x6x6
            %3 a.norm = batch_norm(%2) : 3x6x6
            return %3
        """,
    )


@pytest.mark.parametrize(("other", "output"), [("%1", "%4"), ("%2", "%4")])
def test_a_value_that_two_read(other: str, output: str) -> None:
    untouched(
        PASS,
        f"""
            %0 input = input(shape=(4, 6, 6)) : 4x6x6
            %1 a.conv = conv(%0, width=3, kernel=(1, 1)) : 3x6x6
            %2 a.pool = pool(%1, mode='avg', kernel=(3, 3), padding=(1, 1)) : 3x6x6
            %3 a.norm = batch_norm(%2) : 3x6x6
            %4 sum = add(%3, {other}) : 3x6x6
            return {output}
        """,
    )


def test_a_norm_that_an_output_or_another_kind_of_node_reads_stays() -> None:
    untouched(
        PASS,
        """
            %0 input = input(shape=(4, 6, 6)) : 4x6x6
            %1 a.norm = batch_norm(%0) : 4x6x6
            %2 a.conv = conv(%1, width=4, kernel=(1, 1)) : 4x6x6
            %3 sum = add(%1, %2) : 4x6x6
            return %3
        """,
    )
    untouched(
        PASS,
        """
            %0 input = input(shape=(4, 6, 6)) : 4x6x6
            %1 a.norm = batch_norm(%0) : 4x6x6
            %2 a.conv = conv(%1, width=4, kernel=(1, 1)) : 4x6x6
            return %2, %1
        """,
    )
