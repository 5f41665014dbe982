"""The grid and the walk behind it: every point once, in one order, from anywhere in it."""

from __future__ import annotations

import pytest

from inception_search.errors import SpecError
from inception_search.space.space import Space
from inception_search.strategies.enumerate_points import walk
from inception_search.strategies.grid import Grid, GridOptions
from inception_search.testing.playground import World
from tests.shipped import shipped_space
from tests.space.small import SMALL, key, points_of, small
from tests.study.spaces import TINY


def is_network(space: Space, params: dict) -> bool:
    try:
        space.decode(params)
    except SpecError:
        return False
    return True


@pytest.mark.parametrize("label", sorted(SMALL))
def test_a_walk_meets_every_point_once(label):
    points = list(walk(small(label)))
    wanted = {key(point) for point in points_of(label) if is_network(small(label), point)}
    assert len(points) == len(wanted)
    assert {key(point) for point in points} == wanted
    middle = len(points) // 2
    assert list(walk(small(label), points[middle])) == points[middle + 1 :]


def test_the_order_is_that_of_the_holes():
    widths = [tuple(params.values()) for params in walk(Space(TINY))]
    assert widths == sorted(widths)
    assert len(widths) == 64


def test_a_grid_goes_on_where_it_was():
    space = shipped_space("nas_bench_201")
    world = World(space)
    first = Grid(world.problem)
    world.go(first, 30)
    again = Grid(world.problem)
    for observation in world.observations:
        again.tell(observation)
    before, looked_at = world.observations[-1].facts["index"], len(world.seen)
    proposal = again.ask(30)
    assert proposal == first.ask(30)
    assert len(world.seen) - looked_at == proposal.facts["index"] - before  # nothing is gone through again


def test_a_grid_gives_up_where_nothing_can_be_trained():
    world = World(shipped_space("inception_modules"), violation=lambda screened: 1.0)
    assert Grid(world.problem, GridOptions(patience=50)).ask(0) is None
    assert len(world.seen) == 51
