"""The suite of ops: shapes and costs of an op agree with its torch module."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TypeAlias

import torch
from torch.utils.flop_counter import FlopCounterMode

from inception_search.graph.op import Op
from inception_search.graph.types import FeatureMap, Type, Vector
from inception_search.testing.expect import equal, true

Law: TypeAlias = Callable[[Op, Type], None]
BATCH = 3


def shape_is_that_of_a_forward_pass(op: Op, shape: Type) -> None:
    """The inferred type of the op equals the output shape of its module, in training and evaluation mode."""
    expected = op.infer((shape,))
    equal(
        f"{op}: one number for a vector, three for a feature map",
        len(expected),
        1 if isinstance(expected, Vector) else 3,
    )
    true(isinstance(expected, Vector | FeatureMap), f"{op}: infer gives a FeatureMap or a Vector")
    module = op.build((shape,))
    for training in (True, False):
        out = module.train(training)(torch.randn(BATCH, *shape))
        equal(f"{op}: shape of the output for inputs of {shape}", tuple(out.shape), (BATCH, *expected))


def costs_are_those_of_the_module(op: Op, shape: Type) -> None:
    """The parameters and multiply-adds of the op equal those that torch counts."""
    module = op.build((shape,)).train()
    with (counter := FlopCounterMode(display=False)):
        module(torch.randn(BATCH, *shape))
    cost = op.cost((shape,), op.infer((shape,)))
    equal(f"{op}: parameters", cost.params, sum(parameter.numel() for parameter in module.parameters()))
    equal(f"{op}: multiply-adds for one image", cost.macs, counter.get_total_flops() / 2 / BATCH)


def attributes_can_be_written(op: Op, shape: Type) -> None:
    """The attributes of the op, written as text and read back, give an equal op with an equal hash."""
    written = {name: ast.literal_eval(repr(value)) for name, value in op.attributes().items()}
    again = type(op)(**written)
    equal(f"{op}: rebuilt from its attributes", again, op)
    equal(f"{op}: hash of an equal op", hash(again), hash(op))


def gradients_reach_the_input(op: Op, shape: Type) -> None:
    """Gradients through the op's module are finite and reach its input."""
    images = torch.randn(BATCH, *shape, requires_grad=True)
    op.build((shape,)).eval()(images).sum().backward()
    true(images.grad is not None and bool(images.grad.isfinite().all()), f"{op}: the input has no finite gradient")


OP_LAWS: tuple[Law, ...] = (
    shape_is_that_of_a_forward_pass,
    costs_are_those_of_the_module,
    attributes_can_be_written,
    gradients_reach_the_input,
)


def check_op(op: Op, *shapes: Type) -> None:
    """Check an op of one input against the torch module that it builds.

    Args:
        op: an instance of the op.
        shapes: input types: ``FeatureMap(channels, height, width)`` or ``Vector(channels)``. Default: two feature maps.

    Raises:
        AssertionError: the op breaks a rule; the message names it.

    >>> from inception_search.graph.ops import Conv
    >>> check_op(Conv(4, (3, 3)))
    """
    for shape in shapes or (FeatureMap(6, 11, 8), FeatureMap(4, 12, 12)):
        for law in OP_LAWS:
            law(op, shape)
