"""The suite of spaces: points and networks correspond one to one, and every network can be built."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from inception_search.errors import InceptionSearchError
from inception_search.lowering import lower
from inception_search.space.load_space import load_space
from inception_search.space.space import Space
from inception_search.spec.identity.arch_id import arch_id
from inception_search.testing.expect import equal, true

Law: TypeAlias = Callable[[Space, int], None]


def points_and_networks_correspond(space: Space, seed: int) -> None:
    """``encode`` and ``decode`` are inverse to each other, for points from both ways of sampling."""
    for by in ("points", "holes"):
        network, params = space.draw(seed, by)
        point = space.encode(network)
        equal(f"{space.name}: the point of the network of seed {seed}", point, params)
        true(point.layout is None, f"{space.name}: the network of seed {seed} is not encoded in the space's own form")
        equal(f"{space.name}: the network of the point of seed {seed}", space.decode(params), network)


def networks_can_be_built(space: Space, seed: int) -> None:
    """The shapes of a sampled network fit."""
    try:
        lower(space.draw(seed)[0])
    except InceptionSearchError as error:
        raise AssertionError(f"{space.name}: the network of seed {seed} cannot be built: {error}") from error


def neighbours_are_points(space: Space, seed: int) -> None:
    """A neighbour of a point is a different point of the space."""
    params = space.sample(seed)
    if space.size == 1:
        return
    other = space.neighbour(params, seed)
    true(other != params, f"{space.name}: a point of seed {seed} is its own neighbour")
    true(space.contains(space.decode(other)), f"{space.name}: a neighbour of the point of seed {seed} is outside")


def what_it_says_it_contains_are_points(space: Space, seed: int) -> None:
    """Every entry of ``contains`` is a point of the space, which decodes to the same network."""
    for label, network in space.fixed_points.items():
        equal(f"{space.name}: why {label} is no point", space.why_not(network), None)
        point = space.encode(network)
        true(space.decode(point) == network, f"{space.name}: {label} comes back as another network")
        plain = space.decode(dict(point))
        equal(f"{space.name}: the architecture of {label} without its layout", arch_id(plain), arch_id(network))


SPACE_LAWS: tuple[Law, ...] = (
    points_and_networks_correspond,
    networks_can_be_built,
    neighbours_are_points,
)


def check_space(space: Space | str | Path, samples: int = 20) -> None:
    """Check a space on points drawn from it.

    Args:
        space: a space, or an argument of ``load_space``: a name, YAML text or file path.
        samples: the number of sampled points.

    Raises:
        AssertionError: the space breaks a rule; the message names it.
        InceptionSearchError: the space cannot be read.

    >>> check_space("inception_modules", samples=2)
    """
    found = space if isinstance(space, Space) else load_space(space)
    what_it_says_it_contains_are_points(found, 0)
    for seed in range(samples):
        for law in SPACE_LAWS:
            law(found, seed)
