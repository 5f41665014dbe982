"""All passes together, on points of the shipped spaces and on published networks: the same numbers in every phase."""

from __future__ import annotations

import random
from itertools import product

import pytest

import inception_search as ins
from inception_search.backend.build import build
from inception_search.backend.network_module import NetworkModule
from inception_search.errors import ShapeError
from inception_search.graph.graph import Graph
from inception_search.lowering import lower
from inception_search.passes import PASSES
from inception_search.passes.rewrite import Phase
from inception_search.spec.transform import set_input, shrink
from tests.passes.checks import run, same, unsettled
from tests.shipped import shipped_space

# The shipped spaces, and by what the widths and repeats of their points are multiplied: some are huge networks.
SPACES = {
    "inception": (0.02, 0.02),
    "inception_modules": (1.0, 1.0),
    "inception_resnet": (0.05, 0.05),
    "nas_bench_101": (1.0, 0.3),
    "nas_bench_201": (1.0, 0.3),
    "nin": (0.05, 1.0),
    "separable_modules": (1.0, 1.0),
}
SIDES = (75, 107, 139, 171)
PHASES: tuple[Phase, ...] = ("training", "inference")
POINTS, PER_TEST = 500, 50
IMAGES = 4  # norms over maps of 1x1 need some

in_each_phase = pytest.mark.parametrize("phase", PHASES)
in_each_space = pytest.mark.parametrize("space", SPACES)


def check_all(model: NetworkModule, phase: Phase, images: int = IMAGES, steps: int = 2) -> None:
    """Check a network with all passes of a phase, costly ones too."""
    passes = [each for each in PASSES.values() if phase in each.phases]
    result = run(passes, model.recall("graph"))
    same(unsettled(model.double()), result, phase, images, steps=steps)


def check_points(space: str, phase: Phase, seeds: range, steps: int = 2) -> None:
    """Check points of a shipped space."""
    for seed in seeds:
        check_all(build(graph_of_point(space, seed), name="x", seed=seed), phase, steps=steps)


def graph_of_point(space: str, seed: int) -> Graph:
    """A point of a shipped space, made smaller, on small images that fit it."""
    whole = shipped_space(space)
    network = shrink(whole.decode(whole.sample(random.Random(seed))), *SPACES[space])
    for side in SIDES:
        if side < network.input.height:
            try:
                return lower(set_input(network, height=side, width=side), aux=False)
            except ShapeError:
                continue
    return lower(network)


POINTS_OF_SPACES = [(space, 0) for space in SPACES] + [
    ("nas_bench_201", 4),
    *(("inception_modules", i) for i in (1, 4)),
]


@in_each_phase
@pytest.mark.parametrize(("space", "seed"), POINTS_OF_SPACES)
def test_a_point_of_each_space(space: str, seed: int, phase: Phase) -> None:
    check_points(space, phase, range(seed, seed + 1))


@pytest.mark.slow
@in_each_phase
@in_each_space
@pytest.mark.parametrize("start", range(0, POINTS, PER_TEST))
def test_points_of_each_space(space: str, phase: Phase, start: int) -> None:
    check_points(space, phase, range(start, start + PER_TEST), steps=1)


def test_the_passes_that_points_need() -> None:
    """Otherwise the tests above would check nothing; no space has a norm after a concatenation."""
    found = {"split_norm"}
    for (space, seed), phase in product(POINTS_OF_SPACES[-3:], PHASES):
        passes = [each for each in PASSES.values() if phase in each.phases]
        found |= {change.name for change in run(passes, graph_of_point(space, seed)).changes}
    assert found == set(PASSES)


@in_each_phase
@pytest.mark.parametrize(("name", "aux"), [("inception_v1@batch_norm", True), ("inception_resnet_v2@slim", False)])
def test_narrow_published_networks(name: str, aux: bool, phase: Phase) -> None:
    network = shrink(ins.load(name), 0.0625, 0.1)
    check_all(ins.compile(network, input_size=107, aux=aux, seed=0), phase, images=2)


@pytest.mark.slow
@in_each_phase
@pytest.mark.parametrize("name", ins.list_models())
def test_published_networks(name: str, phase: Phase) -> None:
    check_all(ins.compile(name, aux=bool(ins.load(name).aux), seed=0), phase, images=2, steps=1)
