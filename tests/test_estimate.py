# ruff: noqa: E501 (tables: one row a line)
"""``estimate`` is the cost of the graph, without the graph."""

from __future__ import annotations

import random

import pytest
from hypothesis import given

import inception_search as ins
from inception_search.errors import ShapeError
from inception_search.estimate import estimate
from inception_search.spec.network import Network
from tests.generators import networks
from tests.shipped import shipped_space


@pytest.mark.parametrize("name", ins.list_models(dialects=False))
@pytest.mark.parametrize("size", [None, 352])
def test_canonical_networks(name: str, size: int | None) -> None:
    net = ins.set_input(ins.load(name), height=size, width=size)
    assert estimate(net) == ins.lower(net).cost()


@pytest.mark.parametrize("shape", [(1, 16, 16), (3, 32, 32), (3, 33, 20)])
def test_random_points_of_the_space(shape: tuple[int, int, int]) -> None:
    space, rng = shipped_space("inception_modules"), random.Random(0)
    for _ in range(100):
        channels, height, width = shape
        net = ins.set_input(space.decode(space.sample(rng)), channels=channels, height=height, width=width)
        assert estimate(net) == ins.lower(net).cost()


@pytest.mark.parametrize("name", ["inception", "inception_resnet", "nin", "nas_bench_101", "nas_bench_201"])
def test_random_points_of_the_other_spaces(name: str) -> None:
    space, rng = shipped_space(name), random.Random(1)
    checked = 0
    for index in range(24):
        net = space.draw(rng, "holes" if index % 2 else "points")[0]
        try:
            cost = estimate(net)
        except ShapeError:
            continue
        checked += 1
        assert cost == ins.lower(net).cost()
    assert checked > 12


STEPS = {
    "repeats whose first copy reads other channels": "[3x3 4, {repeat: {times: 4, body: {concat: [1x1 4, [max 3x3, avg 3x3, 5x5 6 row_col], {concat: [3x3 2, [3x3 4 split, 1x1 8]]}]}}}]",
    "repeats that begin with a pool": "[3x3 4, {repeat: {times: 3, body: [{concat: [max 3x3, 1x1 4]}, 3x3 7]}}]",
    "repeats of a pool alone": "{repeat: {times: 3, body: max 3x3}}",
    "repeats with strides": "{repeat: {times: 2, body: {concat: [3x3 4 s2, 1x1 3 s2]}}}",
    "repeats that begin with groups": "{repeat: {times: 3, body: [{conv: {kernel: 3x3, width: 8, groups: 4}}, 1x1 12]}}",
    "repeats that change their width": "{repeat: {times: 3, body: {concat: [identity, 3x3 4]}}}",
    "a block without a sum": "{block: {scale: 0.5, project: conv, act: relu, body: 3x3 8}}",
    "a sum without projection": "{block: {skip: add, body: [3x3 4, 1x1 4]}}",
    "singles": "[lrn, norm, gelu, dropout 0.2, {act: none}]",
    "grouped and dilated": "[3x3 8, {conv: {kernel: 3x3, width: 8, groups: 4, dilation: 2}}]",
    "a split, and a stack": "[5x5 8 split, 7x7 6>8 stacked]",
    "a stride of its own per axis": "{conv: {kernel: 3x3, width: 4, stride: [1, 2]}}",
}


@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS.keys())
def test_every_kind_of_step(step: str) -> None:
    text = f"""
schema: inception-search/network
version: 1
name: x
input: 4x12x15
stages: {{a: {step}}}
head: {{pool: none, hidden: [7], classes: 3}}
aux: {{b: {{after: a, body: 3x3 5, hidden: [2]}}}}
"""
    net = ins.load(text)
    assert estimate(net) == ins.lower(net).cost()


@given(networks())
def test_any_network(net: Network) -> None:
    assert estimate(net) == ins.lower(net).cost()


def test_the_error_is_that_of_lowering() -> None:
    net = ins.set_input(ins.load("inception_v4"), height=60, width=60)
    with pytest.raises(ShapeError, match=r"inception_v4\.yaml:\d+: reduction_b\.branches\.0\.1"):
        estimate(net)
