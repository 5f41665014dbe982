"""The paths of nodes, ``mixed_6b.branches.1.0.conv``, as places in the document."""

from __future__ import annotations

from inception_search.spec.network import Network
from inception_search.spec.source import Place
from inception_search.spec.step import AnyStep, Dag, Repeat, Use, children


def place_of(network: Network, path: str) -> Place:
    """The place in ``network`` of the smallest step that has the node of this ``path`` in it."""
    first, *rest = path.split(".")
    if first == "aux":
        place: Place = ("aux", rest[0])
        return _inside(network, network.aux[rest[0]].body, (*place, "body"), rest[2:]) if rest[1] == "body" else place
    return _inside(network, network.stages[first], ("stages", first), rest) if first in network.stages else (first,)


def _inside(network: Network, step: AnyStep, place: Place, path: list[str]) -> Place:
    if isinstance(step, Use):
        return _inside(network, network.blocks[step.name], ("blocks", step.name), path)
    if isinstance(step, Repeat):
        return _inside(network, step.body, (*place, "body"), path[1:])
    for fields, part in children(step):
        names = [str(field) for field in fields if field != "steps"]
        if path[: len(names)] == names:
            return _inside(network, part, (*place, *fields), path[len(names) :])
    joined = isinstance(step, Dag) and path
    return (*place, "nodes", int(path[1])) if joined else place
