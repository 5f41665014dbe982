"""What a point says besides its holes: how the document of its network is written.

A space searches architectures. A network found elsewhere has a name, a source, facts of preprocessing, and stages,
blocks and auxiliary heads by other names; ``encode`` keeps them in entries that begin with ``@``, so that ``decode``
gives the very document back. They are no holes: samplers, distances and neighbours never see them, and a point
without them is the same architecture in the space's own words.

Cuts that cannot be told so (a repeat written out inside a branch) are kept as they are, in ``@document``.
``@stages`` reads ``conv1=1 pool1=2 inception_b=7*inception_b``: stage ``conv1`` is the first step of the trunk, the
next two are ``pool1``, then come seven uses of the block ``inception_b``; ``3*2`` is a repeat of two steps.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from inception_search.errors import InceptionSearchError, NotInSpaceError, SpecError
from inception_search.space.flatten import series_of, trunk_of, unrolled
from inception_search.space.holes import Params
from inception_search.space.match import SPELLED
from inception_search.spec.network import Network
from inception_search.spec.step import AnyStep, Repeat, Use, chain
from inception_search.spec.transform import remake

MARK = "@"
KEYS = (*(MARK + name for name in SPELLED), "@blocks", "@stages", "@aux", "@document")
_SECTIONS = ("blocks", "stages", "aux")  # what @document holds


def parted(point: Params) -> tuple[Params, Params]:
    """The decisions of a point, and its spelling. Raises :class:`NotInSpaceError` for what is no mapping of names."""
    if not isinstance(point, Mapping) or not all(isinstance(name, str) for name in point):
        raise NotInSpaceError("a point is a mapping of holes to values", found=point)
    decisions = {name: value for name, value in point.items() if not name.startswith(MARK)}
    return decisions, {name: value for name, value in point.items() if name.startswith(MARK)}


def spelling_of(network: Network, own: Network) -> Params:
    """The entries with which ``own``, the same architecture in a space's words, becomes ``network``."""
    if network == own:
        return {}
    found: Params = {}
    for name in SPELLED:
        value = getattr(network, name)
        if value != getattr(own, name):
            found[MARK + name] = value if isinstance(value, str) else json.dumps(value and value.to_dict())
    if (network.stages, network.blocks, network.aux) == (own.stages, own.blocks, own.aux):
        return found
    cut = {**found, **_cuts(network), "@aux": " ".join(network.aux)}
    try:
        if respelled(own, cut) == network:
            return cut
    except InceptionSearchError:
        pass
    document = network.to_dict()
    return {**found, "@document": json.dumps({name: document.get(name, {}) for name in _SECTIONS})}


def respelled(own: Network, spelling: Params) -> Network:
    """``own`` written as ``spelling`` says. Raises :class:`NotInSpaceError` for a spelling that does not fit it."""
    changes: dict[str, Any] = {}
    try:
        for key, value in spelling.items():
            if key not in KEYS or not isinstance(value, str):
                raise ValueError(key)
            name = key.removeprefix(MARK)
            if name in SPELLED:
                changes[name] = json.loads(value) if name in ("preprocess", "recipe") else value
        if changes.get("recipe", ...) is None:
            changes["recipe"] = {}
        if "@stages" in spelling:
            changes |= _recut(own, spelling)
        if "@document" in spelling:
            document = json.loads(str(spelling["@document"]))
            changes |= {name: document[name] for name in _SECTIONS}
        network = remake(own, **changes)
        if _series(own) != _series(network):
            raise ValueError("it tells of another network")
    except (ValueError, KeyError, IndexError, TypeError, RecursionError, SpecError) as error:
        found = f"{type(error).__name__}: {error}" if isinstance(error, LookupError) else str(error)
        raise NotInSpaceError("the spelling of the point does not fit its network", found=found) from None
    return network


def _cuts(network: Network) -> Params:
    """How ``network`` cuts its trunk into stages and blocks."""
    blocks = {name: len(series_of(step)) for name, step in network.blocks.items()}
    stages = [f"{name}={'+'.join(map(_item, _runs(stage)))}" for name, stage in network.stages.items()]
    return {"@blocks": " ".join(f"{name}={size}" for name, size in blocks.items()), "@stages": " ".join(stages)}


def _runs(stage: AnyStep) -> list[AnyStep | int]:
    """The items of a stage: uses, repeats, and how many plain steps stand between them."""
    runs: list[AnyStep | int] = []
    for step in series_of(stage):
        if isinstance(step, Use | Repeat):
            runs.append(step)
        elif runs and isinstance(runs[-1], int):
            runs[-1] += 1
        else:
            runs.append(1)
    return runs


def _item(item: AnyStep | int) -> str:
    if isinstance(item, Repeat):
        inside = item.body.name if isinstance(item.body, Use) else str(len(series_of(item.body)))
        return f"{item.times}*{inside}"
    return item.name if isinstance(item, Use) else str(item)


def _series(network: Network) -> Any:
    """The trunk and the auxiliary heads without the names of stages and blocks."""
    trunk = trunk_of(network)
    bodies = [unrolled(head.body, network.blocks, {}) for head in network.aux.values()]
    heads = [
        (trunk.ends[head.after], head.model_copy(update={"after": "", "body": body}))
        for head, body in zip(network.aux.values(), bodies, strict=True)
    ]
    return trunk.steps, heads


def _recut(own: Network, spelling: Params) -> dict[str, Any]:
    """The blocks, stages and auxiliary heads of ``own`` cut as the spelling says."""
    trunk = trunk_of(own)
    sizes = {name: int(size) for name, size in (pair.split("=") for pair in str(spelling.get("@blocks", "")).split())}
    blocks: dict[str, AnyStep] = {}
    stages: dict[str, AnyStep] = {}
    ends: dict[int, str] = {}
    at = 0
    for pair in str(spelling["@stages"]).split():
        name, items = pair.split("=")
        parts = []
        for item in items.split("+"):
            part, at = _part(item, sizes, blocks, trunk.steps, at)
            parts.append(part)
        stages[name] = chain(*parts)
        ends[at] = name
    if at != len(trunk.steps) or blocks.keys() != sizes.keys():
        raise ValueError(f"@stages tells of {at} steps, the network has {len(trunk.steps)}")
    heads = dict(zip(str(spelling.get("@aux", "")).split(), own.aux.values(), strict=True))
    aux = {name: remake(head, after=ends[trunk.ends[head.after]]) for name, head in heads.items()}
    return {"blocks": {name: blocks[name] for name in sizes}, "stages": stages, "aux": aux}


def _part(
    item: str, sizes: dict[str, int], blocks: dict[str, AnyStep], steps: tuple[AnyStep, ...], at: int
) -> tuple[AnyStep, int]:
    """The part of the trunk at ``at`` that ``item`` stands for, and where it ends."""
    times, star, inside = item.rpartition("*")
    size = sizes[inside] if inside in sizes else int(inside)
    count = int(times) if star else 1
    if size < 1 or count < 1 or at + size * count > len(steps):
        raise ValueError(item)
    body = chain(*steps[at : at + size])
    if inside in sizes:
        blocks.setdefault(inside, body)
        body = Use(name=inside)
    return (Repeat(times=count, body=body) if star else body), at + size * count
