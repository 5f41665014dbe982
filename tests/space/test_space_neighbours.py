# ruff: noqa: E501 (tables: one row a line)
"""Points near each other: neighbours, changed decisions, distances and paths."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import islice

import pytest

from inception_search.errors import NotInSpaceError
from inception_search.space.holes import Choice, Float, Params, Value
from inception_search.space.neighbours import changes
from inception_search.space.path import Step
from inception_search.space.space import Space
from tests.shipped import shipped_space
from tests.space.small import SMALL, C, key, points_of, small, space

SHIPPED = {name: shipped_space(name) for name in ("inception", "inception_modules", "nas_bench_101", "nas_bench_201")}
AMONG = [label for label, row in SMALL.items() if row[2] <= 9]  # spaces small enough to look at all pairs


def next_values(of: Space, name: str, value: Value) -> Iterator[Value]:
    """Every other label; the numbers before and after."""
    hole = of.holes[name]
    domain = list(hole.domain or ())
    at = domain.index(value)
    yield from (other for i, other in enumerate(domain) if i != at and (isinstance(hole, Choice) or abs(i - at) == 1))


def differing(one: Params, other: Params) -> set[str]:
    """Decisions that both points take, differently."""
    return {name for name in one.keys() & other.keys() if one[name] != other[name]}


@pytest.mark.parametrize("label", SMALL)
def test_neighbours_differ_in_one_decision_and_what_it_brings(label: str) -> None:
    of = small(label)
    everything = {key(params) for params in points_of(label)}
    for params in points_of(label):
        found = list(of.neighbours(params))
        assert {*map(key, found)} <= everything - {key(params)}
        moves = [(name, value) for name in params for value in next_values(of, name, params[name])]
        assert len({*map(key, found)}) == len(found) == len(moves)
        for name, value in moves:
            assert [point for point in found if point.get(name) == value and differing(params, point) == {name}]


def test_numbers_go_as_many_steps_as_are_asked_for() -> None:
    hole = shipped_space("separable_modules").holes["module.b0.width"]
    assert hole.domain == range(4, 49, 4)
    assert changes(hole, 16) == (12, 20)
    assert changes(hole, 16, (1, 2, 4, 8, 16)) == (8, 12, 20, 24, 32, 48)
    real = Float("rate", 0.0, 1.0)
    assert changes(real, 0.5, (1, 4, 16)) == pytest.approx((0.0, 0.3, 0.45, 0.55, 0.7, 1.0))
    assert changes(real, 1.0, (1, 4)) == pytest.approx((0.8, 0.95))


@pytest.mark.parametrize("label", SMALL)
def test_neighbours_connect_all_points(label: str) -> None:
    of = small(label)
    everything = points_of(label)
    for start in (everything[0], everything[-1]):
        reached, waiting = {key(start)}, [start]
        while waiting:
            new = [point for point in of.neighbours(waiting.pop()) if key(point) not in reached]
            waiting += new
            reached |= {*map(key, new)}
        assert reached == {*map(key, everything)}


@pytest.mark.parametrize("name", SHIPPED)
def test_neighbours_in_shipped_spaces(name: str) -> None:
    of = SHIPPED[name]
    params = of.sample(5)
    found = list(islice(of.neighbours(params), 25))
    assert len({*map(key, found)}) == len(found) >= 20
    for point in found:
        assert len(differing(params, point)) == 1
        assert of.encode(of.decode(point)) == point


def test_neighbours_that_break_a_rule_are_passed_by() -> None:
    odd = space("  stages: {a: {conv: {kernel: 3x3, factor: {$choice: [none, split]}, width: {$int: [3, 8]}}}}\n")
    at = {"a.factor": "split", "a.width": 4}
    assert list(odd.neighbours(at)) == [{"a.factor": "none", "a.width": 4}]
    assert odd.neighbour(at, 0) == {"a.factor": "none", "a.width": 4}


def test_neighbours_of_an_endless_number_are_a_step_apart() -> None:
    endless = space("  stages: {a: {dropout: {$float: [0.1, 0.5]}}}\n")
    below, above = sorted(float(point["a.p"]) for point in endless.neighbours({"a.p": 0.3}))
    assert 0.1 < below < 0.3 < above < 0.5
    assert [point["a.p"] for point in endless.neighbours({"a.p": 0.5})] == [pytest.approx(0.48)]
    assert [point["a.p"] for point in endless.neighbours({"a.p": 0.49})] == [pytest.approx(0.47), 0.5]


@pytest.mark.parametrize(
    "label", ["choice with holes inside", "many in a chain", "a grammar of chains", "wirings of a dag"]
)
def test_a_random_neighbour_is_any_of_the_neighbours(label: str) -> None:
    of = small(label)
    for params in points_of(label):
        neighbours = {key(point) for point in of.neighbours(params)}
        assert {key(of.neighbour(params, seed)) for seed in range(80)} == neighbours
        assert of.neighbour(params, 3) == of.neighbour(params, random.Random(3))


def test_labels_change_sooner_than_numbers_however_many_values_those_have() -> None:
    of = space("  stages: {a: {conv: {kernel: {$choice: [1x1, 3x3]}, width: {$int: [1, 64]}}}}\n")
    at = {"a.kernel": "1x1", "a.width": 32}
    found = [of.neighbour(at, seed, (1, 2, 4, 8, 16)) for seed in range(400)]
    kernels = sum(point["a.kernel"] != "1x1" for point in found)
    assert 260 < kernels < 340  # three in four; of the eleven values that could be another, one is the kernel's
    assert {point["a.width"] for point in found} == {16, 24, 28, 30, 31, 32, 33, 34, 36, 40, 48}


def test_a_point_without_neighbours_says_so() -> None:
    alone = small("no hole")
    assert list(alone.neighbours({})) == []
    with pytest.raises(NotInSpaceError, match="no other point of space 's' is one decision away"):
        alone.neighbour({}, 0)


def test_a_layout_is_no_decision() -> None:
    of = SHIPPED["inception"]
    params = of.encode(of.fixed_points["inception_v1"])
    assert params.layout is not None
    assert of.distance(params, dict(params)) == 0
    assert type(of.neighbour(params, 0)) is dict
    assert of.neighbour(params, 0) == of.neighbour(dict(params), 0)
    assert of.path(params, dict(params)) == ()


# --------------------------------------------------------------------------------------------------- changed

# A space, a point, what is changed, and the point that makes.
CHANGED: list[tuple[str, Params, Params, Params]] = [
    ("two integers", {"a.width": 4, "b.width": 1}, {"b.width": 2}, {"a.width": 4, "b.width": 2}),
    ("two integers", {"a.width": 4, "b.width": 1}, {"a.width": 6, "b.width": 2}, {"a.width": 6, "b.width": 2}),
    ("two integers", {"a.width": 4, "b.width": 1}, {}, {"a.width": 4, "b.width": 1}),
    ("choice with holes inside", {"a": "conv", "a.width": 6}, {"a": "pool"}, {"a": "pool"}),
    ("choice with holes inside", {"a": "pool"}, {"a": "conv"}, {"a": "conv", "a.width": 4}),  # the first value
    ("choice with holes inside", {"a": "pool"}, {"a": "conv", "a.width": 5}, {"a": "conv", "a.width": 5}),
    ("options share the holes at one place", {"a": "s", "a.width": 5}, {"a": "l"}, {"a": "l", "a.width": 5}),
    # what a decision brings takes after its like, one place before
    ("many in a chain", {"a.0": 1, "a.0.0.width": 5}, {"a.0": 2}, {"a.0": 2, "a.0.0.width": 5, "a.0.1.width": 5}),
    ("many stages", {"a": 1, "a1.width": 5}, {"a": 2}, {"a": 2, "a1.width": 5, "a2.width": 5}),
    ("many branches", {"a.b1": 2, "a.b1.0.width": 5, "a.b1.1.width": 4}, {"a.b1": 1}, {"a.b1": 1, "a.b1.0.width": 5}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("label", "params", "update", "expected"), CHANGED, ids=[f"{row[0]}: {row[2]}" for row in CHANGED]
)
def test_changed_decisions(label: str, params: Params, update: Params, expected: Params) -> None:
    of = small(label)
    before = dict(params)
    found = of.changed(params, update)
    assert found == expected
    assert of.encode(of.decode(found)) == found
    assert params == before


def test_what_no_hole_takes_is_refused() -> None:
    of = small("choice with holes inside")
    with pytest.raises(NotInSpaceError, match=r"a.width: 9 is outside 4\.\.6"):
        of.changed({"a": "conv", "a.width": 4}, {"a.width": 9})


def test_the_like_of_a_hole_is_one_whose_value_it_can_have() -> None:
    of = space(
        f"  stages:\n    a: [relu, {C}, {{$choice: {{n: identity, y: {{conv: {{kernel: 1x1, width: {{$int: [5, 6]}}}}}}}}}}]\n"
    )
    assert of.changed({"a.1.width": 5, "a.2": "n"}, {"a.2": "y"})["a.2.width"] == 5
    assert of.changed({"a.1.width": 4, "a.2": "n"}, {"a.2": "y"})["a.2.width"] == 5  # 4 is none of its values


# --------------------------------------------------------------------------------------------------- distance, path


@pytest.mark.parametrize("label", AMONG)
def test_distances_and_paths_on_small_spaces(label: str) -> None:
    of = small(label)
    everything = points_of(label)
    for one in everything:
        for other in everything:
            assert of.distance(one, other) == of.distance(other, one)
            assert (of.distance(one, other) == 0) == (one == other)
            for third in everything:
                assert of.distance(one, other) <= of.distance(one, third) + of.distance(third, other)
            check_path(of, one, other, of.path(one, other))


@pytest.mark.parametrize("name", SHIPPED)
def test_distance_is_a_metric_on_shipped_spaces(name: str) -> None:
    of = SHIPPED[name]
    points = [of.sample(seed) for seed in range(8)]
    points += [of.neighbour(point, 0) for point in points[:4]]
    for one in points:
        for other in points:
            apart = of.distance(one, other)
            assert apart == of.distance(other, one)
            assert (apart == 0) == (one == other)
            assert all(apart <= of.distance(one, third) + of.distance(third, other) for third in points)


def test_distance_counts_decisions() -> None:
    of = small("choice with holes inside")
    conv: Params = {"a": "conv", "a.width": 4}
    assert of.distance(conv, {"a": "conv", "a.width": 6}) == 1
    assert of.distance(conv, {"a": "pool"}) == 2  # another label, and a width that is no longer asked for


def check_path(of: Space, start: Params, goal: Params, steps: tuple[Step, ...]) -> None:
    """Every point is one, the last is the goal, no detours."""
    assert len(steps) <= of.distance(start, goal)
    assert [step.params for step in steps][-1:] == ([goal] if start != goal else [])
    here = start
    for step in steps:
        assert of.decode(step.params) == step.network
        assert step.decisions
        assert step.decisions.items() <= step.params.items()
        assert all(here[name] != value == goal[name] for name, value in step.decisions.items())
        assert of.distance(step.params, goal) < of.distance(here, goal)
        here = step.params


@pytest.mark.parametrize("name", SHIPPED)
def test_paths_in_shipped_spaces(name: str) -> None:
    of = SHIPPED[name]
    start, goal = of.sample(0, by="holes"), of.sample(100, by="holes")
    check_path(of, start, goal, of.path(start, goal))


def test_a_path_between_canonical_networks() -> None:
    of = SHIPPED["inception"]
    start, goal = (of.encode(of.fixed_points[name]) for name in ("inception_v3", "inception_v4"))
    steps = of.path(start, goal)
    assert len(steps) > 10
    check_path(of, start, goal, steps)


def test_a_path_goes_round_what_is_not_valid() -> None:
    of = small("two integers")
    start: Params = {"a.width": 4, "b.width": 1}
    goal: Params = {"a.width": 6, "b.width": 2}
    assert [step.params for step in of.path(start, goal)] == [{"a.width": 6, "b.width": 1}, goal]
    other_way = of.path(start, goal, lambda network: network.stages["a"].width == 4)
    assert [step.params for step in other_way] == [{"a.width": 4, "b.width": 2}, goal]
    at_once = of.path(start, goal, lambda network: False)
    assert [step.params for step in at_once] == [goal]
    assert at_once[0].decisions == goal


def test_a_path_goes_round_what_breaks_a_rule() -> None:
    odd = space("  stages: {a: {conv: {kernel: 3x3, factor: {$choice: [none, split]}, width: {$int: [3, 8]}}}}\n")
    start: Params = {"a.factor": "none", "a.width": 3}
    goal: Params = {"a.factor": "split", "a.width": 4}
    assert [step.params for step in odd.path(start, goal)] == [{"a.factor": "none", "a.width": 4}, goal]
    both_odd: Params = {"a.factor": "none", "a.width": 5}
    assert len(odd.path(goal, both_odd)) == 2
