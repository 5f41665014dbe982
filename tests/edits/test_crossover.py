"""Crossover: children that are valid, unlike both parents, and inside the space when there is one."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

import inception_search as ins
from inception_search.edits.crossover import crossover
from inception_search.edits.matching_parts import matches
from inception_search.edits.places import spot_at
from inception_search.errors import EditError
from inception_search.spec.documents.parse import parse_network
from inception_search.spec.documents.to_yaml import text
from inception_search.spec.network import Network
from tests.edits.edit_samples import documents, net
from tests.shipped import shipped_space

SPACE = shipped_space("inception_modules")
PAIRS = [
    ("inception_v3", "inception_resnet_v2"),
    ("inception_v4", "inception_resnet_v2@paper"),
    ("inception_v3", "inception_v3@slim"),
    ("inception_v1", "bn_inception"),
]


def check(child: Network, *parents: Network) -> None:
    assert ins.lower(child).cost().params >= 0
    assert parse_network(text(child)) == child
    assert ins.arch_id(child) not in {ins.arch_id(parent) for parent in parents}


@pytest.mark.parametrize(("one", "other"), [PAIRS[0], PAIRS[1], PAIRS[3]])
def test_canonical_parents(one: str, other: str) -> None:
    a, b, rng = ins.load(one), ins.load(other), random.Random(0)
    for _ in range(10):
        check(crossover(a, b, rng).network, a, b)


@pytest.mark.parametrize("name", ["inception_v4", "inception_resnet_v1"])
def test_mutated_parents(name: str) -> None:
    rng = random.Random(1)
    a = b = ins.load(name)
    for _ in range(12):
        a, b = ins.mutate(a, rng).network, ins.mutate(b, rng).network
    found = set()
    for _ in range(15):
        child = crossover(a, b, rng)
        check(child.network, a, b)
        found |= set(child.places)
    assert len(found) > 5


@given(documents, documents, st.integers(0, 2**32))
def test_random_documents(a: Network, b: Network, seed: int) -> None:
    try:
        child = crossover(a, b, seed)
    except EditError:
        return
    check(child.network, a, b)
    assert child.places


def test_the_parts_at_the_places_are_the_second_parents() -> None:
    a = net("stages {x: {concat: [1x1 4, 3x3 4]}, y: 1x1 8, z: 3x3 8}")
    b = net("stages {x: {concat: [5x5 4, 7x7 4]}, y: 1x1 16, z: 3x3 8}")
    assert [match.place for match in matches(a, b)] == [
        "stages.x",
        "stages.x.branches.0",
        "stages.x.branches.1",
        "stages.y",
    ]
    for seed in range(20):
        child = crossover(a, b, seed)
        for place in child.places:
            assert spot_at(child.network, place).step == spot_at(b, place).step
        kept = {match.place for match in matches(a, child.network)}
        assert kept >= set(child.places)


def test_stages_of_other_names_match_by_position() -> None:
    a, b = net("stages {x: 1x1 4, y: 3x3 8}"), net("stages {u: 5x5 4, v: 3x3 8}")
    assert [match.place for match in matches(a, b)] == ["stages.x"]
    assert matches(a, net("stages {u: 5x5 4}")) == []


def test_blocks_that_mean_something_else_are_written_out() -> None:
    a = net("stages {x: [1x1 8, m], y: 1x1 8, z: lrn}", blocks="{m: 3x3 8}")
    b = net("stages {x: [1x1 4, m, n], y: 1x1 8}", blocks="{m: 3x3 8, n: {concat: [m, 5x5 8]}}")
    child = crossover(a, b, 0)
    assert child.places == ("stages.x",)
    assert ins.to_yaml(child.network.stages["x"]) == ins.to_yaml(ins.parse_step("[1x1 4, m, {concat: [m, 5x5 8]}]"))
    other = net("stages {x: [1x1 8, m], y: 1x1 8, z: lrn}", blocks="{m: 5x5 8}")
    steps = {ins.to_yaml(crossover(other, b, seed).network.stages["x"]) for seed in range(20)}
    assert ins.to_yaml(ins.parse_step("[1x1 4, 3x3 8, {concat: [3x3 8, 5x5 8]}]")) in steps


def test_inside_a_space() -> None:
    rng, places = random.Random(2), set()
    for _ in range(30):
        a, b = (SPACE.decode(SPACE.sample(rng)) for _ in "ab")
        child = crossover(a, b, rng, space=SPACE)
        check(child.network, a, b)
        assert SPACE.contains(child.network)
        places.add(child.places)
    assert len(places) > 5


def test_the_points_of_parents_are_crossed_where_their_parts_cannot_be() -> None:
    rng, crossed = random.Random(3), 0
    for _ in range(25):
        a, b = (SPACE.decode(SPACE.sample(rng)) for _ in "ab")
        child = crossover(a, b, rng, space=SPACE)
        if not child.places:
            crossed += 1
            mine, theirs, point = SPACE.encode(a), SPACE.encode(b), SPACE.encode(child.network)
            shared = [name for name in point if name in mine and name in theirs]
            assert all(point[name] in (mine[name], theirs[name]) for name in shared)
    assert crossed > 0


def test_the_same_seed_gives_the_same_child() -> None:
    a, b = ins.load("inception_v3"), ins.load("inception_resnet_v2")
    assert [crossover(a, b, seed) for seed in range(8)] == [crossover(a, b, seed) for seed in range(8)]
    assert len({crossover(a, b, seed).places for seed in range(8)}) > 3


def test_mistakes_are_told() -> None:
    a = net("3x3 8")
    with pytest.raises(EditError, match="no places that match and differ"):
        crossover(a, a, 0)
    with pytest.raises(EditError, match="it is the same architecture as 'n'"):
        crossover(a, net("5x5 8"), 0)
    with pytest.raises(EditError, match=r"no crossing with 'n' gives a child unlike both.*of 60 candidates"):
        crossover(net("{concat: [1x1 8, 3x3 8]}"), net("{concat: [1x1 8 s2, 3x3 8 s2]}"), 0)  # one map is smaller
