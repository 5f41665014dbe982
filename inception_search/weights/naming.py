"""Whose names a set of tensors has: our own, or those of another implementation of a canonical network."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

import torch

from inception_search.canonical.catalogue import names as shipped
from inception_search.canonical.weight_names import Entry, entries, part_names, part_of, recognise, renumbered, tables
from inception_search.canonical.weight_names import implementations as known_implementations
from inception_search.errors import WeightsError, raw
from inception_search.graph.layers import layers
from inception_search.lowering import lower
from inception_search.spec.network import Network
from inception_search.weights.files.state_dict import without_prefixes

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


def naming_of(names: Collection[str], network: Network, own: Mapping[str, torch.Tensor], file: str | None) -> Naming:
    """The naming of ``names``, those of a file, which are to fill the keys of ``own``, the state of ``network``.

    Raises :class:`WeightsError` when they are of no implementation that is known, or of another network.
    """
    ours = dict(zip(without_prefixes(own), own, strict=True))  # as they are read from a file
    if 2 * len(ours.keys() & set(names)) >= min(len(ours), len(names)) > 0:
        same = tuple(Entry(key, name, "same", False) for name, key in ours.items())
        return Naming(network.name, OURS, same, {name: part_of(key) for name, key in ours.items()})
    known = recognise(names)
    if known is None:
        raise WeightsError(
            "the tensors are those of no implementation that is known",
            found=raw(", ".join(list(names)[:4])),
            expected=f"our own keys ({next(iter(own), '')} ...) or the names of another implementation of "
            + ", ".join(tables()),
            mend="check that these are weights of this network",
        ).at(file=file)
    found, implementation = known
    base = network.name.partition("@")[0]
    if base in shipped() and base != found:
        raise WeightsError(
            f"these are {implementation}'s weights of another network",
            found=found,
            expected=base,
            mend=f"compile {found} with them",
        ).at(file=file)
    first = renumbered(names)
    implementation = _preferred(found, implementation, network.dialect, first.values())
    try:
        known_entries = entries(layers(lower(network)), found, implementation)
    except WeightsError as error:
        raise error.at(file=file) from None
    return _as_in_file(Naming(found, implementation, known_entries, part_names(found, implementation)), first)


def entries_for(network: Network, implementation: str) -> tuple[Entry, ...]:
    """The names ``implementation`` gives the tensors of ``network``, a gamma for every norm included."""
    graph_layers = (layer._replace(has_gamma=layer.norm is not None) for layer in layers(lower(network)))
    return entries(graph_layers, network.name, implementation)


def _as_in_file(naming: Naming, first: Mapping[str, str]) -> Naming:
    """``naming`` with the automatic numbers that the names have in a file: the keys of ``first``."""
    theirs = {standard: name for name, standard in first.items()}
    named = tuple(entry._replace(name=theirs.get(entry.name, entry.name)) for entry in naming.entries)
    return naming._replace(entries=named, parts={theirs.get(name, name): part for name, part in naming.parts.items()})


def _preferred(network: str, recognised: str, dialect: str, names: Iterable[str]) -> str:
    """The dialect's own implementation where it has the names that were recognised, too (timm's v4 and Cadene's)."""
    if dialect in known_implementations(network):
        theirs, given = part_names(network, dialect), set(names)
        if len(theirs.keys() & given) >= len(part_names(network, recognised).keys() & given):
            return dialect
    return recognised
