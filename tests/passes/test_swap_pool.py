"""An average pool and a 1x1 convolution, in the order that is less work."""

from __future__ import annotations

from textwrap import indent

import pytest

from inception_search.passes.swap_pool import PASS
from tests.passes.checks import check, untouched

POOL_FIRST = """
    %0 input = input(shape=(8, 5, 5)) : 8x5x5
    %1 a.0 = pool(%0, mode='avg', kernel=(3, 3), padding=(1, 1){pool}) : 8x5x5
    %2 a.1.conv = conv(%1, width=4, kernel=(1, 1){conv}) : 4x5x5
    %3 a.1.norm = batch_norm(%2) : 4x5x5
    return %3
"""
CONV_FIRST = """
    %0 input = input(shape=(8, 5, 5)) : 8x5x5
    %1 a.1.conv = conv(%0, width=4, kernel=(1, 1){conv}) : 4x5x5
    %2 a.0 = pool(%1, mode='avg', kernel=(3, 3), padding=(1, 1){pool}) : 4x5x5
    %3 a.1.norm = batch_norm(%2) : 4x5x5
    return %3
"""


@pytest.mark.parametrize(
    ("pool", "conv"),
    [
        ("", ""),
        ("", ", bias=True"),  # the averages do not include padding: a constant stays what it is
        ("", ", groups=2, bias=True"),
        (", count_pad=True", ""),
        (", count_pad=True", ", padding='tf'"),  # no padding at kernel 1x1
    ],
)
def test_a_pool_of_stride_1_goes_after_fewer_filters(pool: str, conv: str) -> None:
    check(PASS, POOL_FIRST.format(pool=pool, conv=conv), CONV_FIRST.format(pool=pool, conv=conv))


def test_a_bias_is_not_averaged_with_padding() -> None:
    untouched(PASS, POOL_FIRST.format(pool=", count_pad=True", conv=", bias=True"))


@pytest.mark.parametrize(
    ("pool", "left"),
    [
        ("pool(%1, mode='avg', kernel=(2, 2), stride=(2, 2))", "6x3x3"),
        ("pool(%1, mode='avg', kernel=(3, 3), stride=(2, 2), padding=(1, 1), ceil=True)", "6x4x4"),
        ("pool(%1, mode='avg', kernel=(3, 3), stride=(2, 2), padding='tf')", "6x3x3"),
        ("pool(%1, mode='avg', kernel=(3, 2))", "6x4x5"),
        ("pool(%1, mode='avg', kernel=(3, 3), stride=(2, 2), count_pad=True, ceil=True)", "6x3x3"),
        ("adaptive_pool(%1, size=(4, 2))", "6x4x2"),
        ("global_pool(%1)", "6x1x1"),
    ],
)
def test_a_pool_that_makes_the_map_smaller_goes_before_the_convolution(pool: str, left: str) -> None:
    between = left.replace("6x", "4x", 1)
    check(
        PASS,
        before=f"""
            %0 input = input(shape=(4, 6, 6)) : 4x6x6
            %1 a.conv = conv(%0, width=6, kernel=(1, 1), bias=True) : 6x6x6
            %2 b = {pool} : {left}
            return %2
        """,
        after=f"""
            %0 input = input(shape=(4, 6, 6)) : 4x6x6
            %1 b = {pool.replace("%1", "%0")} : {between}
            %2 a.conv = conv(%1, width=6, kernel=(1, 1), bias=True) : {left}
            return %2
        """,
    )


@pytest.mark.parametrize(
    "lines",
    [
        "%1 p = pool(%0, mode='avg', kernel=(3, 3), padding=(1, 1)) : 8x5x5"
        "\n%2 c = conv(%1, width=8, kernel=(1, 1)) : 8x5x5",  # as many filters as channels
        "%1 p = pool(%0, mode='avg', kernel=(3, 3)) : 8x3x3"
        "\n%2 c = conv(%1, width=4, kernel=(1, 1)) : 4x3x3",  # the convolution would see a larger map
        "%1 p = pool(%0, mode='max', kernel=(3, 3), padding=(1, 1)) : 8x5x5"
        "\n%2 c = conv(%1, width=4, kernel=(1, 1)) : 4x5x5",
        "%1 p = pool(%0, mode='avg', kernel=(3, 3), padding=(1, 1)) : 8x5x5"
        "\n%2 c = conv(%1, width=4, kernel=(1, 1), stride=(2, 2)) : 4x3x3",
        "%1 p = pool(%0, mode='avg', kernel=(3, 3), padding=(1, 1)) : 8x5x5"
        "\n%2 c = conv(%1, width=4, kernel=(1, 1), padding=(1, 1)) : 4x7x7",
        "%1 p = pool(%0, mode='avg', kernel=(3, 3), padding=(1, 1)) : 8x5x5"
        "\n%2 c = conv(%1, width=4, kernel=(3, 3), padding=(1, 1)) : 4x5x5",
        "%1 c = conv(%0, width=9, kernel=(1, 1)) : 9x5x5"
        "\n%2 act = act(%1) : 9x5x5\n%3 p = global_pool(%2) : 9x1x1",  # an activation between
    ],
)
def test_what_stays(lines: str) -> None:
    last = lines.count("\n") + 1
    untouched(PASS, f"%0 input = input(shape=(8, 5, 5)) : 8x5x5\n{indent(lines, '')}\nreturn %{last}")


def test_a_value_that_others_read_stays() -> None:
    untouched(
        PASS,
        """
            %0 input = input(shape=(8, 5, 5)) : 8x5x5
            %1 p = pool(%0, mode='avg', kernel=(3, 3), padding=(1, 1)) : 8x5x5
            %2 c = conv(%1, width=4, kernel=(1, 1)) : 4x5x5
            %3 join = concat(%1, %2) : 12x5x5
            return %3
        """,
    )
