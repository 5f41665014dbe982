# ruff: noqa: E501 (tables: one row a line)
"""Edits as values: their words, their records, what they refuse."""

from __future__ import annotations

import json
from typing import Any

import pytest

import inception_search as ins
from inception_search.edits.difference import difference
from inception_search.edits.kinds.table import edits_of
from inception_search.edits.places import spot_at
from inception_search.errors import EditError, InceptionSearchError, SpecError, UnknownNameError
from inception_search.spec.documents.parse import parse_step
from inception_search.spec.network import Network
from inception_search.spec.step import Chain, Conv, Identity
from tests.edits.edit_samples import net

# A network's document, a place, what comes there, the name; and the edit in words.
WORDS: list[tuple[str, str, str, str, str]] = [
    ("{concat: [1x1 4, [1x1 4, 5x5 8]]}", "stages.a.branches.1", "[1x1 4, 3x3 8, 3x3 8]", "factorise", "a branch 2: 5x5 8 -> 3x3 8, 3x3 8 (factorise)"),
    ("{concat: [1x1 4, [1x1 4, 5x5 8]]}", "stages.a.branches.1.0", "1x1 8", "set_width", "a branch 2 step 1: 1x1 4 -> 1x1 8 (set_width)"),
    ("{concat: [1x1 4, 3x3 8]}", "stages.a", "{concat: [1x1 4, 3x3 8, [max 3x3, 1x1 4]]}", "add_branch", "a: + branch [max 3x3, 1x1 4] (add_branch)"),
    ("{concat: [1x1 4, 3x3 8, 5x5 8]}", "stages.a", "{concat: [3x3 8, 5x5 8]}", "drop_branch", "a: - branch 1x1 4 (drop_branch)"),
    ("{concat: [1x1 4, 3x3 8]}", "stages.a", "3x3 8", "drop_branch", "a: {concat: [1x1 4, 3x3 8]} -> 3x3 8 (drop_branch)"),
    ("[1x1 4, 3x3 8]", "stages.a", "1x1 4", "drop_conv", "a: - 3x3 8 (drop_conv)"),
    ("{block: {skip: add, project: linear, body: 3x3 8}}", "stages.a", "{block: {skip: add, project: linear, scale: 0.1, body: 3x3 8}}", "set_scale", "a: scale 1.0 -> 0.1 (set_scale)"),
    ("m", "stages.a", "{block: {skip: add, project: linear, act: relu, body: m}}", "toggle_residual", "a: + block {skip: add, project: linear, act: relu} (toggle_residual)"),
    ("m", "blocks.m.branches.0", "5x5 4", "set_kernel", "block m branch 1: 1x1 4 -> 5x5 4 (set_kernel)"),
    ("[m, 4 x m]", "stages.a.1.body", "{repeat: {times: 2, body: m}}", "x", "a step 2: m -> 2 x m (x)"),
    ("{dag: {nodes: [{inputs: [{node: 0}], then: 3x3 8}]}}", "stages.a.nodes.0.then", "5x5 8", "x", "a node 1 then: 3x3 8 -> 5x5 8 (x)"),
]  # fmt: skip


@pytest.mark.parametrize(("stage", "place", "after", "name", "words"), WORDS, ids=[row[4] for row in WORDS])
def test_edits_in_words(stage: str, place: str, after: str, name: str, words: str) -> None:
    network = net(stage, blocks="{m: {concat: [1x1 4, 3x3 4]}}")
    edit = ins.Edit(name, place, spot_at(network, place).step, parse_step(after))
    assert str(edit) == words
    assert edit.inverse.apply(edit.apply(network)) == network


def test_fields_and_stages_in_words() -> None:
    network = net("stages {a: 3x3 8, m: {concat: [1x1 4, 3x3 4]}}", head="{classes: 3, dropout: 0.2}")
    words = [str(edit) for edit in edits_of(network, ["set_dropout", "set_norm", "duplicate_module", "drop_module"])]
    assert "head dropout: 0.2 -> 0.0 (set_dropout)" in words
    assert "conv_defaults norm: {kind: batch} -> none (set_norm)" in words
    assert "m_2: + stage {concat: [1x1 4, 3x3 4]} (duplicate_module)" in words
    assert "m: - stage {concat: [1x1 4, 3x3 4]} (drop_module)" in words


def everything() -> Network:
    """A network that edits of every kind can be applied to."""
    return net(
        "stages {a: [1x1 8, {concat: [1x1 8, [3x3 8, 3x3 8], 7x7 4>8 row_col, avg 3x3]}, relu, dropout 0.1], b: 3 x m, c: "
        "{block: {skip: add, project: linear, body: [m, {concat: [1x1 4, 3x3 4]}]}}, d: m}",
        blocks="{m: {concat: [1x1 4, 3x3 4]}}",
        aux="{x: {after: b, body: [avg 3x3, 1x1 8]}}",
        head="{classes: 3, dropout: 0.2}",
    )


def test_edits_survive_their_records_and_their_inverse() -> None:
    network = everything()
    names = set()
    for edit in edits_of(network):
        read = ins.Edit.from_dict(json.loads(json.dumps(edit.to_dict())))
        assert read == edit
        child = read.apply(network)
        assert read.inverse.apply(child) == network
        assert list(read.inverse.apply(child).stages) == list(network.stages)
        assert edit.inverse.inverse.apply(network) == child
        names |= {edit.name, edit.inverse.name}
    assert names >= {"set_kernel", "drop_module", "tie_use", "untie_repeat", "merge", "drop_branch", "toggle_residual"}


def test_an_edited_network_was_read_from_no_file() -> None:
    network = ins.load("inception_v4")
    edit = next(edits_of(network, ["set_width"]))
    assert network.origin.file is not None
    assert edit.apply(network).origin.file is None


CONV = Conv(kernel=(3, 3), width=8)
NETWORK = net("{concat: [1x1 4, [1x1 4, 5x5 8]]}", aux="{x: {after: a, body: 1x1 2}}")
WRONG: list[tuple[ins.Edit, type[InceptionSearchError], str]] = [
    (ins.Edit("set_width", "stages.a.branches.0", CONV, CONV), EditError, "a.branches.0: set_width was made for another value than the one here, got 1x1 4; expected 3x3 8"),
    (ins.Edit("x", "stages.b", CONV, CONV), EditError, "stages.b: no such place, got 'b'; expected one of a"),
    (ins.Edit("x", "stages.a.branches.2", CONV, CONV), EditError, "no such place, got 'branches.2'; inside this concat: branches.0, branches.1"),
    (ins.Edit("x", "stages.a.branches.0.0", CONV, CONV), EditError, "no such place, got '0'; a conv has no steps inside"),
    (ins.Edit("x", "head.width", 1, 2), EditError, "head.width: no such place, got 'width'"),
    (ins.Edit("x", "head.dropout", 0.5, 0.2), EditError, "was made for another value than the one here, got 0.0; expected 0.5"),
    (ins.Edit("x", "head.dropout", 0.0, 2.0), SpecError, "dropout: not a usable value, got 2.0; expected less than 1"),
    (ins.Edit("x", "stages.a.branches.0", Conv(kernel=(1, 1), width=4), None), EditError, "only a step can be put here"),
    (ins.Edit("x", "stages.a.branches.1.0", Conv(kernel=(1, 1), width=4), Identity()), EditError, "a chain cannot hold 'identity'"),
    (ins.Edit("x", "stages.a.branches.1.0", Conv(kernel=(1, 1), width=4), Chain(steps=(CONV, CONV))), EditError, "a chain cannot hold 'chain'"),
    (ins.Edit("x", "stages.a", None, CONV, at=0), EditError, "no stage of this name can be added here"),
    (ins.Edit("x", "stages.b", None, CONV, at=5), EditError, "no stage of this name can be added here, got 5"),
    (ins.Edit("x", "stages.b", CONV, None, at=0), EditError, "this stage cannot be removed from here"),
    (ins.Edit("x", "stages.a", NETWORK.stages["a"], None, at=0), SpecError, "a network has one stage or more"),
]  # fmt: skip


@pytest.mark.parametrize(("edit", "error", "words"), WRONG, ids=[row[2] for row in WRONG])
def test_an_edit_that_does_not_fit(edit: ins.Edit, error: type[InceptionSearchError], words: str) -> None:
    with pytest.raises(error) as caught:
        edit.apply(NETWORK)
    assert words in str(caught.value)


RECORDS: list[tuple[dict[str, Any], type[InceptionSearchError], str]] = [
    ({"name": "x", "place": "stages.a", "before": "1x1 4"}, EditError, "field 'after' of the edit is missing"),
    ({"name": "x", "plaice": "stages.a"}, UnknownNameError, "did you mean 'place'?"),
    ({"name": "x", "place": "stages.a", "before": "1x1 4", "after": {"kind": "conf"}}, SpecError, "did you mean 'conv'?"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "error", "words"), RECORDS, ids=[row[2] for row in RECORDS])
def test_a_record_that_is_no_edit(data: dict[str, Any], error: type[InceptionSearchError], words: str) -> None:
    with pytest.raises(error) as caught:
        ins.Edit.from_dict(data)
    assert words in str(caught.value)


def test_the_difference_of_two_networks_is_edits_at_their_innermost_places() -> None:
    one = net("stages {a: {concat: [1x1 4, [1x1 4, 5x5 8]]}, b: 2 x 3x3 4}", aux="{x: {after: a}}")
    other = net(
        "stages {a: {concat: [1x1 4, [1x1 4, 3x3 8]]}, b: 3 x 5x5 4}",
        aux="{x: {after: a, dropout: 0.5}}",
        conv_defaults="{act: silu}",
    )
    edits = difference(one, other)
    assert [edit.place for edit in edits] == ["conv_defaults", "aux.x.dropout", "stages.a.branches.1.1", "stages.b"]
    for edit in edits:
        one = edit.apply(one)
    assert one == other
    assert difference(one, other) == ()
    [whole] = difference(one, net("3x3 8"))
    assert whole.apply(one) == net("3x3 8")
    assert whole.inverse.apply(net("3x3 8")) == one
    assert ins.Edit.from_dict(json.loads(json.dumps(whole.to_dict()))) == whole
    assert str(whole) == "document: another (change)"
