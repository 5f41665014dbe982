"""Convolutions with kernels of different size, as one."""

from __future__ import annotations

import pytest

from inception_search.backend.build import build
from inception_search.graph.ops import Conv
from inception_search.passes import merge_siblings
from inception_search.passes.merge_kernels import PASS
from inception_search.passes.rewrite import Site
from tests.graph_checks import parse_graph
from tests.passes.checks import check, run, same, unsettled, untouched

NAIVE = """
    %0 input = input(shape=(8, 6, 6)) : 8x6x6
    %1 a.0.conv = conv(%0, width=3, kernel=(1, 1)) : 3x6x6
    %2 a.0.norm = batch_norm(%1) : 3x6x6
    %3 a.0.act = act(%2) : 3x6x6
    %4 a.1.conv = conv(%0, width=5, kernel=(3, 3), padding=(1, 1)) : 5x6x6
    %5 a.1.norm = batch_norm(%4) : 5x6x6
    %6 a.1.act = act(%5) : 5x6x6
    %7 a.2.conv = conv(%0, width=2, kernel=(5, 5), padding=(2, 2)) : 2x6x6
    %8 a.2.norm = batch_norm(%7) : 2x6x6
    %9 a.2.act = act(%8) : 2x6x6
    %10 a.concat = concat(%3, %6, %9) : 10x6x6
    return %10
"""


def test_a_naive_inception_module() -> None:
    check(
        PASS,
        NAIVE,
        after="""
            %0 input = input(shape=(8, 6, 6)) : 8x6x6
            %1 a.{0,1,2}.conv = conv(%0, width=10, kernel=(5, 5), padding=(2, 2)) : 10x6x6
            %2 a.{0,1,2}.norm = batch_norm(%1) : 10x6x6
            %3 a.{0,1,2}.act = act(%2) : 10x6x6
            %4 a.0.act = narrow(%3, width=3) : 3x6x6
            %5 a.1.act = narrow(%3, width=5, start=3) : 5x6x6
            %6 a.2.act = narrow(%3, width=2, start=8) : 2x6x6
            %7 a.concat = concat(%4, %5, %6) : 10x6x6
            return %7
        """,
        state="""
            a.{0,1,2}.conv.weight = join(embed(a.0.conv.weight, 5x5 at 2,2), embed(a.1.conv.weight, 5x5 at 1,1), a.2.conv.weight)
            a.{0,1,2}.norm.weight = join(a.0.norm.weight, a.1.norm.weight, a.2.norm.weight)
            a.{0,1,2}.norm.bias = join(a.0.norm.bias, a.1.norm.bias, a.2.norm.bias)
            a.{0,1,2}.norm.running_mean = join(a.0.norm.running_mean, a.1.norm.running_mean, a.2.norm.running_mean)
            a.{0,1,2}.norm.running_var = join(a.0.norm.running_var, a.1.norm.running_var, a.2.norm.running_var)
        """,  # noqa: E501
    )


def _below_25(site: Site) -> bool:
    return all(node.op.kernel != (5, 5) for node in site.after.nodes if isinstance(node.op, Conv))


def test_fewer_are_merged_where_all_are_refused() -> None:
    result = run([PASS], parse_graph(NAIVE), _below_25)
    assert [node.path for node in result.graph.nodes if isinstance(node.op, Conv)] == ["a.{0,1}.conv", "a.2.conv"]


def test_it_adds_multiply_adds_and_says_so() -> None:
    graph = parse_graph(NAIVE)
    assert PASS.run(graph).graph.cost().macs > graph.cost().macs
    assert PASS.costly


def test_after_siblings_were_merged() -> None:
    """Views of the merged siblings become views of the larger value; norms stay joins of stored tensors."""
    graph = parse_graph(
        """
            %0 input = input(shape=(8, 6, 6)) : 8x6x6
            %1 a.0.conv = conv(%0, width=3, kernel=(1, 1)) : 3x6x6
            %2 a.0.norm = batch_norm(%1) : 3x6x6
            %3 a.1.conv = conv(%0, width=3, kernel=(1, 1)) : 3x6x6
            %4 a.1.norm = batch_norm(%3) : 3x6x6
            %5 a.2.conv = conv(%0, width=3, kernel=(1, 3), padding=(0, 1)) : 3x6x6
            %6 a.2.norm = batch_norm(%5) : 3x6x6
            %7 sum = add(%2, %4, %6, scale=0.5) : 3x6x6
            return %7
        """
    )
    result = run([merge_siblings.PASS, PASS], graph)
    assert str(result.graph).splitlines() == [
        "%0 input = input(shape=(8, 6, 6)) : 8x6x6",
        "%1 a.{{0,1},2}.conv = conv(%0, width=9, kernel=(1, 3), padding=(0, 1)) : 9x6x6",
        "%2 a.{{0,1},2}.norm = batch_norm(%1) : 9x6x6",
        "%3 a.0.norm = narrow(%2, width=3) : 3x6x6",
        "%4 a.1.norm = narrow(%2, width=3, start=3) : 3x6x6",
        "%5 a.2.norm = narrow(%2, width=3, start=6) : 3x6x6",
        "%6 sum = add(%3, %4, %5, scale=0.5) : 3x6x6",
        "return %6",
    ]
    model = unsettled(build(graph, name="x", seed=0).double())
    same(model, result, "training")
    same(model, result, "inference")


def test_a_convolution_without_a_bias_beside_one_with() -> None:
    check(
        PASS,
        before="""
            %0 input = input(shape=(8, 6, 6)) : 8x6x6
            %1 a.conv = conv(%0, width=3, kernel=(1, 1), bias=True) : 3x6x6
            %2 b.conv = conv(%0, width=5, kernel=(3, 3), padding=(1, 1)) : 5x6x6
            %3 all = concat(%1, %2) : 8x6x6
            return %3
        """,
        after="""
            %0 input = input(shape=(8, 6, 6)) : 8x6x6
            %1 {a,b}.conv = conv(%0, width=8, kernel=(3, 3), padding=(1, 1), bias=True) : 8x6x6
            %2 a.conv = narrow(%1, width=3) : 3x6x6
            %3 b.conv = narrow(%1, width=5, start=3) : 5x6x6
            %4 all = concat(%2, %3) : 8x6x6
            return %4
        """,
        state="""
            {a,b}.conv.weight = join(embed(a.conv.weight, 3x3 at 1,1), b.conv.weight)
            {a,b}.conv.bias = join(a.conv.bias, 0)
        """,
    )


@pytest.mark.parametrize(
    "other",
    [
        "kernel=(1, 1)",  # merge_siblings does that
        "kernel=(3, 3), padding=(1, 1), groups=4",
        "kernel=(2, 2), padding='tf'",
    ],
)
def test_other_convolutions_stay(other: str) -> None:
    untouched(
        PASS,
        f"""
            %0 input = input(shape=(8, 6, 6)) : 8x6x6
            %1 a.conv = conv(%0, width=4, kernel=(1, 1)) : 4x6x6
            %2 b.conv = conv(%0, width=4, {other}) : 4x6x6
            %3 all = concat(%1, %2) : 8x6x6
            return %3
        """,
    )


@pytest.mark.parametrize("norm", ["batch_norm(%3, eps=1e-05)", "batch_norm(%3, gamma=False)", "act(%3)"])
def test_other_layers_after_them(norm: str) -> None:
    untouched(
        PASS,
        f"""
            %0 input = input(shape=(8, 6, 6)) : 8x6x6
            %1 a.conv = conv(%0, width=4, kernel=(1, 1)) : 4x6x6
            %2 a.norm = batch_norm(%1) : 4x6x6
            %3 b.conv = conv(%0, width=4, kernel=(3, 3), padding=(1, 1)) : 4x6x6
            %4 b.norm = {norm} : 4x6x6
            %5 all = concat(%2, %4) : 8x6x6
            return %5
        """,
    )
