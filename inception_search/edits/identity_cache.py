"""Caches of facts about steps, keyed by object identity: trees share the parts that an edit does not change.

Equal steps become one object (:func:`interned`), so that cached facts are also found for a network just read from text.
Interning goes from the innermost steps outwards and looks a composite up by the ids of its parts, so that nothing is
compared twice.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from inception_search.spec.base_model import trusted
from inception_search.spec.network import Aux, Network
from inception_search.spec.step import AnyStep, Block, Chain, Concat, Repeat, Use, children

V = TypeVar("V")
MOST = 50_000  # values in one cache


class Memo(Generic[V]):
    """A cache by the identity of an object and a context. The object is kept alive, so that its id is not reused."""

    def __init__(self) -> None:
        self.known: dict[tuple[int, Any], tuple[Any, V]] = {}

    def get(self, key: Any, make: Callable[[], V], context: Any = None, kept: Any = None) -> V:
        """The cached value for ``key`` in ``context``, else the result of ``make``; ``kept`` is kept alive, too."""
        found = self.known.get((id(key), context))
        if found is not None:
            return found[1]
        value = make()
        if len(self.known) >= MOST:
            self.known.clear()
        self.known[id(key), context] = ((key, kept), value)
        return value

    def get_in(self, network: Network, step: AnyStep, make: Callable[[], V], context: tuple[Any, ...]) -> V:
        """The value for a step of ``network``, valid as long as the blocks that the step uses do not change."""
        blocks = blocks_inside(network, step)
        return self.get(step, make, (*context, *map(id, blocks)), kept=blocks)


_KNOWN: dict[Any, AnyStep] = {}  # by type, fields and the ids of parts; the step keeps its parts alive
_OWN: dict[int, AnyStep] = {}  # by id: the first step of each set of equal ones
_USED: Memo[frozenset[str]] = Memo()


def blocks_inside(network: Network, step: AnyStep) -> tuple[AnyStep, ...]:
    """The blocks that steps inside ``step`` use, directly or through other blocks."""
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


def interned(network: Network) -> Network:
    """An equal network with the first-seen object for each step; ``network`` itself if it has them already."""
    if len(_KNOWN) >= MOST:
        _KNOWN.clear()
        _OWN.clear()
    changes: dict[str, Any] = {}
    for kind in ("blocks", "stages"):
        steps = getattr(network, kind)
        first = {name: interned_step(step) for name, step in steps.items()}
        if any(first[name] is not step for name, step in steps.items()):
            changes[kind] = first
    aux = {name: _interned_aux(aux) for name, aux in network.aux.items()}
    if any(aux[name] is not one for name, one in network.aux.items()):
        changes["aux"] = aux
    return network.model_copy(update=changes) if changes else network


def interned_step(step: AnyStep) -> AnyStep:
    """The first-seen step that is equal to ``step``."""
    if id(step) in _OWN:
        return step
    first = tuple(interned_step(part) for part in _parts(step))
    key = (type(step), *map(id, first), *_fields(step))
    found = _KNOWN.get(key)
    if found is None:
        found = _KNOWN[key] = _with_parts(step, first)
        _OWN[id(found)] = found
    return found


def _parts(step: AnyStep) -> tuple[AnyStep, ...]:
    if isinstance(step, Chain):
        return step.steps
    if isinstance(step, Concat):
        return step.branches
    return (step.body,) if isinstance(step, Block | Repeat) else ()


def _fields(step: AnyStep) -> tuple[Any, ...]:
    """The fields of a step besides its parts; numbers as text, because 0.0 is not -0.0."""
    if isinstance(step, Chain | Concat):
        return ()
    if isinstance(step, Block | Repeat):
        return tuple(repr(value) for name, value in step.__dict__.items() if name != "body")
    return tuple(step.__dict__.values())


def _with_parts(step: AnyStep, first: tuple[AnyStep, ...]) -> AnyStep:
    """``step`` with the equal parts ``first``; ``step`` itself if they are the same objects."""
    if all(one is other for one, other in zip(first, _parts(step), strict=True)):
        return step
    changes = (
        {"steps": first}
        if isinstance(step, Chain)
        else {"branches": first}
        if isinstance(step, Concat)
        else {"body": first[0]}
    )
    return trusted(type(step), {**step.__dict__, **changes})


def _interned_aux(aux: Aux) -> Aux:
    body = interned_step(aux.body)
    return aux if body is aux.body else aux.model_copy(update={"body": body})
