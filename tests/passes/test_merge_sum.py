"""Sums of parallel convolutions, as one convolution."""

from __future__ import annotations

import pytest

from inception_search.passes.merge_sum import PASS
from tests.passes.checks import check, untouched


def test_kernels_of_different_sizes() -> None:
    check(
        PASS,
        before="""
            %0 input = input(shape=(4, 6, 6)) : 4x6x6
            %1 a.0.conv = conv(%0, width=4, kernel=(1, 1), bias=True) : 4x6x6
            %2 a.1.conv = conv(%0, width=4, kernel=(3, 3), padding=(1, 1)) : 4x6x6
            %3 a.2.conv = conv(%0, width=4, kernel=(1, 3), padding=(0, 1), bias=True) : 4x6x6
            %4 sum = add(%1, %2, %3, scale=0.5) : 4x6x6
            return %4
        """,
        after="""
            %0 input = input(shape=(4, 6, 6)) : 4x6x6
            %1 a.{0,1,2}.conv = conv(%0, width=4, kernel=(3, 3), padding=(1, 1), bias=True) : 4x6x6
            return %1
        """,
        state="""
            a.{0,1,2}.conv.weight = (embed(a.0.conv.weight, 3x3 at 1,1) + 0.5 * a.1.conv.weight + 0.5 * embed(a.2.conv.weight, 3x3 at 1,0))
            a.{0,1,2}.conv.bias = (a.0.conv.bias + 0.5 * a.2.conv.bias)
        """,  # noqa: E501
    )


def test_a_mean() -> None:
    check(
        PASS,
        before="""
            %0 input = input(shape=(4, 6, 6)) : 4x6x6
            %1 a.0.conv = conv(%0, width=6, kernel=(3, 3), stride=(2, 2), padding=(1, 1), groups=2) : 6x3x3
            %2 a.1.conv = conv(%0, width=6, kernel=(3, 3), stride=(2, 2), padding=(1, 1), groups=2) : 6x3x3
            %3 sum = add(%1, %2) : 6x3x3
            %4 mean = scale(%3, factor=0.5) : 6x3x3
            %5 norm = batch_norm(%4) : 6x3x3
            return %5
        """,
        after="""
            %0 input = input(shape=(4, 6, 6)) : 4x6x6
            %1 a.{0,1}.conv = conv(%0, width=6, kernel=(3, 3), stride=(2, 2), padding=(1, 1), groups=2) : 6x3x3
            %2 norm = batch_norm(%1) : 6x3x3
            return %2
        """,
        state="a.{0,1}.conv.weight = 0.5 * (a.0.conv.weight + a.1.conv.weight)",
    )


def test_other_addends_stay_in_order() -> None:
    """The two convolutions of the input are merged in the place of the first; the sum still scales it."""
    check(
        PASS,
        before="""
            %0 input = input(shape=(4, 6, 6)) : 4x6x6
            %1 x.act = act(%0, kind='tanh') : 4x6x6
            %2 a.conv = conv(%0, width=4, kernel=(1, 1)) : 4x6x6
            %3 b.conv = conv(%1, width=4, kernel=(1, 1)) : 4x6x6
            %4 c.conv = conv(%0, width=4, kernel=(3, 3), padding=(1, 1)) : 4x6x6
            %5 sum = add(%1, %2, %3, %4, scale=0.5) : 4x6x6
            %6 mean = scale(%5, factor=0.25) : 4x6x6
            return %6
        """,
        after="""
            %0 input = input(shape=(4, 6, 6)) : 4x6x6
            %1 x.act = act(%0, kind='tanh') : 4x6x6
            %2 b.conv = conv(%1, width=4, kernel=(1, 1)) : 4x6x6
            %3 {a,c}.conv = conv(%0, width=4, kernel=(3, 3), padding=(1, 1)) : 4x6x6
            %4 sum = add(%1, %3, %2, scale=0.5) : 4x6x6
            %5 mean = scale(%4, factor=0.25) : 4x6x6
            return %5
        """,
        state="{a,c}.conv.weight = (embed(a.conv.weight, 3x3 at 1,1) + c.conv.weight)",
    )


def test_two_groups_in_one_sum() -> None:
    """Convolutions of two values are two convolutions; the first one is not scaled, nor are its parts but the first."""
    check(
        PASS,
        before="""
            %0 input = input(shape=(4, 6, 6)) : 4x6x6
            %1 x.act = act(%0, kind='tanh') : 4x6x6
            %2 a.conv = conv(%0, width=4, kernel=(1, 1)) : 4x6x6
            %3 b.conv = conv(%1, width=4, kernel=(3, 3), padding='tf') : 4x6x6
            %4 c.conv = conv(%0, width=4, kernel=(1, 1)) : 4x6x6
            %5 d.conv = conv(%1, width=4, kernel=(1, 1), padding='tf') : 4x6x6
            %6 sum = add(%2, %3, %4, %5, scale=0.5) : 4x6x6
            return %6
        """,
        after="""
            %0 input = input(shape=(4, 6, 6)) : 4x6x6
            %1 x.act = act(%0, kind='tanh') : 4x6x6
            %2 {a,c}.conv = conv(%0, width=4, kernel=(1, 1)) : 4x6x6
            %3 {b,d}.conv = conv(%1, width=4, kernel=(3, 3), padding=(1, 1)) : 4x6x6
            %4 sum = add(%2, %3, scale=0.5) : 4x6x6
            return %4
        """,
        state="""
            {b,d}.conv.weight = (b.conv.weight + embed(d.conv.weight, 3x3 at 1,1))
            {a,c}.conv.weight = (a.conv.weight + 0.5 * c.conv.weight)
        """,
    )


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("kernel=(1, 3), padding=(0, 1)", "kernel=(3, 1), padding=(1, 0)"),  # 9 multiply-adds instead of 6
        ("kernel=(3, 3), padding=(1, 1)", "kernel=(3, 3), padding=(2, 2), dilation=(2, 2)"),
        ("kernel=(3, 3), padding=(1, 1)", "kernel=(3, 3), padding=(1, 1), groups=2"),
        ("kernel=(2, 2), padding='tf'", "kernel=(3, 3), padding='tf'"),
    ],
)
def test_other_convolutions_stay(first: str, second: str) -> None:
    untouched(
        PASS,
        f"""
            %0 input = input(shape=(4, 6, 6)) : 4x6x6
            %1 a.conv = conv(%0, width=4, {first}) : 4x6x6
            %2 b.conv = conv(%0, width=4, {second}) : 4x6x6
            %3 sum = add(%1, %2) : 4x6x6
            return %3
        """,
    )


@pytest.mark.parametrize("addends", ["%1, %1", "%2, %1", "%1, %3", "%1, %5"])
def test_values_that_stay(addends: str) -> None:
    """A convolution that is read twice, or by others; no convolution; one of another value."""
    untouched(
        PASS,
        f"""
            %0 input = input(shape=(4, 6, 6)) : 4x6x6
            %1 a.conv = conv(%0, width=4, kernel=(1, 1)) : 4x6x6
            %2 b.conv = conv(%0, width=4, kernel=(1, 1)) : 4x6x6
            %3 b.act = act(%2) : 4x6x6
            %4 c.act = act(%0) : 4x6x6
            %5 c.conv = conv(%4, width=4, kernel=(1, 1)) : 4x6x6
            %6 sum = add({addends}) : 4x6x6
            %7 all = concat(%3, %6) : 8x6x6
            return %7
        """,
    )


def test_linear_layers_are_not_convolutions() -> None:
    untouched(
        PASS,
        """
            %0 input = input(shape=(4,)) : 4
            %1 a.linear = linear(%0, width=4) : 4
            %2 b.linear = linear(%0, width=4) : 4
            %3 sum = add(%1, %2) : 4
            return %3
        """,
    )
