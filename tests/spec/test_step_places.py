"""A node's path leads to the smallest step of the document that has the node in it."""

from __future__ import annotations

import pytest

import inception_search as ins
from inception_search.spec.source_map import KeyPath
from inception_search.spec.step_places import place_of

DOCUMENT = """
schema: inception-search/network
version: 1
name: x
input: 4x12x15
blocks:
  b: {block: {skip: add, project: linear, body: [1x1 2, 3x3 4]}}
stages:
  a: [3x3 4, {concat: [1x1 4, [max 3x3, 5x5 6 row_col]]}]
  c: {repeat: {times: 3, body: b}}
  d:
    dag:
      nodes:
        - {inputs: [{node: 0, step: 3x3 4}, {node: 0, step: 1x1 4}], then: relu}
        - {join: concat, inputs: [0, 1]}
head: {classes: 3, hidden: [7]}
aux: {e: {after: a, body: [3x3 5, 1x1 2]}}
"""
PLACES: dict[str, KeyPath] = {
    "input": ("input",),
    "a.0.conv": ("stages", "a", "steps", 0),
    "a.1.concat": ("stages", "a", "steps", 1),
    "a.1.branches.1.0": ("stages", "a", "steps", 1, "branches", 1, "steps", 0),
    "a.1.branches.1.1.col.norm": ("stages", "a", "steps", 1, "branches", 1, "steps", 1),
    "c.2.body.1.act": ("blocks", "b", "body", "steps", 1),
    "c.0.project.conv": ("blocks", "b"),
    "c.1.add": ("blocks", "b"),
    "d.nodes.0.inputs.1.step.conv": ("stages", "d", "nodes", 0, "inputs", 1, "step"),
    "d.nodes.0.add": ("stages", "d", "nodes", 0),
    "d.nodes.0.then": ("stages", "d", "nodes", 0, "then"),
    "d.nodes.1.concat": ("stages", "d", "nodes", 1),
    "head.hidden.0.linear": ("head",),
    "aux.e.body.1.conv": ("aux", "e", "body", "steps", 1),
    "aux.e.classifier": ("aux", "e"),
}


@pytest.mark.parametrize("path", PLACES)
def test_the_place_of_a_node(path: str) -> None:
    net = ins.load(DOCUMENT)
    assert path in {node.path for node in ins.lower(net).nodes}
    assert place_of(net, path) == PLACES[path]
