"""All passes together, on points of the shipped spaces and on published networks: the same numbers in every phase."""

from __future__ import annotations

import random

import pytest

import inception_search as ins
from inception_search.backend.build import build
from inception_search.backend.network_module import NetworkModule
from inception_search.errors import ConfigError, ShapeError
from inception_search.graph.graph import Graph
from inception_search.lowering import lower
from inception_search.passes import PASSES
from inception_search.passes.rewrite import Phase
from inception_search.spec.network import Network
from inception_search.spec.transform import set_input, shrink
from tests.passes.checks import run, same, unsettled
from tests.shipped import shipped_space

# The shipped spaces, and by what the widths and repeats of their points are multiplied: some are huge networks.
SPACES = {
    "inception": (0.05, 0.05),
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


def check_all(model: NetworkModule, phase: Phase, images: int = IMAGES) -> int:
    """Check a network with all passes of a phase, costly ones too; returns how many places changed."""
    passes = [each for each in PASSES.values() if phase in each.phases]
    result = run(passes, model.recall("graph"))
    same(unsettled(model.double()), result, phase, images)
    return len(result.changes)


def check_points(space: str, phase: Phase, seeds: range) -> None:
    """Check points of a shipped space; at least one must have been rewritten."""
    whole = shipped_space(space)
    changes = 0
    for seed in seeds:
        network = shrink(whole.decode(whole.sample(random.Random(seed))), *SPACES[space])
        changes += check_all(build(small_graph(network), name="x", seed=seed), phase)
    assert changes > 0


def small_graph(network: Network) -> Graph:
    """The graph of a network on small images that fit it."""
    for side in SIDES:
        if side < network.input.height:
            try:
                return lower(set_input(network, height=side, width=side))
            except ShapeError:
                continue
    return lower(network)


def published(name: str, **options: float) -> NetworkModule:
    """A published network, with auxiliary classifiers if it has some."""
    try:
        return ins.compile(name, aux=True, seed=0, **options)
    except ConfigError:
        return ins.compile(name, seed=0, **options)


@in_each_phase
@in_each_space
def test_a_point_of_each_space(space: str, phase: Phase) -> None:
    check_points(space, phase, range(1))


@pytest.mark.slow
@in_each_phase
@in_each_space
@pytest.mark.parametrize("start", range(0, POINTS, PER_TEST))
def test_points_of_each_space(space: str, phase: Phase, start: int) -> None:
    check_points(space, phase, range(start, start + PER_TEST))


@in_each_phase
@pytest.mark.parametrize("name", ["inception_v1", "inception_v3", "inception_resnet_v2", "inception_v4@slim"])
def test_narrow_published_networks(name: str, phase: Phase) -> None:
    assert check_all(published(name, width=0.125, input_size=107), phase, images=2) > 0


@pytest.mark.slow
@in_each_phase
@pytest.mark.parametrize("name", ins.list_models())
def test_published_networks(name: str, phase: Phase) -> None:
    check_all(published(name), phase, images=2)
