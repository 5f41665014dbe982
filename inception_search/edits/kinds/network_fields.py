"""Edits of the network's fields, and of activations and dropout that are steps of their own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from inception_search.edits.edit import Edit
from inception_search.edits.kinds.kind import Kind
from inception_search.edits.kinds.replace_fields import variants
from inception_search.edits.sites import Site
from inception_search.spec.network import Aux, BatchNorm, Head, Network
from inception_search.spec.step import Act, AnyStep, Block, Dropout

ACTIVATIONS = ("relu", "leaky_relu", "elu", "gelu", "silu")
DROPOUTS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5)


def set_act(site: Site) -> tuple[AnyStep, ...]:
    """Every other activation of a block or of an activation step."""
    step = site.step
    names = ("none", *ACTIVATIONS) if isinstance(step, Block) else ACTIVATIONS
    field = "act" if isinstance(step, Block) else "name"
    return variants(step, ({field: name} for name in names))


def set_default_act(network: Network) -> Iterator[Edit]:
    """Every other activation of the network's convolutions."""
    return _others("set_act", "conv_defaults.act", network.conv_defaults.act, ACTIVATIONS)


def set_norm(network: Network) -> Iterator[Edit]:
    """Toggle batch norm in the network's convolutions."""
    norm = network.conv_defaults.norm
    before, after = (norm.to_dict(), None) if norm else (None, BatchNorm().to_dict())
    yield Edit("set_norm", "conv_defaults.norm", before, after)


def set_dropout(site: Site) -> tuple[AnyStep, ...]:
    """Every other probability of dropout."""
    return variants(site.step, ({"p": p} for p in DROPOUTS))


def set_head_dropout(network: Network) -> Iterator[Edit]:
    """Every other probability of dropout before a classifier."""
    if _has_features(network.head):
        yield from _others("set_dropout", "head.dropout", network.head.dropout, DROPOUTS)
    for name, aux in network.aux.items():
        yield from _others("set_dropout", f"aux.{name}.dropout", aux.dropout, DROPOUTS)


def _has_features(head: Head | Aux) -> bool:
    """Whether there are features that dropout can act on."""
    return not (isinstance(head, Head) and head.classifier == head.pool == "none" and not head.hidden)


def _others(name: str, place: str, now: Any, values: tuple[Any, ...]) -> Iterator[Edit]:
    return (Edit(name, place, now, value) for value in values if value != now)


def _nothing(site: Site) -> tuple[AnyStep, ...]:
    return ()


SET_ACT = Kind("set_act", (Act, Block), set_act, set_default_act)
SET_NORM = Kind("set_norm", (), _nothing, set_norm)
SET_DROPOUT = Kind("set_dropout", (Dropout,), set_dropout, set_head_dropout)
