"""Equal steps as one object: what is remembered of a step is found again in a network read from text anew.

The memories of edits go by which object a step is. A network that was just read has objects of its own; here each
is replaced by the equal one that was seen first, from the innermost steps outwards, so that a composite is looked
up by which objects its parts are and nothing is compared twice.
"""

from __future__ import annotations

from typing import Any

from inception_search.edits.memo import MOST
from inception_search.spec.base_model import trusted
from inception_search.spec.network import Aux, Network
from inception_search.spec.step import AnyStep, Block, Chain, Concat, Repeat

_KNOWN: dict[Any, AnyStep] = {}  # by type, fields and the ids of parts, which the step itself keeps alive
_OWN: dict[int, AnyStep] = {}  # by id: the steps that are the first of their kind


def shared(network: Network) -> Network:
    """An equal network whose steps are the objects that were seen first; ``network`` itself where they are."""
    if len(_KNOWN) >= MOST:
        _KNOWN.clear()
        _OWN.clear()
    changes: dict[str, Any] = {}
    for kind in ("blocks", "stages"):
        steps = getattr(network, kind)
        first = {name: shared_step(step) for name, step in steps.items()}
        if any(first[name] is not step for name, step in steps.items()):
            changes[kind] = first
    aux = {name: _shared_aux(aux) for name, aux in network.aux.items()}
    if any(aux[name] is not one for name, one in network.aux.items()):
        changes["aux"] = aux
    return network.model_copy(update=changes) if changes else network


def shared_step(step: AnyStep) -> AnyStep:
    """The step equal to ``step`` that was seen first."""
    if id(step) in _OWN:
        return step
    first = tuple(shared_step(part) for part in _parts(step))
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
    """What a step is besides its parts; numbers as they are written (0.0 is not -0.0)."""
    if isinstance(step, Chain | Concat):
        return ()
    if isinstance(step, Block | Repeat):
        return tuple(repr(value) for name, value in step.__dict__.items() if name != "body")
    return tuple(step.__dict__.values())


def _with_parts(step: AnyStep, first: tuple[AnyStep, ...]) -> AnyStep:
    """``step`` with equal parts; itself where they are the same objects."""
    if all(one is other for one, other in zip(first, _parts(step), strict=True)):
        return step
    if isinstance(step, Chain):
        return Chain(steps=first)
    return (
        Concat(branches=first) if isinstance(step, Concat) else trusted(type(step), {**step.__dict__, "body": first[0]})
    )


def _shared_aux(aux: Aux) -> Aux:
    body = shared_step(aux.body)
    return aux if body is aux.body else aux.model_copy(update={"body": body})
