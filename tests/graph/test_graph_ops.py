# ruff: noqa: E501 (tables: one row a line)
"""What each op infers and costs, by numbers worked out by hand, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest

from inception_search.errors import ShapeError
from inception_search.graph import ops
from inception_search.graph.op import Op
from inception_search.graph.ops import OPS
from inception_search.graph.types import FeatureMap, Type, Vector

X = FeatureMap(6, 11, 8)

# Op, what it reads, what it makes.
INFER: list[tuple[Op, tuple[Type, ...], Type]] = [
    (ops.Input((3, 32, 48)), (), FeatureMap(3, 32, 48)),
    # convolution: floor((side + 2 pad - dilation (kernel - 1) - 1) / stride) + 1
    (ops.Conv(4, (1, 1)), (X,), FeatureMap(4, 11, 8)),
    (ops.Conv(4, (3, 3)), (X,), FeatureMap(4, 9, 6)),
    (ops.Conv(4, (3, 3), padding=(1, 1)), (X,), FeatureMap(4, 11, 8)),
    (ops.Conv(4, (3, 3), (2, 2), (1, 1)), (X,), FeatureMap(4, 6, 4)),
    (ops.Conv(4, (3, 3), (2, 2)), (X,), FeatureMap(4, 5, 3)),  # the last column is not read
    (ops.Conv(4, (1, 7), (1, 2), (0, 3)), (X,), FeatureMap(4, 11, 4)),
    (ops.Conv(4, (7, 1), (2, 1), (3, 0)), (X,), FeatureMap(4, 6, 8)),
    (ops.Conv(4, (3, 3), dilation=(2, 2)), (X,), FeatureMap(4, 7, 4)),  # covers 5x5
    (ops.Conv(4, (3, 3), padding=(2, 2), dilation=(2, 2)), (X,), FeatureMap(4, 11, 8)),
    (ops.Conv(4, (11, 8)), (X,), FeatureMap(4, 1, 1)),  # as large as the map
    (ops.Conv(4, (13, 10), padding=(1, 1)), (X,), FeatureMap(4, 1, 1)),
    (ops.Conv(4, (2, 2), padding=(1, 1)), (X,), FeatureMap(4, 12, 9)),  # even kernels grow the map
    (ops.Conv(4, (3, 3), (5, 5), (1, 1), groups=2), (X,), FeatureMap(4, 3, 2)),
    # pooling: floor, or ceil when the last window begins inside the map or its left border
    (ops.Pool("max", (3, 3), (2, 2)), (X,), FeatureMap(6, 5, 3)),
    (ops.Pool("max", (3, 3), (2, 2), ceil=True), (X,), FeatureMap(6, 5, 4)),
    (ops.Pool("avg", (3, 3), (1, 1), (1, 1)), (X,), FeatureMap(6, 11, 8)),
    (ops.Pool("l2", (2, 2), (2, 2)), (X,), FeatureMap(6, 5, 4)),
    (ops.Pool("l2", (2, 2), (2, 2), ceil=True), (X,), FeatureMap(6, 6, 4)),
    (ops.Pool("max", (3, 3), (2, 2), (1, 1), ceil=True), (FeatureMap(6, 6, 6),), FeatureMap(6, 4, 4)),  # window 3 begins at 5
    (ops.Pool("max", (2, 2), (2, 2), (1, 1), ceil=True), (FeatureMap(6, 5, 6),), FeatureMap(6, 3, 4)),
    (ops.Pool("avg", (1, 1), (3, 3), ceil=True), (FeatureMap(6, 5, 7),), FeatureMap(6, 2, 3)),  # a window at 6 would begin outside
    (ops.Pool("max", (3, 3), (4, 4), ceil=True), (FeatureMap(6, 5, 8),), FeatureMap(6, 2, 2)),  # a third would begin at 8: outside
    (ops.Pool("max", (5, 5), (5, 5), (2, 2), ceil=True), (FeatureMap(6, 6, 13),), FeatureMap(6, 2, 3)),
    # joins
    (ops.Concat(), (FeatureMap(3, 5, 5), FeatureMap(4, 5, 5), FeatureMap(3, 5, 5)), FeatureMap(10, 5, 5)),
    (ops.Add(0.1), (X, X), X),
    (ops.Add(), (Vector(5), Vector(5)), Vector(5)),
    (ops.Add(), (X, X, X), X),
    # shape kept
    (ops.Scale(0.5), (X,), X),
    (ops.Zero(), (X,), X),
    (ops.Narrow(2), (X,), FeatureMap(2, 11, 8)),
    (ops.Narrow(6), (X,), X),
    (ops.Act("silu"), (X,), X),
    (ops.Act("relu"), (Vector(5),), Vector(5)),
    (ops.BatchNorm(), (X,), X),
    (ops.BatchNorm(), (Vector(5),), Vector(5)),
    (ops.Normalize(), (Vector(5),), Vector(5)),
    (ops.AdaptivePool((4, 5)), (X,), FeatureMap(6, 4, 5)),
    (ops.Conv(4, (3, 3), (2, 2), "tf"), (X,), FeatureMap(4, 6, 4)),  # ceil(side / stride)
    (ops.Pool("max", (2, 2), (2, 2), "tf"), (X,), FeatureMap(6, 6, 4)),
    (ops.Linear(7, bias=False), (Vector(5),), Vector(7)),
    (ops.Lrn(), (X,), X),
    (ops.Dropout(0.3), (X,), X),
    (ops.Dropout(0.3), (Vector(5),), Vector(5)),
    # the head
    (ops.GlobalPool("avg"), (X,), FeatureMap(6, 1, 1)),
    (ops.Flatten(), (X,), Vector(6 * 11 * 8)),
    (ops.Flatten(), (Vector(5),), Vector(5)),
    (ops.Linear(9), (Vector(5),), Vector(9)),
]  # fmt: skip


@pytest.mark.parametrize(("op", "inputs", "output"), INFER, ids=[f"{row[0]!r}" for row in INFER])
def test_an_op_infers(op: Op, inputs: tuple[Type, ...], output: Type) -> None:
    found = op.infer(inputs)
    assert (type(found), found) == (type(output), output)


def test_every_op_of_the_table_has_a_row() -> None:
    assert {row[0].name for row in INFER} == set(OPS)
    assert all(name == kind.name for name, kind in OPS.items())


@pytest.mark.parametrize("side", range(1, 12))
@pytest.mark.parametrize("pad", [0, 1])
@pytest.mark.parametrize("ceil", [False, True])
def test_a_pool_has_as_many_outputs_as_windows_can_be_placed(side: int, pad: int, ceil: bool) -> None:
    for kernel in (2, 3):
        for stride in (1, 2, 3, 4):
            if side + 2 * pad < kernel:
                continue
            starts = [s for s in range(-pad, side + pad, stride) if s + kernel <= side + pad]
            # One more, hanging out on the right, when the whole ones leave a rest; it may not begin outside the map.
            rest, following = starts[-1] + kernel < side + pad, starts[-1] + stride
            hanging = 1 if ceil and rest and following < side else 0
            op = ops.Pool("max", (kernel, kernel), (stride, stride), (pad, pad), ceil=ceil)
            out = op.infer((FeatureMap(1, side, side),))
            assert out.height == len(starts) + hanging, (kernel, stride)


# Op, what it reads, parameters, multiply-adds.
COST: list[tuple[Op, tuple[Type, ...], int, int]] = [
    (ops.Conv(4, (3, 3), padding=(1, 1)), (X,), 4 * 6 * 9, 4 * 6 * 9 * 88),
    (
        ops.Conv(4, (3, 3), padding=(1, 1), bias=True),
        (X,),
        4 * 6 * 9 + 4,
        4 * 6 * 9 * 88,
    ),  # biases add no multiply-adds
    (ops.Conv(4, (3, 3), padding=(1, 1), groups=2), (X,), 4 * 3 * 9, 4 * 3 * 9 * 88),  # each filter reads half
    (ops.Conv(6, (3, 3), padding=(1, 1), groups=6), (X,), 6 * 9, 6 * 9 * 88),  # depthwise
    (
        ops.Conv(4, (3, 3), dilation=(2, 2)),
        (X,),
        4 * 6 * 9,
        4 * 6 * 9 * 7 * 4,
    ),  # dilation: same weights, fewer positions
    (ops.Conv(4, (1, 7), (2, 2), (0, 3)), (X,), 4 * 6 * 7, 4 * 6 * 7 * 6 * 4),
    (ops.BatchNorm(), (X,), 12, 0),
    (ops.BatchNorm(gamma=False), (X,), 6, 0),
    (ops.Linear(10), (Vector(7),), 80, 70),
    (ops.Linear(10, bias=False), (Vector(7),), 70, 70),
    (ops.Conv(4, (3, 3), (2, 2), "tf"), (X,), 4 * 6 * 9, 4 * 6 * 9 * 6 * 4),
    (ops.Pool("avg", (3, 3)), (X,), 0, 0),
    (ops.Concat(), (X, X), 0, 0),
    (ops.Add(), (X, X), 0, 0),
    (ops.Act(), (X,), 0, 0),
    (ops.Lrn(), (X,), 0, 0),
]


@pytest.mark.parametrize(("op", "inputs", "params", "macs"), COST, ids=[f"{row[0]!r}" for row in COST])
def test_an_op_costs(op: Op, inputs: tuple[Type, ...], params: int, macs: int) -> None:
    assert tuple(op.cost(inputs, op.infer(inputs))) == (params, macs)


# Op, what it reads, the words of its refusal.
REFUSALS: list[tuple[Op, tuple[Type, ...], str]] = [
    (ops.Conv(4, (12, 1)), (X,), r"conv kernel 12x1 is larger than its 11x8 map; use a larger input"),
    (ops.Conv(4, (5, 5), dilation=(3, 3)), (X,), r"kernel 13x13 is larger"),  # as far as it reaches
    (ops.Conv(4, (3, 3), groups=4), (X,), "6 input channels are not divisible by groups 4; make the width before it"),
    (ops.Conv(4, (1, 1)), (Vector(6),), "conv needs a feature map"),
    (ops.Pool("max", (3, 3)), (FeatureMap(1, 2, 9),), "pool kernel 3x3 is larger than its 2x9 map"),
    (ops.Pool("max", (3, 3)), (Vector(6),), "pool needs a feature map"),
    (
        ops.Concat(),
        (FeatureMap(1, 5, 5), FeatureMap(1, 5, 4)),
        "one map size, branch 1 differs.*5x5, 5x4.*same total stride",
    ),
    (ops.Concat(), (FeatureMap(1, 5, 5), Vector(5)), "concat needs a feature map"),
    (ops.Add(), (X, FeatureMap(6, 11, 7)), r"equal shapes.*6x11x8 \+ 6x11x7.*project: linear"),
    (ops.Add(), (FeatureMap(5, 1, 1), Vector(5)), "equal shapes"),
    (ops.Add(), (X, X, FeatureMap(5, 11, 8)), r"equal shapes.*6x11x8 \+ 6x11x8 \+ 5x11x8.*a dag's inputs one width"),
    (ops.Narrow(7), (X,), "needs channels that the input does not have.*the first 7 of 6; use a smaller width"),
    (ops.Narrow(2), (Vector(6),), "narrow needs a feature map"),
    (ops.AdaptivePool((4, 4)), (Vector(6),), "adaptive pool needs a feature map"),
    (ops.Normalize(), (X,), "unit length needs a vector"),
    (ops.Lrn(), (Vector(6),), "lrn needs a feature map"),
    (ops.GlobalPool(), (Vector(6),), "global pool needs a feature map"),
    (ops.Linear(4), (X,), "a linear layer needs a vector.*flatten the map first"),
]


@pytest.mark.parametrize(("op", "inputs", "words"), REFUSALS, ids=[f"{row[0]!r}" for row in REFUSALS])
def test_an_op_refuses(op: Op, inputs: tuple[Type, ...], words: str) -> None:
    with pytest.raises(ShapeError, match=words):
        op.infer(inputs)


def test_ops_compare_by_their_attributes() -> None:
    one: Any = ops.Conv(4, (3, 3))
    assert one == ops.Conv(4, (3, 3))
    assert hash(one) == hash(ops.Conv(4, (3, 3)))
    assert one != ops.Conv(4, (3, 3), bias=True)
    assert ops.Act("relu") != ops.Dropout(0.5)
    assert one.attributes()["kernel"] == (3, 3)
    with pytest.raises(AttributeError):
        one.width = 5
