"""Places of steps in a network: the path of a step, the step before it, and the document place of a node's path."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from inception_search.spec.network import Network
from inception_search.spec.source_map import KeyPath
from inception_search.spec.step import AnyStep, Chain, Dag, Repeat, Use, children


@lru_cache(maxsize=64)
def first_place(network: Network, wanted: AnyStep) -> str | None:
    """The path of the first occurrence of ``wanted`` in ``network``, or None."""
    for name, step in network.stages.items():
        found = _find(step, wanted, name, network.blocks)
        if found is not None:
            return found
    return None


def step_before(network: Network, wanted: AnyStep) -> AnyStep | None:
    """The step whose output ``wanted`` reads; None if that is the image, or differs between its occurrences.

    Chains, repeats and uses of blocks are searched inside, so the result is never one of those.
    """
    found: list[AnyStep | None] = []
    last: AnyStep | None = None
    for step in network.stages.values():
        last = _note_before(step, wanted, last, network.blocks, found)
    return found[0] if found and all(step == found[0] for step in found) else None


def place_of(network: Network, path: str) -> KeyPath:
    """The document place of the smallest step with the node ``path``, such as ``mixed_6b.branches.1.0.conv``."""
    first, *rest = path.split(".")
    if first == "aux":
        place: KeyPath = ("aux", rest[0])
        return _inside(network, network.aux[rest[0]].body, (*place, "body"), rest[2:]) if rest[1] == "body" else place
    return _inside(network, network.stages[first], ("stages", first), rest) if first in network.stages else (first,)


def _note_before(
    step: AnyStep, wanted: AnyStep, last: AnyStep | None, blocks: Mapping[str, AnyStep], found: list[AnyStep | None]
) -> AnyStep | None:
    """Add the step read by each ``wanted`` in ``step`` to ``found``; return the step that is read after ``step``.

    ``last`` is the step whose output ``step`` reads.
    """
    if step == wanted:
        found.append(last)
    if isinstance(step, Use):
        return _note_before(blocks[step.name], wanted, last, blocks, found)
    if isinstance(step, Repeat):
        for _ in range(min(step.times, 2)):  # all copies after the first read the same step
            last = _note_before(step.body, wanted, last, blocks, found)
        return last
    inside = last
    for _, part in children(step):
        after = _note_before(part, wanted, inside, blocks, found)
        inside = after if isinstance(step, Chain) else last
    return inside if isinstance(step, Chain) else step


def _find(step: AnyStep, wanted: AnyStep, path: str, blocks: Mapping[str, AnyStep]) -> str | None:
    if step == wanted:
        return path
    if isinstance(step, Use):
        return _find(blocks[step.name], wanted, path, blocks)
    if isinstance(step, Repeat):
        return _find(step.body, wanted, f"{path}.0", blocks)
    for place, part in children(step):
        inner = ".".join(str(p) for p in place if p != "steps")
        found = _find(part, wanted, f"{path}.{inner}", blocks)
        if found is not None:
            return found
    return None


def _inside(network: Network, step: AnyStep, place: KeyPath, path: list[str]) -> KeyPath:
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
