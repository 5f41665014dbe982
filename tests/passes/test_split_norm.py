"""A norm after a concatenation, on each branch."""

from __future__ import annotations

import pytest

from inception_search.passes import fold_norm
from inception_search.passes.split_norm import PASS
from tests.graph_checks import parse_graph
from tests.passes.checks import check, run, untouched

BEFORE = """
    %0 input = input(shape=(4, 6, 6)) : 4x6x6
    %1 a.conv = conv(%0, width=3, kernel=(1, 1)) : 3x6x6
    %2 b.pool = pool(%0, mode='max', kernel=(3, 3), padding=(1, 1)) : 4x6x6
    %3 concat = concat(%2, %1, %2) : 11x6x6
    %4 norm = batch_norm(%3) : 11x6x6
    %5 act = act(%4, kind='gelu') : 11x6x6
    return %5
"""


def test_the_activation_moves_with_it() -> None:
    check(
        PASS,
        BEFORE,
        after="""
            %0 input = input(shape=(4, 6, 6)) : 4x6x6
            %1 a.conv = conv(%0, width=3, kernel=(1, 1)) : 3x6x6
            %2 b.pool = pool(%0, mode='max', kernel=(3, 3), padding=(1, 1)) : 4x6x6
            %3 norm.0 = batch_norm(%2) : 4x6x6
            %4 act.0 = act(%3, kind='gelu') : 4x6x6
            %5 norm.1 = batch_norm(%1) : 3x6x6
            %6 act.1 = act(%5, kind='gelu') : 3x6x6
            %7 norm.2 = batch_norm(%2) : 4x6x6
            %8 act.2 = act(%7, kind='gelu') : 4x6x6
            %9 concat = concat(%4, %6, %8) : 11x6x6
            return %9
        """,
        state="""
            norm.0.weight = norm.weight[0:4]
            norm.0.bias = norm.bias[0:4]
            norm.0.running_mean = norm.running_mean[0:4]
            norm.0.running_var = norm.running_var[0:4]
            norm.1.weight = norm.weight[4:7]
            norm.1.bias = norm.bias[4:7]
            norm.1.running_mean = norm.running_mean[4:7]
            norm.1.running_var = norm.running_var[4:7]
            norm.2.weight = norm.weight[7:11]
            norm.2.bias = norm.bias[7:11]
            norm.2.running_mean = norm.running_mean[7:11]
            norm.2.running_var = norm.running_var[7:11]
        """,
    )


def test_the_convolution_absorbs_its_part() -> None:
    result = run([PASS, fold_norm.PASS], parse_graph(BEFORE))
    norms = [node.path for node in result.graph.nodes if node.op.name == "batch_norm"]
    assert norms == ["norm.0", "norm.2"]
    assert str(result.state["a.conv.bias"]) == (
        "(norm.bias[4:7] + -norm.running_mean[4:7] * norm.weight[4:7] * rsqrt(norm.running_var[4:7] + 0.001))"
    )


def test_concatenations_of_concatenations() -> None:
    check(
        PASS,
        before="""
            %0 input = input(shape=(4, 6, 6)) : 4x6x6
            %1 a.conv = conv(%0, width=3, kernel=(1, 1)) : 3x6x6
            %2 a.pool = pool(%1, mode='avg', kernel=(3, 3), padding=(1, 1)) : 3x6x6
            %3 inner = concat(%2, %0) : 7x6x6
            %4 outer = concat(%0, %3) : 11x6x6
            %5 norm = batch_norm(%4, gamma=False) : 11x6x6
            return %5
        """,
        after="""
            %0 input = input(shape=(4, 6, 6)) : 4x6x6
            %1 a.conv = conv(%0, width=3, kernel=(1, 1)) : 3x6x6
            %2 a.pool = pool(%1, mode='avg', kernel=(3, 3), padding=(1, 1)) : 3x6x6
            %3 norm.0 = batch_norm(%0, gamma=False) : 4x6x6
            %4 norm.1.0 = batch_norm(%2, gamma=False) : 3x6x6
            %5 norm.1.1 = batch_norm(%0, gamma=False) : 4x6x6
            %6 inner = concat(%4, %5) : 7x6x6
            %7 outer = concat(%3, %6) : 11x6x6
            return %7
        """,
    )


def test_an_activation_or_a_norm_that_two_read() -> None:
    """The activation stays where the norm has another reader."""
    check(
        PASS,
        before="""
            %0 input = input(shape=(4, 6, 6)) : 4x6x6
            %1 a.conv = conv(%0, width=4, kernel=(1, 1)) : 4x6x6
            %2 concat = concat(%0, %1) : 8x6x6
            %3 norm = batch_norm(%2) : 8x6x6
            %4 act = act(%3) : 8x6x6
            %5 sum = add(%3, %4) : 8x6x6
            return %5
        """,
        after="""
            %0 input = input(shape=(4, 6, 6)) : 4x6x6
            %1 a.conv = conv(%0, width=4, kernel=(1, 1)) : 4x6x6
            %2 norm.0 = batch_norm(%0) : 4x6x6
            %3 norm.1 = batch_norm(%1) : 4x6x6
            %4 concat = concat(%2, %3) : 8x6x6
            %5 act = act(%4) : 8x6x6
            %6 sum = add(%4, %5) : 8x6x6
            return %6
        """,
    )


@pytest.mark.parametrize(
    ("branches", "sum_of"),
    [
        ("%2, %0", "%4, %4"),  # no branch is a convolution
        ("%1, %1", "%4, %4"),  # the convolution is read twice
        ("%1, %0", "%3, %4"),  # the concatenation is read twice
        ("%1, %3", "%4, %1"),  # the convolution is read by another node
    ],
)
def test_what_stays(branches: str, sum_of: str) -> None:
    if sum_of == "%4, %1":
        branches, tail = "%1, %0", "%5 sum = concat(%4, %1) : 12x6x6"
    else:
        tail = f"%5 sum = add({sum_of}) : 8x6x6"
    untouched(
        PASS,
        f"""
            %0 input = input(shape=(4, 6, 6)) : 4x6x6
            %1 a.conv = conv(%0, width=4, kernel=(1, 1)) : 4x6x6
            %2 a.act = act(%1) : 4x6x6
            %3 concat = concat({branches}) : 8x6x6
            %4 norm = batch_norm(%3) : 8x6x6
            {tail}
            return %5
        """,
    )
