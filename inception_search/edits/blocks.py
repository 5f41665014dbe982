"""Which blocks of a network a step depends on: what is remembered of it holds as long as they stay."""

from __future__ import annotations

from typing import TypeAlias

from inception_search.edits.memo import Memo
from inception_search.spec.network import Network
from inception_search.spec.step import AnyStep, Use, children

Blocks: TypeAlias = tuple[AnyStep, ...]
_USED: Memo[AnyStep, frozenset[str]] = Memo()


def blocks_inside(network: Network, step: AnyStep) -> Blocks:
    """The blocks that steps inside ``step`` name, those they name in turn included."""
    waiting = uses(step)
    if not waiting:
        return ()
    found: dict[str, AnyStep] = {}
    while waiting:
        found |= {name: network.blocks[name] for name in waiting}
        waiting = frozenset[str]().union(*(uses(found[name]) for name in waiting)) - found.keys()
    return tuple(found[name] for name in sorted(found))


def uses(step: AnyStep) -> frozenset[str]:
    """The names of the blocks used directly inside a step."""
    return _USED.get(step, lambda: frozenset(_names(step)))


def _names(step: AnyStep) -> list[str]:
    if isinstance(step, Use):
        return [step.name]
    return [name for _, part in children(step) for name in uses(part)]
