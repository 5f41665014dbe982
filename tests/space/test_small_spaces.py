"""Small spaces have exactly the points that trying everything finds, each with a network of its own."""

from __future__ import annotations

import math

import pytest

from tests.space.small import SMALL, brute_force, key, points_of, small


@pytest.mark.parametrize("label", SMALL)
def test_small_spaces_have_the_points_that_brute_force_finds(label: str) -> None:
    of, size = small(label), SMALL[label][2]
    everything = points_of(label)
    assert len(everything) == of.size == size
    tried = brute_force(of)
    assert tried is None or {*map(key, tried)} == {*map(key, everything)}
    networks = [of.decode(params) for params in everything]
    for network, params in zip(networks, everything, strict=True):
        assert of.encode(network) == params
    assert all(one != other for index, one in enumerate(networks) for other in networks[:index])


@pytest.mark.parametrize("label", SMALL)
def test_sampling_reaches_every_point_and_nothing_else(label: str) -> None:
    of, size = small(label), SMALL[label][2]
    everything = {key(params) for params in points_of(label)}
    draws = math.ceil(size * (math.log(size) + 7))  # by chance, one of e^7 such tests would miss a point
    assert {key(of.sample(seed, by="points")) for seed in range(draws)} == everything
    assert {key(of.sample(seed, by="holes")) for seed in range(draws)} <= everything
