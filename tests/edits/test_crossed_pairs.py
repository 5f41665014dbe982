"""Crossover of any two canonical networks, with a space and without; counterparts, and points of a space."""

from __future__ import annotations

import random
from contextlib import suppress
from itertools import permutations
from typing import Any

import pytest

import inception_search as ins
from inception_search.edits.crossover import Points, crossover
from inception_search.edits.matching_parts import by_place, pieces
from inception_search.edits.sites import parts
from inception_search.errors import EditError, SpecError
from inception_search.spec.step import Use
from tests.edits.edit_samples import net
from tests.edits.test_crossover import check
from tests.shipped import shipped_space

GRAND = shipped_space("inception")
ALL = list(permutations(ins.list_models(dialects=False), 2))


def check_pair(one: str, other: str, seed: int) -> None:
    a, b = ins.load(one), ins.load(other)
    check(crossover(a, b, seed).network, a, b)
    for coin in range(3):
        child = crossover(a, b, seed + coin, space=GRAND).network
        check(child, a, b)
        assert GRAND.contains(child)


@pytest.mark.parametrize(("one", "other"), [("nin_imagenet", "inception_v4"), *ALL[::7]])
def test_any_two_canonical_networks(one: str, other: str) -> None:
    check_pair(one, other, 0)


@pytest.mark.slow
@pytest.mark.parametrize(("one", "other"), ALL)
def test_every_two_canonical_networks(one: str, other: str) -> None:
    for seed in range(0, 12, 3):
        check_pair(one, other, seed)


def crossed(points: Points, rng: random.Random, count: int) -> list[dict[str, Any]]:
    """Points between two, but for those that make no document."""
    found = []
    for _ in range(count):
        with suppress(SpecError):
            found.append(points.cross(points.draw(rng)))
    return found


def test_points_of_two_canonical_networks_cross() -> None:
    rng = random.Random(4)
    for one, other in ALL[::9]:
        points = Points(GRAND, ins.load(one), ins.load(other))
        mine, theirs = points.mine, points.theirs
        children = crossed(points, rng, 8)
        assert len(children) > 2
        for child in children:
            assert GRAND.encode(GRAND.decode(child)).items() >= child.items()
            taken = [name for name, value in theirs.items() if child.get(name) == value != mine.get(name)]
            assert any(name in mine for name in taken)
            assert all(child[name] in (mine[name], theirs.get(name)) for name in child if name in mine)


def test_parents_that_differ_in_little_are_not_crossed_over_and_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cells that differ on two edges have two children, which are soon tried."""
    space = shipped_space("nas_bench_201")
    one = space.sample(random.Random(1))
    names = sorted(one)[:2]
    other = {**one, **{name: "none" if one[name] != "none" else "skip_connect" for name in names}}
    made: list[frozenset[str]] = []
    cross = Points.cross
    monkeypatch.setattr(Points, "cross", lambda self, taken: made.append(self.differing(taken)) or cross(self, taken))
    for seed in range(20):
        made.clear()
        with suppress(EditError):
            ins.crossover(space.decode(one), space.decode(other), seed, space=space)
        assert len(made) <= 6  # each once, or twice where parts did not cross either


def test_whole_stages_come_from_one_parent() -> None:
    points = Points(GRAND, ins.load("inception_v3"), ins.load("inception_v4"))
    stem = {name: value for name, value in points.theirs.items() if name.startswith("stem.")}
    children = crossed(points, random.Random(5), 200)
    whole = sum(stem.items() <= child.items() for child in children)
    assert 5 < whole < len(children) / 2


def test_modules_match_by_phase_and_reductions_by_what_they_lead_to() -> None:
    a = net(
        "stages {s: 3x3 4 s2, m: {concat: [1x1 4, 3x3 4]}, r: max 3x3 s2, n: 2 x {concat: [1x1 8, 3x3 8]}}".replace(
            "2 x {concat: [1x1 8, 3x3 8]}", "{repeat: {times: 2, body: {concat: [1x1 8, 3x3 8]}}}"
        ),
        input="3x32x32",
    )
    b = net("stages {t: 7x7 4 s4, x: [3x3 4, 1x1 4], p: 3x3 4 s2, y: [5x5 4, 1x1 4]}", input="3x64x64")
    found = {place: [ins.to_yaml(match.other).strip() for match in found] for place, found in by_place(a, b).items()}
    assert [(piece.section[1], piece.work) for piece in pieces(b)] == [
        ("t", (2, 2)),
        ("x", (1, 0)),
        ("p", (1, 1)),
        ("y", (0, 0)),
    ]
    assert found["stages.n.body"] == [ins.to_yaml(b.stages["y"]).strip()]
    assert ins.to_yaml(b.stages["x"]).strip() in found["stages.m"]
    assert ins.to_yaml(b.stages["p"]).strip() in found["stages.r"]


def test_a_chain_put_into_a_chain_leaves_the_other_places_alone() -> None:
    a = net("stages {x: [m, n, 1x1 8], y: lrn}", blocks="{m: {concat: [1x1 4, 3x3 4]}, n: {concat: [1x1 8, 5x5 8]}}")
    b = net("[1x1 16, 3x3 16, 7x7 16]")
    both = 0
    for seed in range(60):
        child = crossover(a, b, seed)
        if "stages.x" not in child.places and child.places:
            kept = {step.name for step in parts(child.network.stages["x"]) if isinstance(step, Use)}
            assert kept == {
                name for name, place in (("m", "stages.x.0"), ("n", "stages.x.1")) if place not in child.places
            }
            both += len(child.places) == 2 and not kept
    assert both > 0
