"""Figures of graphs of ops, before and after rewriting passes."""

from __future__ import annotations

from typing import Literal

import pytest

from inception_search.figures.network.op_graph import graph_part
from inception_search.figures.network.tree import boxes
from inception_search.figures.op_figures import draw_graph, draw_rewriting
from inception_search.graph.graph import Graph
from inception_search.graph.ops import Conv
from inception_search.items import load
from inception_search.lowering import lower, lower_module
from inception_search.passes.pipeline import passes_of, run_passes
from inception_search.passes.rewrite import PassResult, Phase


def rewritten(graph: Graph, phase: Phase) -> PassResult:
    return run_passes(graph, phase, only=set(passes_of(phase)) - {"merge_kernels"})


def labels(graph: Graph) -> list[str]:
    return [" · ".join(box.lines) for box in boxes(graph_part(graph))]


def test_boxes_say_what_is_computed() -> None:
    graph = lower_module(load("inception_v3"), "mixed_7b")
    before, after = labels(graph), labels(rewritten(graph, "inference").graph)
    assert before.count("1×1 conv · 384 · norm, ReLU") == 1
    assert after.count("1×1 conv · 1152 · bias, ReLU") == 1
    assert [line for line in after if line.startswith("channels")] == [
        "channels 0–319",
        "channels 320–703",
        "channels 704–1151",
    ]
    assert (before.count("Filter concat"), after.count("Filter concat")) == (3, 1)
    assert after[0] == "Input · 1280×8×8"


@pytest.mark.parametrize("name", ["inception_v1", "inception_v4", "inception_resnet_v2", "nin_cifar10"])
@pytest.mark.parametrize("phase", ["", "training", "inference"])
def test_every_width_is_drawn_and_no_node_twice(name: str, phase: Phase | Literal[""]) -> None:
    graph = lower(load(name), aux=False)
    graph = rewritten(graph, phase).graph if phase else graph
    drawn = boxes(graph_part(graph))
    assert len({box.path for box in drawn}) == len(drawn)
    assert {box.path for box in drawn} <= {node.path for node in graph.nodes}
    words = {word.strip() for box in drawn for line in box.lines for word in line.split(",")}
    assert {str(node.op.width) for node in graph.nodes if isinstance(node.op, Conv)} <= words


def test_repeated_modules_are_one_frame() -> None:
    figure = draw_graph(lower(load("inception_v4"), aux=False), "v4")
    assert "4 × inception_a" in figure.svg
    assert "7 × inception_b" in figure.svg


def test_replaced_and_new_nodes_are_marked() -> None:
    graph = lower_module(load("inception_v4"), "inception_b")
    result = rewritten(graph, "training")
    replaced = {node.path for change in result.changes for node in change.before.nodes}
    made = {node.path for change in result.changes for node in change.after.nodes}
    figure = draw_rewriting(graph, result.graph, replaced, made, "inception_b")
    marks = {heading: [box.mark for box in boxes(part)] for heading, part in figure.panels}
    assert set(marks["before"]) == {"removed", "same"}
    assert set(marks["after"]) == {"added", "same"}
