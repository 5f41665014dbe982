# ruff: noqa: E501 (tables: one row a line)
"""The quick way from a point to its network gives what the document written out gives, lines and errors included."""

from __future__ import annotations

import pickle
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, reject, settings

from inception_search.errors import InceptionSearchError, NotInSpaceError, ShapeError, SpecError
from inception_search.lowering import lower
from inception_search.space.build import Builder, BuildError
from inception_search.space.holes import Params
from inception_search.space.space import By, Space
from inception_search.spec.documents.parse import parse_step
from inception_search.spec.network import Network
from tests.shipped import shipped_space
from tests.space.small import SMALL, every_point, points_of, small, space
from tests.space.templates import documents
from tests.space.test_space_hostile import QUICK, read

SHIPPED = {
    "inception": 4,
    "inception_modules": 30,
    "separable_modules": 15,
    "nas_bench_101": 10,
    "nas_bench_201": 10,
}  # points looked at


def by_its_document(of: Space, params: Params) -> Network:
    """The network at ``params`` by way of its document, as if the quick way had found that it breaks a rule."""
    quick = Builder.network

    def broken(*args: Any) -> Network:
        quick(*args)
        raise BuildError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Builder, "network", broken)
        return of.decode(params)


def check_ways(of: Space, params: Params) -> None:
    quick, slow = of.decode(params), by_its_document(of, params)
    assert quick == slow
    assert quick.origin.file == slow.origin.file == of.file
    assert dict(quick.origin.lines) == dict(slow.origin.lines)


@pytest.mark.parametrize("label", SMALL)
def test_both_ways_make_one_network_of_small_spaces(label: str) -> None:
    of = small(label)
    for params in points_of(label):
        check_ways(of, params)


@pytest.mark.parametrize("name", SHIPPED)
def test_both_ways_make_one_network_of_shipped_spaces(name: str) -> None:
    of = shipped_space(name)
    ways: tuple[By, ...] = ("points", "holes")
    for seed in range(SHIPPED[name]):
        check_ways(of, of.sample(seed, ways[seed % 2]))
    for network in of.fixed_points.values():
        check_ways(of, dict(of.encode(network)))


@QUICK
@given(documents())
def test_both_ways_make_one_network_of_any_space(document: dict[str, Any]) -> None:
    of = read(document)
    for seed in range(2 if of is not None else 0):
        assert of is not None
        try:
            params = of.sample(seed, by="holes")
        except InceptionSearchError:
            break
        check_ways(of, params)


# ------------------------------------------------------------------------------------------ what is remembered


def test_what_one_point_leaves_behind_does_not_change_another() -> None:
    """A space remembers what it built; a fresh one that never saw another point builds the same."""
    used, text = shipped_space("inception_modules"), shipped_space("inception_modules").text
    points = [used.sample(seed) for seed in range(30)]
    networks = [used.decode(params) for params in points]
    assert [used.decode(params) for params in reversed(points)] == networks[::-1]
    for params, network in list(zip(points, networks, strict=True))[:5]:
        assert Space(text).decode(params) == network


@pytest.mark.parametrize("name", SHIPPED)
def test_decoded_networks_can_be_pickled(name: str) -> None:
    of = shipped_space(name)
    network = of.draw(3)[0]
    copy = pickle.loads(pickle.dumps(network))
    assert copy == network
    assert copy.origin.file == network.origin.file
    assert dict(copy.origin.lines) == dict(network.origin.lines)
    assert of.encode(copy) == of.encode(network)


# ------------------------------------------------------------------------------------------ lines of errors


def test_a_point_that_breaks_a_rule_names_the_line_of_the_template() -> None:
    odd = space("  stages:\n    a:\n      conv: {kernel: 3x3, factor: split, width: {$int: [4, 5]}}\n")
    assert odd.decode({"a.width": 4}).stages["a"] == parse_step("3x3 4 split")
    with pytest.raises(SpecError, match=r"space\.yaml:8: a: split halves the width, so it must be even, got 5"):
        odd.decode({"a.width": 5})


VALID = "{conv: {kernel: {$int: [1, 31, 2]}, width: 4, padding: valid}}"
# A template, its definitions, a point whose shapes do not fit, and the line of the step where they do not.
LINES: list[tuple[str, str, Params, int]] = [
    (f"  stages:\n    a: 3x3 4\n    b:\n      {VALID}\n", "", {"b.kernel": 31}, 9),
    (f"  stages:\n    a:\n      - 3x3 4\n      - {VALID}\n", "", {"a.1.kernel": 31}, 10),
    (f"  stages:\n    a:\n      - {{$choice: {{y: 3x3 4, n: identity}}}}\n      - relu\n      - {VALID}\n", "", {"a.0": "n", "a.2.kernel": 31}, 11),
    (f"  stages:\n    a:\n      $choice:\n        x: relu\n        y:\n          - elu\n          - {VALID}\n", "", {"a": "y", "a.1.kernel": 31}, 13),
    (f"  stages:\n    a:\n      concat:\n        - {{$choice: {{n: absent, y: relu}}}}\n        - 1x1 4\n        - {VALID}\n", "", {"a.b0": "n", "a.b2.kernel": 31}, 12),
    ("  stages:\n    a:\n      - relu\n      - {$use: m}\n", f"define:\n  m:\n    - elu\n    - {VALID}\n", {"a.1.1.kernel": 31}, 7),
    (f"  blocks:\n    m:\n      - relu\n      - {VALID}\n  stages:\n    a: m\n", "", {"m.1.kernel": 31}, 10),
    (f"  stages:\n    a:\n      - relu\n      - $many: [1, 2]\n        of: {VALID}\n", "", {"a.1": 2, "a.1.0.kernel": 3, "a.1.1.kernel": 31}, 11),
    (f"  stages:\n    z: relu\n    a:\n      $many: [1, 2]\n      of:\n        - relu\n        - {VALID}\n", "", {"a": 1, "a1.1.kernel": 31}, 13),
    (f"  stages:\n    a:\n      repeat:\n        times: {{$int: [1, 2]}}\n        body: {VALID}\n", "", {"a.times": 1, "a.kernel": 31}, 8),
]  # fmt: skip


@pytest.mark.parametrize(("network", "define", "params", "line"), LINES, ids=[str(row[2]) for row in LINES])
def test_shapes_that_do_not_fit_name_the_line_of_the_template(
    network: str, define: str, params: Params, line: int
) -> None:
    of = space(network, define)
    with pytest.raises(ShapeError) as caught:
        lower(of.decode(params))
    assert (caught.value.place.file, caught.value.place.line) == ("space.yaml", line)
    with pytest.raises(ShapeError) as again:  # a copy in another process names it, too
        lower(pickle.loads(pickle.dumps(of.decode(params))))
    assert str(again.value) == str(caught.value)


# A template, a point that breaks a rule of documents, the words and the line.
RULES: list[tuple[str, Params, str, int]] = [
    ("  stages:\n    a:\n      - relu\n      - conv: {kernel: 3x3, factor: split, width: {$int: [4, 5]}}\n", {"a.1.width": 5}, "split halves the width", 10),
    ("  stages:\n    a:\n      $choice:\n        x: relu\n        y: {conv: {kernel: 3x3, width: {$int: [0, 4]}}}\n", {"a": "y", "a.width": 0}, "got 0; expected greater", 11),
    ("  stages:\n    a: relu\n    b: relu\n  aux:\n    x:\n      after: {$choice: [a, d]}\n", {"aux.x.after": "d"}, "is after unknown stage 'd'", 12),
    ("  stages:\n    a: relu\n  head:\n    dropout: {$float: [0, 1, 0.5]}\n", {"head.dropout": 1.0}, "got 1.0", 10),
    ("  stages:\n    a: relu\n  aux:\n    x: {$choice: {n: null, y: wrong}}\n", {"aux.x": "y"}, "got 'wrong'; expected fields", 10),
    ("  stages: {a: {$choice: {n: absent, y: relu}}}\n", {"a": "n"}, "a network has one stage or more", 5),
]  # fmt: skip


@pytest.mark.parametrize(("network", "params", "words", "line"), RULES, ids=[row[2] for row in RULES])
def test_points_that_break_a_rule_name_the_line_of_the_template(
    network: str, params: Params, words: str, line: int
) -> None:
    of = space(network)
    with pytest.raises(SpecError, match=words) as caught:
        of.decode(params)
    assert (caught.value.place.file, caught.value.place.line) == ("space.yaml", line)


@settings(QUICK, max_examples=20)
@given(documents())
def test_points_that_are_none_are_refused(document: dict[str, Any]) -> None:
    of = read(document)
    if of is not None and of.holes:
        with pytest.raises(NotInSpaceError, match="the point has values for holes that it does not reach"):
            of.decode({**_any_point(of), "no.such.hole": 1})


def _any_point(of: Space) -> Params:
    """A point that is a network; where sampling finds none, the first of all points that is."""
    with suppress(InceptionSearchError):
        return of.sample(0, by="holes")
    for params in every_point(of):
        with suppress(InceptionSearchError):
            of.decode(params)
            return params
    return reject()


def test_a_number_that_two_fields_share_by_name_is_known_as_what_it_is_of() -> None:
    """Searches widen what is a width, and short forms are those of the field, however a number is defined."""
    space = Space(
        """
schema: inception-search/space
version: 1
name: shared
define:
  widths: {$int: [4, 16]}
  size: {$choice: [3x3, 5x5]}
network:
  name: shared
  input: 3x32x32
  stages:
    a: {conv: {kernel: {$use: size, $name: k}, width: {$use: widths, $name: shared}}}
    b: {conv: {kernel: {$use: size, $name: k}, width: {$use: widths, $name: shared}}}
  head: {pool: avg, classes: 10}
"""
    )
    assert {name: hole.path for name, hole in space.holes.items()} == {"k": "a.kernel", "shared": "a.width"}
    built = space.decode({"k": "5x5", "shared": 8})
    assert [(built.stages[name].kernel, built.stages[name].width) for name in "ab"] == [((5, 5), 8)] * 2  # type: ignore[union-attr]
