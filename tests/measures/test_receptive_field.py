"""The receptive field: published and hand-known ones, and what the gradient of one output position says."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import inception_search as ins
from inception_search.backend.emit import emit
from inception_search.graph import ops
from inception_search.graph.graph import Graph, GraphBuilder
from inception_search.graph.op import Op
from inception_search.graph.ops import OPS
from inception_search.graph.receptive_field import Field, receptive_field

# Araujo, Norris, Sim: Computing Receptive Fields of Convolutional Neural Networks, Distill 2019, table of networks
PUBLISHED = {
    "bn_inception@slim": 699,
    "inception_v3@slim": 1311,
    "inception_v4@slim": 2071,
    "inception_resnet_v2@slim": 3039,
}


@pytest.mark.parametrize(("name", "side"), PUBLISHED.items())
def test_published_fields(name: str, side: int) -> None:
    assert receptive_field(ins.lower(ins.load(name))) == (side, side)


HALVE = "{pool: {mode: max, kernel: 2x2, stride: 2, padding: valid}}"
CHAINS = {
    "[1x1 4, 1x1 4]": (1, 1),
    "[3x3 4, 3x3 4]": (5, 5),  # as large as one 5x5
    "[3x3 4 s2, 3x3 4]": (7, 7),  # the second sees every other position
    "[3x3 4, 3x3 4 s2]": (5, 5),
    "[1x7 4, 7x1 4]": (7, 7),
    "1x7 4": (1, 7),
    "7x7 4 row_col": (7, 7),
    "7x7 4 stacked": (7, 7),
    "[max 3x3 s2, max 3x3 s2, max 3x3 s2]": (15, 15),
    "{repeat: {times: 10, body: 3x3 4}}": (21, 21),
    "{block: {skip: add, project: linear, body: [3x3 4, 3x3 4]}}": (5, 5),
    "{concat: [1x1 4, 3x3 4, [3x3 4, 3x3 4], [avg 3x3, 1x1 4]]}": (5, 5),
    "{concat: [1x9 4, 3x1 4]}": (3, 9),  # each axis from the branch that is largest there
    # Yu & Koltun 2016: dilations 1, 1, 2, 4, 8 see 2 ** (i + 2) - 1 and so on
    "[3x3 4, 3x3 4, "
    + ", ".join(f"{{conv: {{kernel: 3x3, width: 4, dilation: {d}}}}}" for d in (2, 4, 8))
    + "]": (33, 33),
    # VGG-16 up to pool5
    "[" + ", ".join(", ".join(["3x3 4"] * n + [HALVE]) for n in (2, 2, 3, 3, 3)) + "]": (212, 212),
    # AlexNet up to pool5
    "[{conv: {kernel: 11x11, width: 4, stride: 4, padding: valid}}, max 3x3 s2 valid, 5x5 4, max 3x3 s2 valid, "
    "3x3 4, 3x3 4, 3x3 4, max 3x3 s2 valid]": (195, 195),
}  # fmt: skip


@pytest.mark.parametrize(("step", "field"), CHAINS.items())
@pytest.mark.parametrize("head", ["{pool: avg}", "{pool: none}", "{pool: avg, classifier: maps}", "{classifier: none}"])
def test_hand_known_fields(step: str, field: tuple[int, int], head: str) -> None:
    text = f"schema: inception-search/network\nversion: 1\nname: x\ninput: 3x97x97\nstages: {{a: {step}}}\n"
    assert receptive_field(ins.lower(ins.load(f"{text}head: {head}"))) == field


def test_auxiliary_classifiers_see_for_themselves() -> None:
    text = "schema: inception-search/network\nversion: 1\nname: x\ninput: 3x32x32\nstages: {a: 3x3 4, b: 1x1 4}\n"
    net = ins.load(f"{text}aux: {{side: {{after: a, body: 9x9 4}}}}")
    assert receptive_field(ins.lower(net)) == (3, 3)


# One op on a map of 2x12x12, the field of a position of its output.
ONE_OP: dict[str, tuple[Op, tuple[int, int]]] = {
    "input": (ops.Scale(2.0), (1, 1)),
    "conv": (ops.Conv(4, (3, 5), dilation=(2, 2)), (5, 9)),
    "pool": (ops.Pool("max", (2, 3), (2, 2)), (2, 3)),
    "adaptive_pool": (ops.AdaptivePool((4, 5)), (3, 4)),  # 12 / 5: position 2 averages 4..7
    "global_pool": (ops.GlobalPool(), (1, 1)),  # one position before it
    "flatten": (ops.Flatten(), (1, 1)),
    "zero": (ops.Zero(), (0, 0)),
    "narrow": (ops.Narrow(1), (1, 1)),
} | {
    op.name: (op, (1, 1))
    for op in (
        ops.Act(),
        ops.Add(),
        ops.BatchNorm(),
        ops.Concat(),
        ops.Dropout(),
        ops.Linear(3),
        ops.Lrn(),
        ops.Normalize(),
        ops.Scale(0.5),
    )
}


@pytest.mark.parametrize("name", OPS)
def test_every_op(name: str) -> None:
    op, field = ONE_OP[name]
    builder = GraphBuilder()
    x = builder.add(ops.Input((2, 12, 12)), (), "input")
    x = builder.add(ops.Flatten(), (x,), "flatten") if name in ("linear", "normalize") else x
    out = builder.add(op, (x,) * (op.arity or 2), "op")
    assert receptive_field(builder.build(out)) == field


def test_a_pool_to_one_position_is_a_global_pool() -> None:
    builder = GraphBuilder()
    x = builder.add(ops.Conv(4, (3, 3)), (builder.add(ops.Input((2, 12, 12)), (), "input"),), "conv")
    assert receptive_field(builder.build(builder.add(ops.AdaptivePool((1, 1)), (x,), "pool"))) == (3, 3)


def test_a_branch_that_is_shifted_by_its_padding_widens_the_field() -> None:
    builder = GraphBuilder()
    x = builder.add(ops.Input((1, 12, 12)), (), "input")
    left = builder.add(ops.Conv(1, (1, 3), padding=(0, 2)), (x,), "left")  # reads columns -2..0
    right = builder.add(ops.Conv(1, (1, 3)), (x,), "right")  # reads columns 0..2
    right = builder.add(ops.Conv(1, (1, 1), padding=(0, 2)), (right,), "pad")  # again -2..0
    assert receptive_field(builder.build(builder.add(ops.Concat(), (left, right), "join"))) == (1, 3)
    far = builder.add(ops.Conv(1, (1, 1), padding=(0, 1)), (x,), "far")  # reads column -1 of 14
    assert receptive_field(builder.build(builder.add(ops.Concat(), (left, far), "both"))) == (1, 3)


def test_the_side_is_the_smaller_one() -> None:
    assert Field(3, 9).side == 3


@st.composite
def windows(draw: st.DrawFn, stride: tuple[int, int], padded: bool) -> Op:
    """A convolution or pool; ``padded``: one position for each ``stride`` positions of its input."""
    kernel = (draw(st.integers(1, 5)), draw(st.integers(1, 5)))
    dilation = draw(st.sampled_from((1, 1, 2)))
    pool = draw(st.booleans())
    odd = kernel[0] % 2 == kernel[1] % 2 == 1
    pads: list[Any] = ["tf"]
    if odd:
        pads.append(tuple(k // 2 * (1 if pool else dilation) for k in kernel))
    if not padded:
        pads += [(0, 0), tuple(draw(st.integers(0, k // 2)) for k in kernel)]
    padding = draw(st.sampled_from(pads))
    if pool:
        ceil = not padded and padding != "tf" and draw(st.booleans())
        return ops.Pool("avg", kernel, stride, padding, count_pad=draw(st.booleans()), ceil=ceil)
    return ops.Conv(draw(st.integers(1, 3)), kernel, stride, padding, (dilation, dilation), bias=draw(st.booleans()))


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Three parts in series, each a window or branches of windows; the image is larger than any of their fields."""
    builder = GraphBuilder()
    x = builder.add(ops.Input((1, draw(st.integers(165, 172)), draw(st.integers(165, 172)))), (), "input")
    for part in range(draw(st.integers(1, 3))):
        stride = draw(st.sampled_from(((1, 1), (2, 2), (2, 2), (1, 2))))
        count = draw(st.integers(1, 3))
        branches = []
        for branch in range(count):
            path = f"{part}.{branch}"
            order = [stride, (1, 1)] if draw(st.booleans()) else [(1, 1), stride]
            y = x
            for place, step in enumerate(order if count > 1 else [stride]):
                y = builder.add(draw(windows(step, padded=count > 1)), (y,), f"{path}.{place}")
            branches.append(y)
        x = builder.add(ops.Concat(), tuple(branches), f"{part}.join") if count > 1 else branches[0]
    return builder.build(x)


def seen(graph: Graph) -> tuple[int, int]:
    """Rows and columns, first to last, of the image that the centre of the output depends on, by its gradient."""
    module = emit(graph).double().eval()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.fill_(1.0)
    image = torch.ones(1, *graph.nodes[0].type, dtype=torch.float64, requires_grad=True)
    out = module(image)
    out[0, :, out.shape[2] // 2, out.shape[3] // 2].sum().backward()
    assert image.grad is not None
    found = image.grad[0, 0].nonzero()
    span = found.max(0).values - found.min(0).values + 1
    return int(span[0]), int(span[1])


@given(graphs())
def test_the_field_is_what_the_gradient_of_one_position_reaches(graph: Graph) -> None:
    assert receptive_field(graph) == seen(graph)


@settings(max_examples=20, deadline=None)
@given(graphs(), st.sampled_from(((3, 3), (7, 4))))
def test_before_an_adaptive_pool_as_well(graph: Graph, size: tuple[int, int]) -> None:
    builder = GraphBuilder()
    for node in graph.nodes:
        builder.add(node.op, node.inputs, node.path)
    pooled = builder.build(builder.add(ops.AdaptivePool(size), graph.outputs, "pool"))
    field, found = receptive_field(pooled), seen(pooled)
    image = graph.nodes[0].type[1:]
    # Where the field reaches over the border, the gradient ends there.
    assert all(one == other or one > side - other for one, other, side in zip(field, found, image, strict=True))
    assert all(one <= other for one, other in zip(found, field, strict=True))
