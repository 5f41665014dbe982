"""Fronts, crowding and hypervolume against their definitions."""

from __future__ import annotations

import itertools
import math

from hypothesis import given
from hypothesis import strategies as st

from inception_search.analysis.pareto import crowding, front, hypervolume, ranks

small = st.integers(1, 4).flatmap(
    lambda width: st.lists(st.tuples(*[st.integers(0, 5)] * width), min_size=0, max_size=9)
)


def dominates(one, other):
    """Nowhere worse and somewhere better."""
    return all(a <= b for a, b in zip(one, other, strict=True)) and one != other


def peeled(losses):
    """Ranks by taking away what nothing left dominates, again and again."""
    found, left, rank = {}, set(range(len(losses))), 0
    while left:
        best = {at for at in left if not any(dominates(losses[other], losses[at]) for other in left)}
        found |= dict.fromkeys(best, rank)
        left, rank = left - best, rank + 1
    return [found[at] for at in range(len(losses))]


def union(losses, reference):
    """The volume by inclusion and exclusion: of what each subset dominates together, its corner farthest out."""
    inside = [point for point in losses if all(a < b for a, b in zip(point, reference, strict=True))]
    total = 0
    for size in range(1, len(inside) + 1):
        for subset in itertools.combinations(inside, size):
            corner = map(max, zip(*subset, strict=True))
            total -= (-1) ** size * math.prod(r - c for r, c in zip(reference, corner, strict=True))
    return total


@given(small)
def test_ranks(losses):
    assert ranks(losses) == peeled(losses)
    assert front(losses) == [at for at, rank in enumerate(peeled(losses)) if rank == 0]


@given(small)
def test_hypervolume(losses):
    reference = (4,) * (len(losses[0]) if losses else 2)
    assert hypervolume(losses, reference) == union(losses, reference)


def test_hypervolume_of_known_points():
    assert hypervolume([(1.0, 2.0), (2.0, 1.0)], (3.0, 3.0)) == 3.0
    assert hypervolume([(0.25,), (0.5,)], (1.0,)) == 0.75
    assert hypervolume([(3.0, 0.0), (0.0, 3.0)], (3.0, 3.0)) == 0.0  # on the border
    assert hypervolume([], (1.0, 1.0)) == 0.0
    corners = [(1.0, 2.0, 2.0), (2.0, 1.0, 2.0), (2.0, 2.0, 1.0)]
    assert hypervolume(corners, (3.0, 3.0, 3.0)) == 4.0


def test_hypervolume_of_a_sphere():
    """A dense front on a sphere around the reference dominates nearly an eighth of the ball, and never more."""
    angles = [math.pi / 2 * (at + 0.5) / 12 for at in range(12)]
    points = [
        (1 - math.sin(a) * math.cos(b), 1 - math.sin(a) * math.sin(b), 1 - math.cos(a))
        for a, b in itertools.product(angles, angles)
    ]
    assert math.pi / 6 * 0.8 < hypervolume(points, (1.0, 1.0, 1.0)) < math.pi / 6


def test_crowding():
    assert crowding([(0.0, 4.0), (1.0, 2.0), (4.0, 0.0)]) == [math.inf, 2.0, math.inf]
    assert crowding([(1.0, 1.0)] * 3) == [math.inf, 0.0, math.inf]
    assert crowding([]) == []
