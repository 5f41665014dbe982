# ruff: noqa: E501 (tables: one row a line)
"""Networks written otherwise than a space writes them: found all the same, and given back to the letter."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import pytest

import inception_search as ins
from inception_search.canonical.catalogue import names as networks
from inception_search.errors import NotInSpaceError
from inception_search.space.holes import Params
from inception_search.spec.documents.parse import parse_network
from inception_search.spec.identity.arch_id import arch_id
from inception_search.spec.network import Network
from inception_search.spec.transform import remake
from tests.shipped import shipped_space
from tests.space.small import SMALL, C, points_of, small, space

GRAND = shipped_space("inception")
HEAD = "schema: inception-search/network\nversion: 1\nname: n\ninput: 3x16x16\n"
TEMPLATE = space(
    f"""
  stages:
    stem: [3x3 4, relu]
    a: {{$many: [1, 3], of: {{repeat: {{times: {{$int: [1, 4]}}, body: [{C}, max 3x3]}}}}}}
    b: {{$choice: {{none: absent, some: 1x1 8}}}}
  aux:
    first: {{$choice: {{none: null, one: {{after: {{$choice: [stem, a1]}}, hidden: [{{$int: [3, 4]}}]}}}}}}
    second: {{$choice: {{none: null, one: {{after: a1, weight: 0.5}}}}}}
"""
)
POINT: Params = {
    "a": 2,
    "a1.times": 3,
    "a1.0.width": 4,
    "a2.times": 1,
    "a2.0.width": 5,
    "b": "some",
    "aux.first": "none",
    "aux.second": "none",
}
AUX: Params = {"aux.first": "one", "aux.first.after": "a1", "aux.first.hidden.0": 4, "aux.second": "one"}

# What is written otherwise: the stages (and blocks, and heads) of a document of one and the same network.
WRITTEN: dict[str, str] = {
    "as the space does": "stages: {stem: [3x3 4, relu], a1: {repeat: {times: 3, body: [3x3 4, max 3x3]}}, a2: [3x3 5, max 3x3], b: 1x1 8}",
    "stages by other names": "stages: {first: [3x3 4, relu], then: {repeat: {times: 3, body: [3x3 4, max 3x3]}}, more: [3x3 5, max 3x3], last: 1x1 8}",
    "one stage": "stages: {all: [3x3 4, relu, {repeat: {times: 3, body: [3x3 4, max 3x3]}}, 3x3 5, max 3x3, 1x1 8]}",
    "a stage for each step": "stages: {a: 3x3 4, b: relu, c: {repeat: {times: 3, body: [3x3 4, max 3x3]}}, d: 3x3 5, e: max 3x3, f: 1x1 8}",
    "stages cut within groups": "stages: {a: 3x3 4, b: [relu, 3x3 4], c: [max 3x3, 3x3 4, max 3x3, 3x3 4, max 3x3, 3x3 5], d: [max 3x3, 1x1 8]}",
    "repeats written out": "stages: {stem: [3x3 4, relu], a1: [3x3 4, max 3x3, 3x3 4, max 3x3, 3x3 4, max 3x3], a2: [3x3 5, max 3x3], b: 1x1 8}",
    "part of a repeat written out": "stages: {s: [3x3 4, relu], a: [3x3 4, max 3x3, {repeat: {times: 2, body: [3x3 4, max 3x3]}}], z: [3x3 5, max 3x3, 1x1 8]}",
    "repeats that begin in the middle": "stages: {s: [3x3 4, relu, 3x3 4], a: {repeat: {times: 2, body: [max 3x3, 3x3 4]}}, z: [max 3x3, 3x3 5, max 3x3, 1x1 8]}",
    "blocks": "blocks: {m: [3x3 4, max 3x3], o: [3x3 5, max 3x3]}\nstages: {stem: [3x3 4, relu], a1: [m, m, m], a2: o, b: 1x1 8}",
    "blocks repeated": "blocks: {m: [3x3 4, max 3x3]}\nstages: {stem: [3x3 4, relu], a1: 3 x m, a2: [3x3 5, max 3x3], b: 1x1 8}",
    "blocks across groups": "blocks: {m: [max 3x3, 3x3 4]}\nstages: {s: [3x3 4, relu, 3x3 4, m, m, max 3x3, 3x3 5, max 3x3, 1x1 8]}",
    "a repeat of one": "stages: {stem: [3x3 4, relu], a1: {repeat: {times: 3, body: [3x3 4, max 3x3]}}, a2: {repeat: {times: 1, body: [3x3 5, max 3x3]}}, b: 1x1 8}",
    "a repeat inside a repeat": "stages: {stem: [3x3 4, relu], a1: {repeat: {times: 1, body: {repeat: {times: 3, body: [3x3 4, max 3x3]}}}}, a2: [3x3 5, max 3x3], b: 1x1 8}",
    "blocks inside blocks": "blocks: {i: [3x3 4, max 3x3], m: 3 x i}\nstages: {stem: [3x3 4, relu], a1: m, a2: [3x3 5, max 3x3], b: 1x1 8}",
    "a block that nothing uses": "blocks: {m: 7x7 7}\nstages: {stem: [3x3 4, relu], a1: {repeat: {times: 3, body: [3x3 4, max 3x3]}}, a2: [3x3 5, max 3x3], b: 1x1 8}",
    "a block in one place": "blocks: {all: [3x3 4, relu]}\nstages: {stem: all, a1: 3 x [3x3 4, max 3x3], a2: [3x3 5, max 3x3], b: 1x1 8}".replace("3 x [3x3 4, max 3x3]", "{repeat: {times: 3, body: [3x3 4, max 3x3]}}"),
}  # fmt: skip


def document(stages: str, more: str = "") -> Network:
    return parse_network(f"{HEAD}{stages}\n{more}")


@pytest.mark.parametrize("how", WRITTEN)
def test_a_network_written_otherwise_is_found_and_given_back(how: str) -> None:
    network = document(WRITTEN[how])
    point = TEMPLATE.encode(network)
    assert point == POINT
    assert TEMPLATE.decode(point) == network
    assert TEMPLATE.decode(POINT, network) == network
    assert arch_id(TEMPLATE.decode(dict(point))) == arch_id(network)
    assert TEMPLATE.encode(TEMPLATE.decode(point)) == point
    assert point.layout == (None if how == "as the space does" else network)


# Stages and heads of one network with two auxiliary heads, by other names.
HEADS: dict[str, str] = {
    "as the space does": WRITTEN["as the space does"] + "\naux: {first: {after: a1, hidden: [4]}, second: {after: a1, weight: 0.5}}",
    "other names": WRITTEN["as the space does"] + "\naux: {x: {after: a1, hidden: [4]}, y: {after: a1, weight: 0.5}}",
    "other stages": WRITTEN["stages by other names"] + "\naux: {second: {after: then, hidden: [4]}, first: {after: then, weight: 0.5}}",
    "repeats written out": WRITTEN["repeats written out"] + "\naux: {first: {after: a1, hidden: [4]}, second: {after: a1, weight: 0.5}}",
    "blocks": WRITTEN["blocks"] + "\naux: {x: {after: a1, hidden: [4]}, y: {after: a1, weight: 0.5}}",
}  # fmt: skip


@pytest.mark.parametrize("how", HEADS)
def test_auxiliary_heads_may_have_other_names(how: str) -> None:
    network = document(HEADS[how])
    point = TEMPLATE.encode(network)
    assert point == POINT | AUX
    assert TEMPLATE.decode(point) == network


def test_a_head_after_a_place_the_space_has_no_stage_end_at_is_outside() -> None:
    network = document(WRITTEN["a stage for each step"], "aux: {x: {after: d, hidden: [4]}}")
    with pytest.raises(NotInSpaceError, match=r"aux\.x\.after: d does not end where a stage of the template ends"):
        TEMPLATE.encode(network)


# A part that is no architecture, and what it is in some document.
DESCRIBED: list[tuple[str, Any]] = [
    ("name", "other"),
    ("source", "a paper, é\u2028 = @ and \U0001f600"),
    ("dialect", "keras"),
    ("preprocess", {"mean": [0.5, 0.5, 0.5], "resize": 300}),
    ("recipe", {"label_smoothing": 0.1}),
]


@pytest.mark.parametrize(("part", "value"), DESCRIBED, ids=[row[0] for row in DESCRIBED])
def test_what_is_no_architecture_is_kept(part: str, value: Any) -> None:
    network = remake(TEMPLATE.decode(POINT), **{part: value})
    point = TEMPLATE.encode(network)
    assert point == POINT
    assert TEMPLATE.decode(point) == network
    moved = TEMPLATE.decode({**POINT, "b": "none"}, network)
    assert getattr(moved, part) == getattr(network, part)


@pytest.mark.parametrize("label", SMALL)
def test_all_at_once(label: str) -> None:
    """Any point of a small space under another name, all of its steps in one stage."""
    of = small(label)
    for params in points_of(label):
        network = of.decode(params)
        if network.aux:
            continue
        stages = {"everything": [stage.model_dump(mode="json", by_alias=True) for stage in network.stages.values()]}
        written = network.model_dump(mode="json", by_alias=True) | {"stages": stages, "name": "other"}
        other = parse_network(json.dumps(written))
        found = of.encode(other)
        assert of.decode(found) == other
        assert arch_id(of.decode(dict(found))) == arch_id(network)


@pytest.mark.parametrize("name", networks())
def test_points_of_canonical_networks_travel(name: str) -> None:
    network = ins.load(name)
    point = GRAND.encode(network)
    for copied in (copy.copy(point), copy.deepcopy(point), pickle.loads(pickle.dumps(point))):
        assert GRAND.decode(copied) == network
    saved = json.loads(json.dumps(point))
    assert arch_id(GRAND.decode(saved)) == arch_id(network)
    assert GRAND.decode(saved, network) == network


# ------------------------------------------------------------------------------------------- other points, same layout

# A change of the point, and the stages of its network when it is written as one of those above.
MOVED: list[tuple[Params, str, str]] = [
    ({"a2.0.width": 4}, "stages by other names", "stages: {first: [3x3 4, relu], then: {repeat: {times: 3, body: [3x3 4, max 3x3]}}, more: [3x3 4, max 3x3], last: 1x1 8}"),
    ({"a2.0.width": 4}, "one stage", "stages: {all: [3x3 4, relu, {repeat: {times: 3, body: [3x3 4, max 3x3]}}, 3x3 4, max 3x3, 1x1 8]}"),
    ({"a1.0.width": 5}, "blocks", "blocks: {m: [3x3 5, max 3x3], o: [3x3 5, max 3x3]}\nstages: {stem: [3x3 4, relu], a1: [m, m, m], a2: o, b: 1x1 8}"),
    ({"a1.0.width": 5}, "blocks inside blocks", "blocks: {i: [3x3 5, max 3x3], m: 3 x i}\nstages: {stem: [3x3 4, relu], a1: m, a2: [3x3 5, max 3x3], b: 1x1 8}"),
    ({"a1.0.width": 5}, "a repeat inside a repeat", "stages: {stem: [3x3 4, relu], a1: {repeat: {times: 1, body: {repeat: {times: 3, body: [3x3 5, max 3x3]}}}}, a2: [3x3 5, max 3x3], b: 1x1 8}"),
    ({"a1.0.width": 5}, "a block that nothing uses", "blocks: {m: 7x7 7}\nstages: {stem: [3x3 4, relu], a1: {repeat: {times: 3, body: [3x3 5, max 3x3]}}, a2: [3x3 5, max 3x3], b: 1x1 8}"),
    # A step more or less: the space's own stages.
    ({"a1.times": 2}, "blocks", "stages: {stem: [3x3 4, relu], a1: {repeat: {times: 2, body: [3x3 4, max 3x3]}}, a2: [3x3 5, max 3x3], b: 1x1 8}"),
    ({"b": "none"}, "one stage", "stages: {stem: [3x3 4, relu], a1: {repeat: {times: 3, body: [3x3 4, max 3x3]}}, a2: [3x3 5, max 3x3]}"),
    # As many steps, but the block would stand for two kinds.
    ({"a1.times": 2, "a2.times": 2}, "blocks", "stages: {stem: [3x3 4, relu], a1: {repeat: {times: 2, body: [3x3 4, max 3x3]}}, a2: {repeat: {times: 2, body: [3x3 5, max 3x3]}}, b: 1x1 8}"),
    # The auxiliary heads are others than the layout has names for.
    ({"aux.second": "one"}, "blocks", WRITTEN["as the space does"] + "\naux: {second: {after: a1, weight: 0.5}}"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "layout", "stages"), MOVED, ids=[f"{row[1]}: {row[0]}" for row in MOVED])
def test_another_point_is_written_as_the_layout_where_it_can_be(change: Params, layout: str, stages: str) -> None:
    point = {**POINT, **change}
    network = TEMPLATE.decode(point, document(WRITTEN[layout]))
    assert network == document(stages)
    assert arch_id(network) == arch_id(TEMPLATE.decode(point))


@pytest.mark.parametrize("layout", [*WRITTEN, *HEADS])
def test_a_layout_never_changes_the_architecture(layout: str) -> None:
    written = document({**WRITTEN, **HEADS}[layout])
    for seed in range(30):
        point = TEMPLATE.sample(seed)
        network = TEMPLATE.decode(point, written)
        assert arch_id(network) == arch_id(TEMPLATE.decode(point))
        assert network.name == "n"


def test_a_layout_of_an_encoded_point_that_was_changed_in_place() -> None:
    point = TEMPLATE.encode(document(WRITTEN["blocks"]))
    point["a1.0.width"] = 5
    assert TEMPLATE.decode(point).blocks["m"] == TEMPLATE.decode(point).blocks["o"]


def test_entries_that_version_0_1_added_are_no_decisions() -> None:
    saved = {**POINT, "@name": "n", "@stages": "all=10"}
    for use in (TEMPLATE.decode, lambda point: next(TEMPLATE.neighbours(point))):
        with pytest.raises(NotInSpaceError, match=r"a point has decisions only.*remove the entries that begin with @"):
            use(saved)
