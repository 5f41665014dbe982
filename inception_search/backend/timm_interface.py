"""The timm interface of compiled networks: features of stages, the head, and ``pretrained_cfg``."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from torch import fx

from inception_search.graph.graph import Graph
from inception_search.graph.ops import Conv, GlobalPool, Pool
from inception_search.graph.types import FeatureMap
from inception_search.lowering import lower
from inception_search.spec.network import Network, Preprocess
from inception_search.spec.transform import remake, set_head, set_input

AUX, CLASSIFIER = "aux", "head.classifier"


def head_module(module: fx.GraphModule, last: str, *, pre_logits: bool) -> fx.GraphModule:
    """The part of ``module`` after the node ``last``, on the same layers; ``pre_logits``: without its classifier.

    Auxiliary classifiers are not included.
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
    """The input channels of the classifier of ``network``; without one, the channels of the output."""
    graph = lower(network, aux=False)
    for node in graph.nodes:
        if node.path in (CLASSIFIER, f"{CLASSIFIER}.conv"):
            return graph.input_types(node)[0].channels
    return graph.nodes[graph.outputs[0]].type.channels


def feature_info(network: Network, shapes: dict[str, tuple[int, ...]], stages: tuple[str, ...]) -> list[dict[str, Any]]:
    """Channels, stride (input pixels per position) and name of ``stages``; ``shapes`` are their output shapes."""
    graph = lower(network, aux=False)
    strides = _strides(graph)
    ends = {node.stage: stride for node, stride in zip(graph.nodes, strides, strict=True)}
    return [{"num_chs": shapes[stage][0], "reduction": ends[stage], "module": stage} for stage in stages]


def _strides(graph: Graph) -> list[int]:
    """The total stride of each node: the input rows between two rows of its feature map."""
    found: list[int] = []
    for node in graph.nodes:
        own = node.op.stride[0] if isinstance(node.op, Conv | Pool) else 1
        found.append(own * max((found[i] for i in node.inputs), default=1))
    return found


def pretrained_cfg(network: Network) -> dict[str, Any]:
    """``architecture``, ``input_size`` (C, H, W), ``num_classes``, ``first_conv``, ``classifier``, ``pool_size`` ...

    ``mean`` and ``std`` are for pixels from 0 to 1. ``crop_pct`` and ``crop_mode`` describe how an image gets
    ``input_size``: a centre crop, or ``squash`` (the whole image is resized). ``input_space`` is ``RGB`` or ``BGR``;
    timm itself uses only RGB. Without ``preprocess`` in the document, these entries are missing.
    """
    graph = lower(network, aux=False)
    facts: dict[str, Any] = {
        "architecture": network.name.partition("@")[0],
        "tag": network.dialect,
        "num_classes": 0 if network.head.classifier == "none" else network.head.classes,
        "input_size": tuple(network.input.shape),
        "first_conv": next(
            (node.path for node in graph.nodes if node.inputs == (0,) and isinstance(node.op, Conv)), None
        ),
        "classifier": None if network.head.classifier == "none" else CLASSIFIER,
    }
    pooled = next((graph.input_types(node)[0] for node in graph.nodes if isinstance(node.op, GlobalPool)), None)
    if isinstance(pooled, FeatureMap):
        facts["pool_size"] = (pooled.height, pooled.width)
    preprocess = network.preprocess
    return facts if preprocess is None else facts | _image_facts(preprocess, network)


def _image_facts(facts: Preprocess, network: Network) -> dict[str, Any]:
    return {
        "mean": tuple(value / facts.scale for value in facts.mean),
        "std": tuple(value / facts.scale for value in facts.std),
        "interpolation": facts.interpolation,
        "input_space": facts.order.upper(),
        **_crop(facts.resize, min(network.input.height, network.input.width)),
    }


def _crop(resize: int | None, side: int) -> dict[str, Any]:
    """timm divides by ``crop_pct`` and rounds down; half a pixel more makes the result exactly ``resize``."""
    if resize is None:
        return {"crop_pct": 1.0, "crop_mode": "squash"}
    return {"crop_pct": side / (resize + 0.5), "crop_mode": "center"}


def check_size(network: Network, stages: Collection[str], height: int, width: int) -> None:
    """Raise ShapeError, with the smallest size, if images are too small for ``stages`` and those before them."""
    names = list(network.stages)
    last = max((names.index(stage) for stage in stages), default=-1)
    kept = {name: network.stages[name] for name in names[: last + 1]}
    if kept:
        maps = remake(set_head(network, 0, "none"), aux={}, stages=kept)
        lower(set_input(maps, height=height, width=width))
