# ruff: noqa: E501 (tables: one row a line)
"""Branches whose order weights can follow, wherever in the network: one id, and the same numbers with moved weights."""

from __future__ import annotations

import pytest
from matching_weights import outputs_with_matching_weights, reordered_path

from inception_search.spec.documents.parse import parse_network
from inception_search.spec.identity.arch_id import arch_id
from inception_search.spec.network import Network

HEAD = "schema: inception-search/network\nversion: 1\nname: n\ninput: {channels: 8, height: 6, width: 6}\n"


def net(steps: str, head: str = "{classes: 3}", aux: str = "{}") -> Network:
    return parse_network(HEAD + f"head: {head}\naux: {aux}\nstages: {{a: {steps}}}\n")


AB, BA = "{concat: [1x1 4, 3x3 8]}", "{concat: [3x3 8, 1x1 4]}"
A, B = "{node: 0, step: 1x1 4}", "{node: 0, step: 3x3 8}"
PROJECTED = "{node: 0, step: 1x1 12}"
DEPTHWISE = "{node: 0, step: [1x1 12, {depthwise: {kernel: 3}}, norm, relu]}"


def dag_sum(join: str, other: str, more: str = "") -> str:
    """A sum in a dag of a concat (in a node of its own) and of ``other``."""
    return f"{{dag: [{{inputs: [{A}]}}, {{inputs: [{B}]}}, {{join: concat, inputs: {join}}}, {{inputs: [3, {other}]}}{more}]}}"


# A network and the place of a concat in it whose two branches are exchanged.
FREE: dict[str, tuple[str, str, str]] = {
    "the concat is a node of the dag": (dag_sum("[1, 2]", PROJECTED), dag_sum("[2, 1]", PROJECTED), "a.nodes.2.inputs"),
    "the filters are followed by what treats each channel alike": (dag_sum("[1, 2]", DEPTHWISE), dag_sum("[2, 1]", DEPTHWISE), "a.nodes.2.inputs"),
    "nothing is added": (dag_sum("[1, 2]", "{node: 0, step: [1x1 12, zero]}"), dag_sum("[2, 1]", "{node: 0, step: [1x1 12, zero]}"), "a.nodes.2.inputs"),
    "the concat is on an edge": (
        f"{{dag: [{{inputs: [{{node: 0, step: {AB}}}, {PROJECTED}, {PROJECTED}]}}]}}",
        f"{{dag: [{{inputs: [{{node: 0, step: {BA}}}, {PROJECTED}, {PROJECTED}]}}]}}",
        "a.nodes.0.inputs.0.step.branches",
    ),
    "the sum is added to once more": (
        dag_sum("[1, 2]", PROJECTED, f", {{inputs: [4, {PROJECTED}, 3]}}"),
        dag_sum("[2, 1]", PROJECTED, f", {{inputs: [4, {PROJECTED}, 3]}}"),
        "a.nodes.2.inputs",
    ),
    "a body whose input can follow": (
        f"[1x1 12, {{block: {{skip: add, body: {AB}}}}}]",
        f"[1x1 12, {{block: {{skip: add, body: {BA}}}}}]",
        "a.1.body.branches",
    ),
    "its input comes through a block that is projected": (
        f"[1x1 12, {{block: {{skip: add, project: linear, scale: 0.5, act: relu, body: 3x3 4}}}}, {{block: {{skip: add, body: {AB}}}}}]",
        f"[1x1 12, {{block: {{skip: add, project: linear, scale: 0.5, act: relu, body: 3x3 4}}}}, {{block: {{skip: add, body: {BA}}}}}]",
        "a.2.body.branches",
    ),
    "a part of a concat that is free": (
        f"[1x1 14, {{block: {{skip: add, body: {{concat: [[{AB}, max 3x3], 1x1 2]}}}}}}]",
        f"[1x1 14, {{block: {{skip: add, body: {{concat: [[{BA}, max 3x3], 1x1 2]}}}}}}]",
        "a.1.body.branches.0.0.branches",
    ),
    "the first channels of filters that can follow": (
        f"[1x1 12, {{dag: [{{inputs: [{{node: 0, step: {AB}}}, {{node: 0, step: [1x1 16, relu, {{narrow: 12}}]}}]}}]}}]",
        f"[1x1 12, {{dag: [{{inputs: [{{node: 0, step: {BA}}}, {{node: 0, step: [1x1 16, relu, {{narrow: 12}}]}}]}}]}}]",
        "a.1.nodes.0.inputs.0.step.branches",
    ),
    "read by a depthwise convolution with a multiplier": (
        f"[1x1 12, {{block: {{skip: add, body: {AB}}}}}, {{depthwise: {{kernel: 3, multiplier: 2}}}}]",
        f"[1x1 12, {{block: {{skip: add, body: {BA}}}}}, {{depthwise: {{kernel: 3, multiplier: 2}}}}]",
        "a.1.body.branches",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FREE)
def test_exchanged_branches_are_one_architecture_and_compute_the_same(name: str) -> None:
    import torch

    written, exchanged, place = FREE[name]
    one, other = net(written), net(exchanged)
    assert one != other
    assert arch_id(one) == arch_id(other)
    assert arch_id(one).startswith("a2-")
    torch.manual_seed(0)
    image = torch.randn(2, 8, 6, 6, dtype=torch.float64)
    expected, found = outputs_with_matching_weights(one, other, reordered_path(place, [1, 0]), image)
    assert expected.abs().max() > 0.01
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-9)


GROUPED = "{conv: {kernel: 1, width: 12, groups: 2}}"
BODY = "{block: {skip: add, body: CONCAT}}"

# What fixes the order of a concat that is added to something: the steps, and more of the network.
PINNED: dict[str, tuple[str, dict[str, str]]] = {
    "the input of the network": ("{dag: [{inputs: [{node: 0, step: [CONCAT, {narrow: 8}]}, 0]}]}", {}),
    "another concat": ("{dag: [{inputs: [{node: 0, step: CONCAT}, {node: 0, step: {concat: [5x5 4, 1x1 8]}}]}]}", {}),
    "LRN made it": (f"[1x1 12, lrn, {BODY}]", {}),
    "LRN reads it": (f"[1x1 12, {BODY}, lrn]", {}),
    "LRN reads what it is added to": (f"[1x1 12, {{block: {{skip: add, body: [lrn, 1x1 12]}}}}, {BODY}]", {}),
    "a grouped convolution made it": (f"[1x1 12, {GROUPED}, {BODY}]", {}),
    "a grouped convolution reads it": (f"[1x1 12, {BODY}, {GROUPED}]", {}),
    "the first channels are kept": (f"[1x1 12, {BODY}, {{narrow: 6}}]", {}),
    "it is the first channels of what is pinned": (f"[1x1 16, lrn, {{narrow: 12}}, {BODY}]", {}),
    "each channel was repeated": (f"[1x1 6, {{depthwise: {{kernel: 3, multiplier: 2}}}}, {BODY}]", {}),
    "it is the output": (f"[1x1 12, {BODY}]", {"head": "{classifier: none, pool: avg}"}),
    "an auxiliary classifier pins it": (f"[1x1 12, {BODY}]", {"aux": "{x: {after: a, body: [lrn, 1x1 2]}}"}),
    "it is a part of a concat that is pinned": (f"[1x1 12, {{concat: [{BODY}, 1x1 2]}}, lrn]", {}),
}  # fmt: skip


@pytest.mark.parametrize("name", PINNED)
def test_an_order_that_something_fixes_is_architecture(name: str) -> None:
    steps, more = PINNED[name]
    one, other = net(steps.replace("CONCAT", AB), **more), net(steps.replace("CONCAT", BA), **more)
    assert arch_id(one) != arch_id(other)
    assert arch_id(one).startswith("a1-")
    assert arch_id(other).startswith("a1-")


def test_what_stays_apart_when_orders_are_free() -> None:
    """Other kernels, widths or summands are other architectures, as before."""
    written = {
        dag_sum("[1, 2]", PROJECTED),
        dag_sum("[1, 2]", "{node: 0, step: 3x3 12}"),
        dag_sum("[1, 2]", "{node: 0, step: [1x1 12, relu]}"),
        dag_sum("[1, 2]", PROJECTED).replace("3x3 8", "5x5 8"),
        dag_sum("[1, 2]", PROJECTED).replace("3x3 8", "3x3 4").replace("1x1 4", "1x1 8"),
        dag_sum("[1, 2]", f"{PROJECTED}, {PROJECTED}"),
        dag_sum("[1, 2]", f"{PROJECTED}, 3"),
    }
    assert len({arch_id(net(steps)) for steps in written}) == len(written) == 7


def test_ids_of_the_second_rule_are_those_it_changes() -> None:
    """Without a concat that only the second rule frees, an id is what it was: ``a1-``."""
    assert arch_id(net(f"[{AB}, 1x1 4]")) == arch_id(net(f"[{BA}, 1x1 4]"))
    assert arch_id(net(f"[{AB}, 1x1 4]")).startswith("a1-")
    assert arch_id(net("[1x1 12, {block: {skip: add, body: 3x3 12}}]")).startswith("a1-")
