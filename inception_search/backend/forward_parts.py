"""The parts of a compiled network as timm's models have them: the stages, and the head on their last maps."""

from __future__ import annotations

from typing import Any

from torch import fx

from inception_search.graph.graph import Graph
from inception_search.graph.ops import Conv, Pool
from inception_search.lowering import lower
from inception_search.spec.network import Network

AUX, CLASSIFIER = "aux", "head.classifier"


def head_module(module: fx.GraphModule, last: str, *, pre_logits: bool) -> fx.GraphModule:
    """The part of ``module`` after the node ``last``, on the same layers; ``pre_logits``: without its classifier.

    Auxiliary classifiers are no part of it.
    """
    graph = fx.Graph()
    copies: dict[fx.Node, fx.Node] = {}
    for node in module.graph.nodes:
        if node.name == last:
            copies[node] = graph.placeholder("x")
        elif node.op == "output" or (node.op == "call_module" and node.target == AUX):
            graph.output(copies[node.args[0]])
            break
        elif copies:
            skipped = pre_logits and str(node.target).startswith(CLASSIFIER)
            copies[node] = copies[node.args[0]] if skipped else graph.node_copy(node, lambda old: copies[old])
    return fx.GraphModule(module, graph, class_name="Head")


def features_read(network: Network) -> int:
    """The channels that the classifier of ``network`` reads; without one, those of the output."""
    graph = lower(network, aux=False)
    for node in graph.nodes:
        if node.path in (CLASSIFIER, f"{CLASSIFIER}.conv"):
            return graph.input_types(node)[0].channels
    return graph.nodes[graph.outputs[0]].type.channels


def feature_info(network: Network, shapes: dict[str, tuple[int, ...]], stages: tuple[str, ...]) -> list[dict[str, Any]]:
    """Channels, stride (input pixels a position) and name of ``stages``, whose maps have ``shapes``."""
    graph = lower(network, aux=False)
    strides = _strides(graph)
    ends = {node.stage: stride for node, stride in zip(graph.nodes, strides, strict=True)}
    return [{"num_chs": shapes[stage][0], "reduction": ends[stage], "module": stage} for stage in stages]


def _strides(graph: Graph) -> list[int]:
    """For each node, how many rows of the input lie between two rows of its map."""
    found: list[int] = []
    for node in graph.nodes:
        own = node.op.stride[0] if isinstance(node.op, Conv | Pool) else 1
        found.append(own * max((found[i] for i in node.inputs), default=1))
    return found
