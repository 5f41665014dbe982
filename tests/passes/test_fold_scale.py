"""Constant factors in the weights of the layers before them."""

from __future__ import annotations

import pytest

from inception_search.passes.fold_scale import PASS
from tests.passes.checks import check, untouched


def test_a_residual_block() -> None:
    check(
        PASS,
        before="""
            %0 input = input(shape=(4, 6, 6)) : 4x6x6
            %1 a.conv = conv(%0, width=4, kernel=(3, 3), padding=(1, 1), bias=True) : 4x6x6
            %2 b.conv = conv(%1, width=4, kernel=(1, 1), groups=2) : 4x6x6
            %3 c.conv = conv(%0, width=4, kernel=(1, 1), bias=True) : 4x6x6
            %4 sum = add(%1, %2, %3, scale=0.17) : 4x6x6
            return %4
        """,
        after="""
            %0 input = input(shape=(4, 6, 6)) : 4x6x6
            %1 a.conv = conv(%0, width=4, kernel=(3, 3), padding=(1, 1), bias=True) : 4x6x6
            %2 b.conv = conv(%1, width=4, kernel=(1, 1), groups=2) : 4x6x6
            %3 c.conv = conv(%0, width=4, kernel=(1, 1), bias=True) : 4x6x6
            %4 sum = add(%1, %2, %3) : 4x6x6
            return %4
        """,
        state="""
            b.conv.weight = 0.17 * b.conv.weight
            c.conv.weight = 0.17 * c.conv.weight
            c.conv.bias = 0.17 * c.conv.bias
        """,
    )


def test_a_scale_after_a_layer() -> None:
    check(
        PASS,
        before="""
            %0 input = input(shape=(4, 1, 1)) : 4x1x1
            %1 a.conv = conv(%0, width=4, kernel=(1, 1), bias=True) : 4x1x1
            %2 a.scale = scale(%1, factor=0.5) : 4x1x1
            %3 flat = flatten(%2) : 4
            %4 linear = linear(%3, width=3) : 3
            %5 scale = scale(%4, factor=3.0) : 3
            return %5
        """,
        after="""
            %0 input = input(shape=(4, 1, 1)) : 4x1x1
            %1 a.conv = conv(%0, width=4, kernel=(1, 1), bias=True) : 4x1x1
            %2 flat = flatten(%1) : 4
            %3 linear = linear(%2, width=3) : 3
            return %3
        """,
        state="""
            a.conv.weight = 0.5 * a.conv.weight
            a.conv.bias = 0.5 * a.conv.bias
            linear.weight = 3 * linear.weight
            linear.bias = 3 * linear.bias
        """,
    )


@pytest.mark.parametrize(
    "addends",
    [
        "%1, %0, scale=0.5",  # not a layer
        "%0, %1, %0, scale=0.5",  # not all are layers
        "%0, %1, %1, scale=0.5",  # a layer that is read twice
        "%1, %1, scale=0.5",
        "%0, %2, scale=0.5",  # not linear
        "%0, %1",  # no scale
    ],
)
def test_sums_that_stay(addends: str) -> None:
    untouched(
        PASS,
        f"""
            %0 input = input(shape=(4, 6, 6)) : 4x6x6
            %1 a.conv = conv(%0, width=4, kernel=(1, 1)) : 4x6x6
            %2 a.act = act(%1) : 4x6x6
            %3 sum = add({addends}) : 4x6x6
            %4 all = concat(%2, %3) : 8x6x6
            return %4
        """,
    )


@pytest.mark.parametrize("scaled", ["%0", "%1", "%2"])
def test_scales_that_stay(scaled: str) -> None:
    """What they scale is not a layer, or is read by another node."""
    untouched(
        PASS,
        f"""
            %0 input = input(shape=(4, 6, 6)) : 4x6x6
            %1 a.conv = conv(%0, width=4, kernel=(1, 1)) : 4x6x6
            %2 a.act = act(%1) : 4x6x6
            %3 scale = scale({scaled}, factor=0.5) : 4x6x6
            %4 all = concat(%2, %3) : 8x6x6
            return %4
        """,
    )
