"""Text and data forms read back equal; trees are valid by construction."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from pydantic import ValidationError

from inception_search.spec.documents.parse import network_from_data, parse_network, parse_step, step_from_data
from inception_search.spec.documents.to_yaml import network_text, text
from inception_search.spec.network import Network
from inception_search.spec.step import (
    Absent,
    Act,
    AnyStep,
    Block,
    Chain,
    Concat,
    Conv,
    Dropout,
    Identity,
    Pool,
    Repeat,
    Use,
    chain,
    concat,
)
from tests.generators import branches_with_absent, networks, steps_with_uses

A = Conv(kernel=(1, 1), width=8)
B = Conv(kernel=(3, 3), width=16)


@given(steps_with_uses)
def test_a_step_reads_back_from_its_text(step: AnyStep) -> None:
    assert parse_step(text(step)) == step


@given(steps_with_uses)
def test_a_step_reads_back_from_its_stored_form(step: AnyStep) -> None:
    assert step_from_data(step.to_dict()) == step
    assert parse_step(json.dumps(step.to_dict())) == step


@given(networks())
def test_a_network_reads_back_from_every_form(network: Network) -> None:
    again = (
        parse_network(network_text(network)),
        network_from_data(network.to_dict()),
        parse_network(json.dumps(network.to_dict())),
        parse_network(json.dumps(network.to_dict(), indent=1)),
    )
    for other in again:
        assert other == network
        assert hash(other) == hash(network)
        assert list(other.stages) == list(network.stages)


@pytest.mark.parametrize(
    "text", ["\x85", "a\x85b", " \x85 x ", "\u2028", "a\u2029b", "a\nb", "\t", "\ufeff", "null", "1e3"]
)
def test_a_source_with_odd_characters_reads_back(text: str) -> None:
    network = network_from_data(
        {
            "schema": "inception-search/network",
            "version": 1,
            "name": "n",
            "input": [1, 5, 5],
            "stages": {"s": "3x3 2"},
            "source": text,
        }
    )
    assert parse_network(network_text(network)).source == text


def test_text_of_a_step_is_the_line_people_write() -> None:
    # step, its text
    table: list[tuple[AnyStep, str]] = [
        (B, "3x3 16\n"),
        (Conv(kernel=(7, 7), width=9, mid=8, factor="row_col", padding="valid"), "7x7 8>9 valid row_col\n"),
        (Pool(mode="max", stride=2, padding="valid"), "max 3x3 s2 valid\n"),
        (Repeat(times=7, body=Use(name="m")), "7 x m\n"),
        (chain(A, B), "[1x1 8, 3x3 16]\n"),
        (Act(name="relu"), "relu\n"),
    ]  # fmt: skip
    for step, expected in table:
        assert text(step) == expected


def test_networks_that_differ_only_in_stage_order_are_not_equal() -> None:
    one = Network(name="n", stages={"a": A, "b": B})
    other = Network(name="n", stages={"b": B, "a": A})
    assert one != other
    assert one == Network(name="n", stages={"a": A, "b": B})


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Chain(steps=(A,)), "write the step alone"),  # a chain of one
        (lambda: Chain(steps=(A, Chain(steps=(A, B)))), "cannot hold 'chain'"),  # a chain in a chain
        (lambda: Chain(steps=(A, Identity())), "cannot hold 'identity'"),  # an identity in a chain
        (lambda: Chain(steps=(A, Absent())), "cannot hold 'absent'"),  # nothing in a chain
        (lambda: Concat(branches=(A,)), "write the branch alone"),  # a concat of one
        (lambda: Concat(branches=(A, Absent())), "cannot hold 'absent'"),  # a branch that is not there
        (lambda: Block(body=Absent()), "cannot hold 'absent'"),  # a block of nothing
        (lambda: Repeat(times=2, body=Identity()), "cannot hold 'identity'"),  # nothing, repeated
    ],
)
def test_raw_constructors_refuse_what_the_helpers_tidy(make, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        make()


def test_helpers_tidy() -> None:
    # what is written, what it is
    table: list[tuple[AnyStep, AnyStep]] = [
        (chain(), Identity()),  # nothing in series passes on
        (chain(A), A),  # one step alone
        (chain(A, chain(B, A)), Chain(steps=(A, B, A))),  # chains are spliced
        (chain(Identity(), A, Identity()), A),  # identities go
        (concat(), Absent()),  # no branch at all
        (concat(A), A),  # one branch alone
        (concat(A, Absent(), B), Concat(branches=(A, B))),  # absent branches go
        (concat(A, Identity()), Concat(branches=(A, Identity()))),  # a shortcut branch stays
    ]
    for made, expected in table:
        assert made == expected


@given(branches_with_absent, branches_with_absent)
def test_helpers_always_make_valid_trees(first: list[AnyStep], second: list[AnyStep]) -> None:
    step = concat(concat(*first), concat(*second))
    assert step_from_data(step.to_dict()) == step


# One row per short form: document, what it means.
SHORT_FORMS: list[tuple[str, AnyStep]] = [
    ("3x3 64", Conv(kernel=(3, 3), width=64)),
    ("1x7 64", Conv(kernel=(1, 7), width=64)),
    ("3x3 64 s2", Conv(kernel=(3, 3), width=64, stride=2)),
    ("3x3 64 s2 valid", Conv(kernel=(3, 3), width=64, stride=2, padding="valid")),
    ("3x3 64 valid s2", Conv(kernel=(3, 3), width=64, stride=2, padding="valid")),  # flags in any order
    ("1x1 64 linear", Conv(kernel=(1, 1), width=64, linear=True)),
    ("7x7 128>192 row_col", Conv(kernel=(7, 7), width=192, mid=128, factor="row_col")),
    ("7x7 192 col_row", Conv(kernel=(7, 7), width=192, factor="col_row")),
    ("5x5 64 stacked", Conv(kernel=(5, 5), width=64, factor="stacked")),
    ("3x3 64 split", Conv(kernel=(3, 3), width=64, factor="split")),
    ("max 3x3", Pool(mode="max")),
    ("avg 5x5 s3 valid", Pool(mode="avg", kernel=(5, 5), stride=3, padding="valid")),
    ("l2 3x3", Pool(mode="l2")),
    ("identity", Identity()),
    ("relu", Act(name="relu")),
    ("dropout 0.4", Dropout(p=0.4)),
    ("dropout: 0.4", Dropout(p=0.4)),
    ("act: silu", Act(name="silu")),
    ("inception_a", Use(name="inception_a")),
    ("use: relu", Use(name="relu")),  # a block named like a step, in full
    ("7 x inception_a", Repeat(times=7, body=Use(name="inception_a"))),
    ("2 x 3x3 64", Repeat(times=2, body=Conv(kernel=(3, 3), width=64))),
    ("[3x3 64, relu]", Chain(steps=(Conv(kernel=(3, 3), width=64), Act()))),
    ("[[3x3 64], [relu, [[]]]]", Chain(steps=(Conv(kernel=(3, 3), width=64), Act()))),  # tidied
    ("[]", Identity()),
    ("concat: [1x1 8, 3x3 16]", Concat(branches=(A, B))),
    ("concat: [1x1 8, absent]", A),
    ("concat: [absent, absent]", Absent()),
    ("concat: {branches: [1x1 8, 3x3 16]}", Concat(branches=(A, B))),
    ("chain: [1x1 8, 3x3 16]", Chain(steps=(A, B))),
    ("repeat: {times: 2, body: [1x1 8, 3x3 16]}", Repeat(times=2, body=chain(A, B))),
    ("block: {skip: add, project: conv, body: 1x1 8}", Block(body=A, skip="add", project="conv")),
    ("block: {scale: 2, body: identity}", Block(body=Identity(), scale=2.0)),  # an integer where a number stands
    ("conv: {kernel: 3, width: 16}", B),  # one side of a square kernel
    ("conv: {kernel: [3, 3], width: 16, groups: 1}", B),  # a default written out
    ("{kind: conv, kernel: 3x3, width: 16}", B),  # the stored form
    ("conv: {kernel: 3x3, width: 16, stride: [1, 2]}", Conv(kernel=(3, 3), width=16, stride=(1, 2))),
    ("pool: {mode: avg, count_pad: true, ceil: false}", Pool(mode="avg", count_pad=True, ceil=False)),
    ("lrn: {size: 3}", parse_step("{kind: lrn, size: 3}")),
    ("identity:", Identity()),
    ("conv:\n  kernel: 3x3\n  width: 16\n", B),
]  # fmt: skip


@pytest.mark.parametrize(("document", "step"), SHORT_FORMS, ids=[row[0] for row in SHORT_FORMS])
def test_short_forms_mean(document: str, step: AnyStep) -> None:
    assert parse_step(document) == step


def test_network_short_forms_mean() -> None:
    header = "schema: inception-search/network\nversion: 1\nname: n\nstages: {a: 3x3 8}\n"
    # what is added to the document, the part of the network it sets, its value
    table = [
        ("input: 1x28x32", lambda n: n.input.shape, (1, 28, 32)),
        ("input: [1, 28, 32]", lambda n: n.input.shape, (1, 28, 32)),
        ("input: {channels: 1}", lambda n: n.input.shape, (1, 224, 224)),
        ("", lambda n: n.input.shape, (3, 224, 224)),
        ("conv_defaults: {norm: none}", lambda n: n.conv_defaults.norm, None),
        ("conv_defaults: {norm: batch}", lambda n: n.conv_defaults.norm.eps, 1e-3),
        ("conv_defaults: {norm: {eps: 1e-5}}", lambda n: n.conv_defaults.norm.eps, 1e-5),
        ("aux: {x: {after: a}}", lambda n: n.aux["x"].body, Identity()),
    ]
    for more, part, value in table:
        assert part(parse_network(header + more)) == value, more
