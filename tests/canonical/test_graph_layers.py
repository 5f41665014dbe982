"""The layers of a graph that hold weights."""

from __future__ import annotations

from inception_search.canonical.catalogue import load
from inception_search.graph.layers import Layer, layers
from inception_search.lowering import lower
from inception_search.spec.documents.parse import parse_network

SMALL = """\
schema: inception-search/network
version: 1
name: small
input: 4x8x8
stages:
  conv: 3x3 8
  grouped: {kind: conv, kernel: 1x1, width: 8, groups: 4}
  depthwise: {kind: conv, kernel: 3x3, width: 16, groups: 8}
  residual: {block: {skip: add, project: linear, body: 1x3 4}}
head: {classes: 3}
"""


def test_a_layer_has_its_place_its_keys_and_its_shape() -> None:
    assert layers(lower(parse_network(SMALL))) == (
        Layer("conv", "conv.conv", "conv.norm", False, True, "conv", (8, 4, 3, 3)),
        Layer("grouped", "grouped.conv", "grouped.norm", False, True, "conv", (8, 2, 1, 1)),
        Layer("depthwise", "depthwise.conv", "depthwise.norm", False, True, "depthwise", (16, 1, 3, 3)),
        Layer("residual.body", "residual.body.conv", "residual.body.norm", False, True, "conv", (4, 16, 1, 3)),
        Layer("residual.project", "residual.project.conv", None, True, False, "conv", (16, 4, 1, 1)),
        Layer("head.classifier", "head.classifier", None, True, False, "linear", (3, 16)),
    )


def test_layers_of_auxiliary_heads_are_in_the_order_of_the_document() -> None:
    paths = [layer.path for layer in layers(lower(load("inception_v1")))]
    assert paths[-4:] == ["aux.aux1.classifier", "aux.aux2.body.1", "aux.aux2.hidden.0", "aux.aux2.classifier"]
    assert len(paths) == 57 + 1 + 6
