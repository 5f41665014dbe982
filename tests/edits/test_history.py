# ruff: noqa: E501 (tables: one row a line)
"""The way from one network to another: every step valid and costed, the story in words."""

from __future__ import annotations

import itertools
import json
from functools import cache
from typing import Any

import pytest

import inception_search as ins
from inception_search.canonical.catalogue import load
from inception_search.edits.edit_path import Move, path
from inception_search.edits.summary import changes
from inception_search.errors import ArgumentError, NotInSpaceError, UnknownNameError
from inception_search.estimate import estimate
from inception_search.lowering import lower
from inception_search.space.space import Space
from inception_search.spec.documents.parse import parse_step
from inception_search.spec.identity.arch_id import arch_id
from inception_search.spec.network import Network
from inception_search.spec.transform import remake
from tests.shipped import shipped_space

CANONICAL = ("nin_cifar10", "nin_imagenet", "inception_v1", "bn_inception", "inception_v2", "inception_v3",
             "inception_v4", "inception_resnet_v1", "inception_resnet_v2")  # fmt: skip
SPACE = shipped_space("inception")
between = cache(path)  # some tests look at the same way


def check(moves: tuple[Move, ...], start: Network, goal: Network) -> None:
    assert arch_id(moves[0].network) == arch_id(start)
    assert moves[-1].network == goal
    for move in moves:
        assert move.cost == lower(move.network).cost()
        assert SPACE.contains(move.network)
        assert arch_id(SPACE.decode(move.point)) == arch_id(move.network)
        assert move.part is None or move.part in move.network.stages or move is moves[-1]
    ids = [arch_id(move.network) for move in moves]
    assert len(set(ids)) == len(ids), "an edit that changes nothing"


PAIRS = [("inception_v1", "inception_v4"), ("inception_v4", "inception_resnet_v2"), ("nin_imagenet", "inception_v1"),
         ("nin_cifar10", "inception_resnet_v1")]  # fmt: skip


@pytest.mark.parametrize(("start", "goal"), PAIRS)
def test_every_step_is_a_valid_costed_point_of_the_space(start: str, goal: str) -> None:
    check(between(start, goal), load(start), load(goal))


@pytest.mark.slow
@pytest.mark.parametrize(("start", "goal"), [*itertools.permutations(CANONICAL, 2)])
def test_every_canonical_network_leads_to_every_other(start: str, goal: str) -> None:
    check(path(start, goal, SPACE), load(start), load(goal))


def test_the_story_of_four_papers() -> None:
    """Batch norm, factorised kernels, strided reductions, another stem, more and wider modules."""
    words = [" ".join((move.title, *move.more)) for move in between("inception_v1", "inception_v4")]
    assert words[1].startswith("add batch norm")
    order = ["add batch norm", "9 fewer 5x5", "average pooling in 9", "strided convolutions", "another stem: 7x7",
             "images of 299x299", "14 Inception modules (were 9)", "widen"]  # fmt: skip
    found = [next(i for i, text in enumerate(words) if part in text) for part in order]
    assert found == sorted(found)
    residual = [move.title for move in between("inception_v4", "inception_resnet_v2")]
    assert any(title.startswith("add residual sums") for title in residual)


def test_a_step_says_everything_that_it_changes() -> None:
    """Whatever two networks on the way differ in outside their stages is in the words of the step between them."""
    moves = between("inception_v1", "inception_v3")
    (last,) = [move for move in moves if "dropout" in move.words]
    for said in (
        "dropout 0 (was 0.4)",
        "average pooling counts padding",
        "auxiliary classifier aux2 after stage b3 (was b4)",
    ):
        assert said in last.words
        assert said in str(last)
    for before, after in itertools.pairwise(moves[1:-1]):
        old, new = before.network, after.network
        assert (old.pool_defaults.count_pad != new.pool_defaults.count_pad) == ("pooling counts padding" in after.words)
        assert (old.pool_defaults.ceil != new.pool_defaults.ceil) == ("round" in after.words)
        assert (old.aux != new.aux) == ("auxiliary" in after.words)


def test_a_network_leads_to_itself_without_edits() -> None:
    (only,) = path("inception_v3", "inception_v3")
    assert (only.title, only.decisions, only.cost) == ("inception_v3", {}, estimate(load("inception_v3")))


def test_networks_outside_are_named_with_the_place() -> None:
    odd = remake(load("inception_v1"), stages={**load("inception_v1").stages, "conv1": parse_step("9x9 64 s2")})
    with pytest.raises(NotInSpaceError, match=r"inception_v1 is not in space 'inception'.*conv1.*9x9.*contains both"):
        path("inception_v3", odd)
    with pytest.raises(NotInSpaceError, match="nin_cifar10 is not in space 'inception_resnet'"):
        path("nin_cifar10", "inception_resnet_v1", "inception_resnet")
    with pytest.raises(UnknownNameError, match="did you mean 'inception_v4'"):
        path("inception_v3", "inception_v5")


def test_moves_are_plain_json() -> None:
    moves = path("inception_v1", "bn_inception")
    told: list[dict[str, Any]] = json.loads(json.dumps([move.to_dict() for move in moves]))
    assert [entry["arch_id"] for entry in told] == [arch_id(move.network) for move in moves]
    assert told[-1]["cost"]["params"] == 11_295_240
    assert str(moves[-1]).endswith("(11,295,240 parameters, 2,035,110,912 MACs)") or "parameters" in str(moves[-1])


def test_a_space_without_phases_has_paths_too() -> None:
    space = shipped_space("inception_modules")
    moves = path(space.fixed_points["v1_3a"], space.fixed_points["v4_b"], space)
    assert arch_id(moves[-1].network) == arch_id(space.fixed_points["v4_b"])
    assert 1 < len(moves) <= 1 + space.distance(moves[0].point, moves[-1].point)


TWO = """\
schema: inception-search/space
version: 1
name: two
network:
  name: two
  input: 3x8x8
  stages: {a: {conv: {kernel: 3x3, width: {$int: [4, 8, 4]}}}, b: {$choice: {small: max 2x2 s2 valid, none: absent}}}
"""


def test_what_no_trait_tells_of_is_told_by_its_decisions() -> None:
    space = Space(TWO)
    moves = path(space.decode({"a.width": 4, "b": "none"}), space.decode({"a.width": 8, "b": "small"}), space)
    assert [move.title for move in moves[1:]] == ["details: b = small", "widen (1 width)"]


BASE = "schema: inception-search/network\nversion: 1\nname: n\ninput: 3x16x16\n"
# The network before and after (lines after the header), and what is said.
SAID: list[tuple[str, str, list[str]]] = [
    ("stages: {a: 3x3 4}", "stages: {a: 3x3 8}", []),
    ("conv_defaults: {norm: none, bias: true}\nstages: {a: 3x3 4}", "stages: {a: 3x3 4}", ["add batch norm", "drop biases of convolutions"]),
    ("stages: {a: 3x3 4, b: 5x5 8}", "stages: {a: 3x3 4, b: [3x3 8, 3x3 8]}", ["factorise: 1 fewer 5x5, 2 more 3x3"]),
    ("stages: {a: 3x3 4, b: 7x7 8}", "stages: {a: 3x3 4, b: 7x7 8 row_col}", ["factorise: 1 fewer 7x7, 1 more 7x7 row_col"]),
    ("stages: {a: 3x3 4, b: 3x3 4}", "stages: {a: 3x3 4, b: {block: {skip: add, body: 3x3 4}}}", ["add residual sums around 1 module"]),
    ("stages: {a: 3x3 4, b: {block: {skip: add, body: 3x3 4}}}", "stages: {a: 3x3 4, b: 3x3 4}", ["drop the residual sums"]),
    ("stages: {a: 3x3 4, b: {concat: [1x1 4, 3x3 4]}}", "stages: {a: 3x3 4, b: 2 x {concat: [1x1 4, 3x3 4]}}".replace("2 x {concat: [1x1 4, 3x3 4]}", "{repeat: {times: 2, body: {concat: [1x1 4, 3x3 4]}}}"), ["2 Inception modules (was 1)", "1 more 3x3", "2 1x1 convolutions (was 1)"]),
    ("stages: {a: 3x3 4}\nhead: {dropout: 0.5}", "stages: {a: 3x3 4}\nhead: {dropout: 0.2}", ["dropout 0.2 (was 0.5)"]),
    ("stages: {a: [3x3 4, lrn]}", "stages: {a: 3x3 4}", ["drop local response normalisation"]),
    ("stages: {a: 3x3 4, b: max 3x3}", "stages: {a: 3x3 4, b: avg 3x3}", ["average pooling in 1 module (was 0)"]),
    ("stages: {a: 3x3 4}", "stages: {a: 3x3 4}\naux: {x: {after: a}}", ["1 auxiliary classifier (were 0)"]),
    ("stages: {a: 3x3 4}", "stages: {a: 3x3 4}\npool_defaults: {count_pad: true}", ["average pooling counts padding"]),
    ("stages: {a: 3x3 4}\npool_defaults: {ceil: true}", "stages: {a: 3x3 4}", ["pools do not round sizes up"]),
    ("stages: {a: 3x3 4}", "stages: {a: 3x3 4}\nsame_padding: tf", ["tf padding (was symmetric)"]),
    ("stages: {a: 3x3 4}", "stages: {a: 3x3 4}\nconv_defaults: {norm: {eps: 0.01}}", ["batch norm with eps 0.01 (was 0.001)"]),
    ("stages: {a: 3x3 4}", "stages: {a: 3x3 4}\nhead: {pool: max}", ["global pooling max (was avg)"]),
    ("stages: {a: 3x3 4}", "stages: {a: 3x3 4}\nhead: {hidden: [8, 9]}", ["hidden layers 8, 9 (were none)"]),
    ("stages: {a: 3x3 4}", "stages: {a: 3x3 4}\nhead: {embedding: {width: 8}}", ["an embedding of 8"]),
    ("stages: {a: 3x3 4, b: 3x3 4}\naux: {x: {after: a}}", "stages: {a: 3x3 4, b: 3x3 4}\naux: {x: {after: b, hidden: [4]}}", ["auxiliary classifier x after stage b (was a), other layers or weight in auxiliary classifier x"]),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after", "words"), SAID, ids=[row[2][0] if row[2] else "widths" for row in SAID])
def test_what_is_said_of_a_change(before: str, after: str, words: list[str]) -> None:
    networks = [load_text(BASE + text + "\n") for text in (before, after)]
    assert changes(*networks) == words


def load_text(text: str) -> Network:
    from inception_search.spec.documents.parse import parse_network

    return parse_network(text)


def test_a_path_may_pass_other_networks() -> None:
    moves = path("inception_v1", "inception_v4", via=["bn_inception", "inception_v3"])
    names = [move.network.name for move in moves if move.network.name != "inception"]
    assert names == ["inception_v1", "bn_inception", "inception_v3", "inception_v4"]
    assert "factorise: 9 fewer 5x5, 18 more 3x3" in [move.title for move in moves]
    legs = [("inception_v1", "bn_inception"), ("bn_inception", "inception_v3"), ("inception_v3", "inception_v4")]
    assert len(moves) == 1 + sum(len(between(*leg)) - 1 for leg in legs)


@pytest.mark.parametrize("wrong", [5, None, {}, ["inception_v1"]])
def test_what_is_no_network_is_refused(wrong: Any) -> None:
    with pytest.raises(ArgumentError, match="expected a network"):
        ins.edit_path(wrong, "inception_v3")
