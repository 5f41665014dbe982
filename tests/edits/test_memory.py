"""What is remembered is found again, and whether a document can be read back is told without writing it."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given

import inception_search as ins
from inception_search.edits import validity as check
from inception_search.edits.cached_certificate import _CODES, certificate
from inception_search.edits.identity_cache import interned
from inception_search.edits.mutate import mutate
from inception_search.edits.validity import of_document, surely_readable
from inception_search.spec.documents.parse import parse_network
from inception_search.spec.documents.to_yaml import text
from inception_search.spec.network import Network
from tests.edits.edit_samples import documents, net


def levels_and_nodes(node: yaml.Node) -> tuple[int, int]:
    """What our reader counts."""
    if isinstance(node, yaml.ScalarNode):
        return 1, 1
    inside = [part for pair in node.value for part in pair] if isinstance(node, yaml.MappingNode) else node.value
    found = [levels_and_nodes(part) for part in inside]
    return 1 + max((levels for levels, _ in found), default=0), 1 + sum(nodes for _, nodes in found)


def check_extent(network: Network) -> None:
    levels, nodes = levels_and_nodes(yaml.compose(text(network)))
    assert of_document(network).levels >= levels
    assert of_document(network).nodes >= nodes


@given(documents)
def test_a_document_is_not_larger_than_is_told_from_its_steps(network: Network) -> None:
    check_extent(network)


@pytest.mark.parametrize("name", ins.list_models(dialects=False))
def test_canonical_documents(name: str) -> None:
    check_extent(ins.load(name))


ROWS = [
    "3x3 8",
    "lrn",
    "{block: {skip: add, scale: 0.1, project: linear, act: relu, body: {concat: [1x1 8, 3x3 8]}}}",
    "{conv: {kernel: 3x3, width: 8, stride: [1, 2], padding: [1, 1], groups: 2, dilation: 2, act: relu}}",
    "{repeat: {times: 2, body: {concat: [1x1 8, 3x3 8]}}}",
    "{dag: {nodes: [{join: concat, inputs: [{node: 0, step: 3x3 8}, {node: 0, step: 5x5 8}], then: [3x3 8, 1x1 4]}]}}",
]


@pytest.mark.parametrize("row", ROWS)
def test_many_of_one_step(row: str) -> None:
    check_extent(net("{concat: [" + ", ".join([row] * 100) + "]}"))
    check_extent(net("[" + ", ".join([row] * 100) + "]"))


def test_a_network_that_has_grown_is_not_written_to_know(monkeypatch: pytest.MonkeyPatch) -> None:
    network = net("{concat: [" + ", ".join(["[1x1 4, 3x3 4]"] * 400) + "]}")
    monkeypatch.setattr(check, "parse_network", None)
    assert surely_readable(network)
    assert mutate(network, 0).network != network


@given(documents)
def test_equal_steps_become_one_object(network: Network) -> None:
    again = parse_network(text(network))
    one, other = interned(network), interned(again)
    assert one == network == other
    assert text(other) == text(again)
    assert [id(step) for step in one.stages.values()] == [id(step) for step in other.stages.values()]
    assert interned(one) is one


def test_networks_read_from_text_are_found_in_memory() -> None:
    children = [mutate(ins.load("inception_v4"), seed).network for seed in range(20)]
    for child in children:
        mutate(child, 0)
    for child in children:
        before = set(_CODES.known)
        certificate(interned(parse_network(text(child))))
        assert set(_CODES.known) == before  # nothing of it is coded again


def test_signs_of_zero_are_kept() -> None:
    one, other = (net(f"{{block: {{skip: add, scale: {scale}, body: 3x3 8}}}}") for scale in ("0.0", "-0.0"))
    assert text(interned(one)) != text(interned(other))
