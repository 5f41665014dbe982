"""Every op against PyTorch: the type it infers, the parameters and multiply-adds it counts, the module it builds."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest
import torch

from inception_search.backend.network_module import NetworkModule
from inception_search.errors import ShapeError
from inception_search.graph import ops
from inception_search.graph.op import Op
from inception_search.graph.ops import OPS
from inception_search.graph.ops.act import ACTIVATIONS
from inception_search.graph.torch_modules import L2Pool2d
from inception_search.graph.types import FeatureMap, Type, Vector
from inception_search.spec.network import is_taken
from inception_search.testing import check_op

FUNCTIONS = (
    "input",
    "concat",
    "add",
    "scale",
    "normalize",
    "zero",
    "narrow",
)  # they become function calls, not modules
ODD, EVEN, FLAT = FeatureMap(6, 11, 8), FeatureMap(4, 12, 12), Vector(10)

CONVS = [
    ops.Conv(width, kernel, stride, padding, dilation, groups, bias)
    for width, kernel in ((4, (1, 1)), (6, (3, 3)), (2, (1, 4)), (8, (2, 4)))
    for stride, padding in (((1, 1), (0, 0)), ((2, 2), (1, 1)), ((1, 3), (2, 0)))
    for dilation, groups, bias in (((1, 1), 1, True), ((2, 2), 2, False), ((2, 1), 1, False))
]
POOLS = [
    ops.Pool(mode, kernel, stride, padding, count_pad, ceil)
    for mode in ("max", "avg", "l2")
    for kernel, padding in (((3, 3), (0, 0)), ((3, 3), (1, 1)), ((2, 2), (1, 1)), ((1, 5), (0, 2)), ((5, 5), (0, 1)))
    for stride in ((1, 1), (2, 2), (3, 3), (5, 5))
    for count_pad, ceil in ((False, False), (True, True), (False, True))
]
SAME: list[ops.Conv | ops.Pool] = [
    *(
        ops.Conv(4, kernel, stride, "tf", dilation)
        for kernel, dilation in (((3, 3), (1, 1)), ((2, 4), (1, 1)), ((3, 5), (2, 2)), ((3, 3), (2, 1)))
        for stride in ((1, 1), (2, 2), (1, 3))
    ),
    *(
        ops.Pool(mode, kernel, stride, "tf", count_pad)
        for mode in ("max", "avg", "l2")
        for kernel in ((3, 3), (2, 2))
        for stride in ((2, 2), (1, 3))
        for count_pad in (False, True)
    ),
]
OTHERS: list[tuple[Op, Type]] = [
    *((ops.Act(name), shape) for name in ACTIVATIONS for shape in (ODD, FLAT)),
    (ops.BatchNorm(), ODD),
    (ops.BatchNorm(eps=1e-5, momentum=0.01, gamma=False), ODD),
    (ops.BatchNorm(), FLAT),
    (ops.AdaptivePool((4, 3)), ODD),
    (ops.AdaptivePool((1, 1), "max"), ODD),
    (ops.Linear(7, bias=False), FLAT),
    (ops.Lrn(), ODD),
    (ops.Lrn(3, 0.5, 0.6, 2.0), ODD),
    (ops.Dropout(0.3), ODD),
    (ops.Dropout(0.3), FLAT),
    (ops.GlobalPool("avg"), ODD),
    (ops.GlobalPool("max"), ODD),
    (ops.Flatten(), ODD),
    (ops.Linear(7), FLAT),
]
MODULES = [*((op, shape) for op in (*CONVS, *POOLS, *SAME) for shape in (ODD, EVEN)), *OTHERS]


@pytest.mark.parametrize(("op", "shape"), MODULES, ids=[f"{op!r}{tuple(shape)}" for op, shape in MODULES])
def test_an_op_keeps_the_laws(op: Op, shape: Type) -> None:
    check_op(op, shape)


def test_every_op_is_compared() -> None:
    assert {op.name for op, _ in MODULES} | set(FUNCTIONS) == set(OPS)


def test_functions_have_the_types_of_torch() -> None:
    a, b = torch.randn(2, 3, 5, 5), torch.randn(2, 4, 5, 5)
    joined = ops.Concat().infer((FeatureMap(3, 5, 5), FeatureMap(4, 5, 5)))
    assert tuple(torch.cat((a, b), 1).shape[1:]) == joined
    assert tuple((a + 0.5 * a).shape[1:]) == ops.Add(0.5).infer((FeatureMap(3, 5, 5),) * 2)
    assert tuple((a + a + a).shape[1:]) == ops.Add().infer((FeatureMap(3, 5, 5),) * 3)
    assert tuple((0.5 * a).shape[1:]) == ops.Scale(0.5).infer((FeatureMap(3, 5, 5),))
    assert tuple(torch.zeros_like(a).shape[1:]) == ops.Zero().infer((FeatureMap(3, 5, 5),))
    assert tuple(torch.narrow(a, 1, 1, 2).shape[1:]) == ops.Narrow(2, 1).infer((FeatureMap(3, 5, 5),))


@pytest.mark.parametrize("op", [*CONVS, *POOLS], ids=repr)
def test_small_maps_are_typed_as_torch_computes_them_or_refused(op: ops.Conv | ops.Pool) -> None:
    """On maps from 1x6 to 6x1. A window larger than its padded map is refused, also where ceil lets torch clip it."""
    reach = getattr(op, "dilation", (1, 1))
    for height in range(1, 7):
        shape = FeatureMap(4, height, 7 - height)
        sides = zip(shape[1:], op.kernel, op.padding, reach, strict=True)
        if any(r * (k - 1) + 1 > side + 2 * pad for side, k, pad, r in sides):
            with pytest.raises(ShapeError, match="is larger than its"):
                op.infer((shape,))
        else:
            out = op.build((shape,)).eval()(torch.ones(1, *shape))
            assert tuple(out.shape[1:]) == op.infer((shape,)), shape


def test_no_stage_can_have_the_name_of_an_attribute_of_torch() -> None:
    empty = NetworkModule(torch.nn.Module(), torch.fx.Graph())
    attributes = {name for name in (*dir(torch.nn.Module()), *dir(empty)) if re.fullmatch("[a-z][a-z0-9_]*", name)}
    assert {name for name in attributes if not is_taken(name)} == set()
    assert not any(map(is_taken, ("stem", "mixed_5b", "pool1", "conv", "x", "none")))


def test_modules_take_their_attributes_over() -> None:
    norm: Any = ops.BatchNorm(eps=1e-5, momentum=0.01).build((ODD,))
    assert (norm.eps, norm.momentum, norm.num_features) == (1e-5, 0.01, 6)
    assert ops.BatchNorm(gamma=False).build((ODD,)).weight is None
    lrn: Any = ops.Lrn(3, 0.5, 0.6, 2.0).build((ODD,))
    assert (lrn.size, lrn.alpha, lrn.beta, lrn.k) == (3, 0.5, 0.6, 2.0)
    dropout: Any = ops.Dropout(0.3).build((ODD,))
    assert dropout.p == 0.3


def test_averages_count_the_border_as_asked() -> None:
    ones = torch.ones(1, 1, 4, 4)
    inside = ops.Pool("avg", (3, 3), padding=(1, 1)).build((FeatureMap(1, 4, 4),))(ones)
    counted = ops.Pool("avg", (3, 3), padding=(1, 1), count_pad=True).build((FeatureMap(1, 4, 4),))(ones)
    assert inside[0, 0, 0, 0].item() == 1.0
    assert counted[0, 0, 0, 0].item() == pytest.approx(4 / 9)
    assert counted[0, 0, 1, 1].item() == 1.0


def test_l2_pooling_is_the_root_of_the_summed_squares() -> None:
    image = torch.tensor([[[[3.0, -4.0], [0.0, 12.0]]]])
    out = L2Pool2d((2, 2), (1, 1), (0, 0))(image)
    assert out.item() == pytest.approx(13.0)
    padded = L2Pool2d((3, 3), (2, 2), (1, 1), ceil=True)(image)
    assert padded.shape == (1, 1, 2, 2)
    assert padded[0, 0, 0, 0].item() == pytest.approx(13.0)  # zeros outside add nothing
    assert padded[0, 0, 1, 1].item() == pytest.approx(12.0)


def test_l2_pooling_agrees_with_the_l2_norm_of_torch() -> None:
    image = torch.randn(2, 3, 9, 9)
    ours = L2Pool2d((3, 3), (2, 2), (0, 0))(image)
    torch.testing.assert_close(ours, torch.nn.LPPool2d(2, 3, 2)(image))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_l2_pooling_has_a_finite_gradient_at_zero(dtype: torch.dtype) -> None:
    image = torch.zeros(1, 1, 4, 4, dtype=dtype, requires_grad=True)
    out = L2Pool2d((3, 3), (1, 1), (1, 1))(image)
    out.sum().backward()
    assert image.grad is not None
    assert torch.equal(image.grad, torch.zeros_like(image))
    assert out.abs().max().item() < 1e-15


def test_l2_pooling_has_the_gradient_of_its_definition() -> None:
    image = torch.tensor([[[[3.0, 4.0]]]], requires_grad=True)
    L2Pool2d((1, 2), (1, 1), (0, 0))(image).sum().backward()
    assert image.grad is not None
    assert image.grad.flatten().tolist() == pytest.approx([3 / 5, 4 / 5])
    small = torch.full((1, 1, 2, 2), 1e-3, requires_grad=True)
    L2Pool2d((2, 2), (2, 2), (0, 0))(small).sum().backward()
    assert small.grad is not None
    assert math.isclose(small.grad[0, 0, 0, 0].item(), 0.5, rel_tol=1e-5)
