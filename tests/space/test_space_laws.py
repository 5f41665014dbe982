"""Laws of the shipped spaces: points and networks correspond one to one, canonical networks are fixed points."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings

import inception_search as ins
from inception_search.canonical.catalogue import module
from inception_search.canonical.catalogue import names as networks
from inception_search.errors import UnknownNameError
from inception_search.estimate import estimate
from inception_search.lowering import lower
from inception_search.space.holes import Choice, Float, Integer
from inception_search.space.load_space import load_space, names
from inception_search.space.space import Space
from inception_search.spec.identity.arch_id import arch_id
from inception_search.spec.step import Block
from inception_search.spec.transform import scale_width
from inception_search.testing import check_space
from inception_search.testing.spaces import points_and_networks_correspond
from tests.bounds import bounded
from tests.generators import points
from tests.shipped import shipped_space

SHIPPED = {name: shipped_space(name) for name in names()}
SAID = [(name, label) for name, space in SHIPPED.items() for label in space.document.contains]


@pytest.mark.parametrize("name", SHIPPED)
def test_a_space_keeps_the_laws(name: str) -> None:
    check_space(SHIPPED[name], samples=8)


def test_a_space_of_networks_that_do_not_fit_their_input_breaks_a_law() -> None:
    conv = "{conv: {kernel: 7x7, width: {$int: [4, 8, 4]}, padding: valid}}"
    text = "schema: inception-search/space\nversion: 1\nname: small\nnetwork:\n  name: small\n  input: 3x8x8\n"
    with pytest.raises(
        AssertionError, match=r"small: the network of seed 0 cannot be built: .*larger than its 2x2 map"
    ):
        check_space(f"{text}  stages: {{a: {conv}, b: {conv}}}\n", samples=1)


@pytest.mark.slow
@pytest.mark.parametrize("name", SHIPPED)
def test_points_and_networks_correspond_on_thousands(name: str) -> None:
    seeds = range(10**6, 10**6 + 10_000)
    for seed in seeds:
        points_and_networks_correspond(SHIPPED[name], seed)
    if SHIPPED[name].size > 10**12:  # the space is large: hardly any point twice
        assert len({arch_id(SHIPPED[name].draw(seed)[0]) for seed in seeds}) > 9_900


@settings(max_examples=30, deadline=None)
@given(points(SHIPPED["inception_modules"]))
def test_points_can_be_lowered(params: dict[str, Any]) -> None:
    graph = lower(SHIPPED["inception_modules"].decode(params))
    assert str(graph.nodes[graph.outputs[0]].type) == "10"


# --------------------------------------------------------------------------------------------------- fixed points


@pytest.mark.parametrize(("name", "label"), SAID, ids=["-".join(row) for row in SAID])
def test_what_a_space_says_it_contains_is_a_fixed_point(name: str, label: str) -> None:
    shipped, network = SHIPPED[name], SHIPPED[name].fixed_points[label]
    assert shipped.decode(shipped.encode(network)) == network
    assert shipped.contains(network)
    assert shipped.why_not(network) is None


@pytest.mark.parametrize("name", networks())
def test_every_canonical_network_is_a_fixed_point_of_the_grand_space(name: str) -> None:
    grand, network = SHIPPED["inception"], ins.load(name)
    params = grand.encode(network)
    assert grand.decode(params) == network
    assert params.layout == network
    assert params.keys() <= grand.holes.keys()
    found = grand.decode(dict(params))
    assert found.name == "inception"
    assert arch_id(found) == arch_id(network)
    assert grand.encode(found) == params
    assert grand.encode(found).layout is None
    assert grand.decode(dict(params), network) == network


def test_the_grand_space_says_which_networks_it_contains() -> None:
    said = SHIPPED["inception"].document.contains
    assert {fixed.network for fixed in said.values()} == set(networks())
    assert len(networks()) == 9


def test_no_two_canonical_networks_are_one_point() -> None:
    points_of = [SHIPPED["inception"].encode(network) for network in SHIPPED["inception"].fixed_points.values()]
    assert all(one != other for index, one in enumerate(points_of) for other in points_of[:index])


@pytest.mark.parametrize(
    ("name", "label"), [said for said in SAID if said[0] in ("inception_modules", "separable_modules")]
)
def test_fixed_points_hold_the_canonical_module_at_its_scale(name: str, label: str) -> None:
    shipped = SHIPPED[name]
    fixed = shipped.document.contains[label]
    expected = scale_width(module(str(fixed.module)), fixed.width, fixed.multiple)
    found = shipped.fixed_points[label].blocks["module"]
    assert found == expected or (isinstance(found, Block) and found.trivial and found.body == expected)
    assert found != shipped.decode(shipped.sample(0)).blocks["module"]


@pytest.mark.parametrize("label", SHIPPED["separable_modules"].document.contains)
def test_the_separable_modules_start_from_canonical_ones_of_equal_cost(label: str) -> None:
    assert 1_200_000 < estimate(SHIPPED["separable_modules"].fixed_points[label]).macs < 1_800_000


# --------------------------------------------------------------------------------------------------- loading, holes


def test_the_size_of_the_grand_space_is_known_at_once() -> None:
    text = SHIPPED["inception"].text
    fresh = Space(text)
    with bounded():
        size = fresh.size
    assert isinstance(size, int)
    assert size > 10**300


def test_kinds_of_holes() -> None:
    holes = SHIPPED["inception_modules"].holes
    assert isinstance(holes["residual"], Choice)
    assert isinstance(holes["module.b0.width"], Integer)
    assert list(holes["module.b0.width"].domain) == list(range(4, 49, 4))
    dropout = SHIPPED["inception"].holes["head.dropout"]
    assert isinstance(dropout, Float)
    assert dropout.domain == (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)


def test_load_space_takes_a_name_a_path_and_a_text(tmp_path: Any) -> None:
    text = SHIPPED["inception_modules"].text
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    for given_as in ("inception_modules", file, str(file), text):
        assert load_space(given_as).sample(3) == SHIPPED["inception_modules"].sample(3)
    with pytest.raises(
        UnknownNameError, match=r"unknown space, got 'inception_module'.*did you mean 'inception_modules'"
    ):
        load_space("inception_module")


def test_the_same_seed_draws_the_same_point() -> None:
    shipped = SHIPPED["inception_modules"]
    assert shipped.sample(7) == shipped.sample(7) == shipped.sample(random.Random(7))
    assert shipped.sample(7) != shipped.sample(8)
    assert load_space("inception_modules").sample(7) == shipped.sample(7)
