"""The data of a page as plain JSON: the drawing tree, the facts of every path, the text of every step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from inception_search.figures.annotations import Facts, facts_of_network, shape_text
from inception_search.figures.draw import Look, module_part, step_facts
from inception_search.figures.network.tree import Box, Column, Fork, Group, Mesh, Part, Residual, Tap
from inception_search.figures.page.stacked import stacked
from inception_search.figures.page.tree import FoldableModules, FoldableNetwork
from inception_search.graph.graph import Graph
from inception_search.graph.types import FLOAT_BYTES
from inception_search.lowering import lower
from inception_search.spec.documents.to_yaml import text
from inception_search.spec.network import Network
from inception_search.spec.step import AnyStep, Repeat, Use

Json: TypeAlias = Any
Seconds: TypeAlias = Mapping[str, float]  # measured time of every op by its path


def network_data(network: Network, seconds: Seconds | None = None) -> dict[str, Json]:
    """The data of a whole network."""
    facts = facts_of_network(network)
    tree = FoldableNetwork(network, facts)
    part = tree.part()
    return _data(network.name, part, tree.modules, facts, lower(network, aux=True), seconds)


def module_data(step: AnyStep, name: str, network: Network, seconds: Seconds | None = None) -> dict[str, Json]:
    """The data of a module of ``network``."""
    path, facts = step_facts(step, network, None)
    tree = FoldableModules(network, facts)
    part = module_part(step, path, network, facts, Look(), tree)
    graph = lower(network, aux=True) if facts else None
    return _data(name, part, tree, facts, graph, seconds)


def _data(
    name: str, part: Part, tree: FoldableModules, facts: Facts | None, graph: Graph | None, seconds: Seconds | None
) -> dict[str, Json]:
    steps, blocks = tree.steps, tree.blocks
    texts: dict[str, int] = {}
    text_of = {path: texts.setdefault(_step_text(step, blocks), len(texts)) for path, step in steps.items()}
    shown = _paths(part)
    sums = _sums(graph, seconds) if graph else {}
    places = {path: _facts(path, facts, sums) for path in sorted(shown) if facts and facts.get(path)}
    totals = [
        sum(values) for values in zip(*(sums[path] for path in sums if "." not in path and path != "aux"), strict=True)
    ]
    return {
        "name": name,
        "tree": stacked(part),
        "facts": places,
        "steps": {path: index for path, index in text_of.items() if path in shown or _leads(path, shown)},
        "texts": list(texts),
        "timed": seconds is not None,
        "totals": totals[:4],
    }


def _step_text(step: AnyStep, blocks: Mapping[str, AnyStep]) -> str:
    """The step as YAML, followed by the block that it names, if any."""
    named = step.body if isinstance(step, Repeat) else step
    words = text(step).strip()
    return f"{words}\n\n# {named.name}\n{text(blocks[named.name]).strip()}" if isinstance(named, Use) else words


def _leads(path: str, shown: set[str]) -> bool:
    """Whether ``path`` is the step that a shown part belongs to, as with a factor of a convolution."""
    return any(place.startswith(path + ".") and place.count(".") == path.count(".") + 1 for place in shown)


def _paths(part: Part) -> set[str]:
    if isinstance(part, Box):
        return {part.path} if part.path else set()
    if isinstance(part, Column | Mesh):
        return {path for inner in part.parts for path in _paths(inner)}
    if isinstance(part, Fork):
        join = _paths(part.join) if part.join else set()
        return join | {path for inner in part.branches for path in _paths(inner)}
    if isinstance(part, Residual):
        return _paths(part.body) | {part.path}
    if isinstance(part, Group):
        return _paths(part.body) | ({part.folded.path} if part.folded else set())
    return _paths(part.side) if isinstance(part, Tap) else set()


def _sums(graph: Graph, seconds: Seconds | None) -> dict[str, list[float]]:
    """Parameters, MACs, activation bytes and seconds of every path, summed over its contents."""
    sums: dict[str, list[float]] = {}
    for node in graph.nodes:
        cost = node.op.cost(graph.input_types(node), node.type)
        took = seconds.get(node.path, 0.0) if seconds else 0.0
        values = (cost.params, cost.macs, node.type.numel * FLOAT_BYTES, took)
        path = node.path
        while path:
            held = sums.setdefault(path, [0, 0, 0, 0.0])
            for index, value in enumerate(values):
                held[index] += value
            path = path.rpartition(".")[0]
    return sums


def _facts(path: str, facts: Facts, sums: Mapping[str, list[float]]) -> list[Json]:
    """Output shape, input shape, parameters, MACs, activation bytes, microseconds."""
    fact, read = facts.get(path), facts.read_by(path)
    assert fact is not None
    size, took = sums[path][2:4]
    return [fact.shape, shape_text(read) if read else "", fact.params, fact.macs, size, round(took * 1e6, 1)]
