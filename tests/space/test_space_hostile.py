"""Any template is refused in our words or is a space whose laws hold."""

from __future__ import annotations

import json
from itertools import islice, pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from inception_search.errors import InceptionSearchError, LimitError, SpecError
from inception_search.space.holes import Params
from inception_search.space.space import By, Space
from inception_search.spec.documents.parse import parse_network
from inception_search.spec.network import Network
from tests.generators import networks
from tests.space.small import every_point
from tests.space.templates import documents, mangled

CHECKS = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
QUICK = settings(max_examples=25, deadline=None, suppress_health_check=CHECKS)
LONG = settings(QUICK, max_examples=3_000)
FEW = 60  # points that are gone through one by one


def read(document: dict[str, Any]) -> Space | None:
    """The space, or None for one that is refused in our words."""
    said = ""
    try:
        return Space(json.dumps(document), "s.yaml")
    except InceptionSearchError as error:
        said = str(error)
    assert said
    assert "\n" not in said
    return None


def drawn(space: Space) -> list[tuple[Network, Params]]:
    """A few points, where there are some that keep the rules of documents."""
    ways: tuple[By, ...] = ("points", "holes") if space.size < float("inf") else ("holes",)
    try:
        return [space.draw(seed, by) for by in ways for seed in range(2)]
    except (SpecError, LimitError):
        return []


def check_space(space: Space) -> None:
    """What must be true of any space that was made."""
    assert space.size >= 1
    assert repr(space)
    if space.size <= FEW:
        assert len(list(every_point(space))) == space.size
    points = drawn(space)
    for network, params in points:
        assert space.decode(params) == network
        check_encode(space, network)
        for point in islice(space.neighbours(params), 3):
            assert space.decode(point) is not None
            assert space.distance(point, params) >= 1
    for (_, start), (goal, params) in pairwise(points):
        steps = space.path(start, params)
        assert steps[-1].network == goal if steps else start == params


def check_encode(space: Space, network: Network) -> None:
    """A network of the space is found in it; the same written in one stage, too."""
    try:
        found = space.encode(network)
    except LimitError:
        return
    assert space.decode(found) == network  # found is not always what was drawn: where one network is two points


@QUICK
@given(documents())
def test_any_template_is_a_space_or_refused(document: dict[str, Any]) -> None:
    space = read(document)
    if space is not None:
        check_space(space)


@QUICK
@given(mangled())
def test_any_mangled_template_is_a_space_or_refused(document: dict[str, Any]) -> None:
    space = read(document)
    if space is not None:
        check_space(space)


@settings(QUICK, max_examples=15)
@given(documents(), networks())
def test_any_network_is_inside_any_space_or_not(document: dict[str, Any], network: Network) -> None:
    space = read(document)
    if space is not None:
        said = space.why_not(network)
        assert said is None or "\n" not in said
        assert space.contains(network) == (said is None)


@settings(QUICK, max_examples=15)
@given(networks())
def test_any_network_is_the_point_of_a_space_without_holes(network: Network) -> None:
    """A document is a template, however it is written; in one stage it is the same architecture."""
    plain = network.model_dump(mode="json", by_alias=True, exclude={"schema_", "version"})
    space = read({"schema": "inception-search/space", "version": 1, "name": "s", "network": plain})
    assert space is not None
    assert space.size == 1
    assert space.decode({}) == network
    assert space.encode(network) == {}
    if not network.aux:
        stages = {"everything": list(plain["stages"].values())}
        other = parse_network(
            json.dumps({"schema": "inception-search/network", "version": 1, **plain, "stages": stages})
        )
        assert space.decode(space.encode(other)) == other


@pytest.mark.slow
@LONG
@given(documents())
def test_any_of_thousands_of_templates_is_a_space_or_refused(document: dict[str, Any]) -> None:
    space = read(document)
    if space is not None:
        check_space(space)


@pytest.mark.slow
@LONG
@given(mangled())
def test_any_of_thousands_of_mangled_templates_is_a_space_or_refused(document: dict[str, Any]) -> None:
    space = read(document)
    if space is not None:
        check_space(space)
