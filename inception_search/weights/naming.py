"""Whose names a set of tensors has: our own, or those of another implementation of a canonical network."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from inception_search.canonical.weight_names import Entry, entries, part_names, part_of, recognise, tables
from inception_search.canonical.weight_names import implementations as known_implementations
from inception_search.errors import WeightsError, raw
from inception_search.graph.layers import layers
from inception_search.lowering import lower
from inception_search.spec.network import Network

OURS = "inception-search"


class Naming(NamedTuple):
    """Where each tensor of an implementation goes in a network of ours.

    ``entries``: our keys with their names and layouts; ``parts``: every name the implementation may use, with the
    part of the document (stage, head, aux.<name>) it belongs to.
    """

    network: str
    implementation: str
    entries: tuple[Entry, ...]
    parts: Mapping[str, str]


def naming_of(names: Collection[str], network: Network, keys: Collection[str], file: str | None) -> Naming:
    """The naming of ``names``, which are to fill the ``keys`` of ``network``.

    Raises :class:`WeightsError` when they are of no implementation that is known, or of another network.
    """
    own = set(keys)
    if 2 * len(own.intersection(names)) >= min(len(own), len(names)) > 0:
        return Naming(network.name, OURS, tuple(Entry(key, key, "same", False) for key in keys), _own_parts(keys))
    known = recognise(names)
    if known is None:
        raise WeightsError(
            "the tensors are those of no implementation that is known",
            found=raw(", ".join(list(names)[:4])),
            expected=f"our own keys ({next(iter(keys), '')} ...) or the names of another implementation of "
            + ", ".join(tables()),
        ).at(file=file)
    found, implementation = known
    base = network.name.partition("@")[0]
    if base in tables() and base != found:
        raise WeightsError(
            f"these are {implementation}'s weights of another network",
            found=found,
            expected=base,
            mend=f"compile {found} with them",
        ).at(file=file)
    implementation = _preferred(found, implementation, network.dialect, names)
    graph_layers = layers(lower(network))
    return Naming(
        found, implementation, entries(graph_layers, found, implementation), part_names(found, implementation)
    )


def entries_for(network: Network, implementation: str) -> tuple[Entry, ...]:
    """The names ``implementation`` gives the tensors of ``network``, a gamma for every norm included."""
    graph_layers = (layer._replace(has_gamma=layer.norm is not None) for layer in layers(lower(network)))
    return entries(graph_layers, network.name, implementation)


def _preferred(network: str, recognised: str, dialect: str, names: Collection[str]) -> str:
    """The dialect's own implementation where it has the names that were recognised, too (timm's v4 and Cadene's)."""
    if dialect in known_implementations(network):
        theirs = part_names(network, dialect)
        if len(theirs.keys() & set(names)) >= len(part_names(network, recognised).keys() & set(names)):
            return dialect
    return recognised


def _own_parts(keys: Collection[str]) -> dict[str, str]:
    return {key: part_of(key) for key in keys}
