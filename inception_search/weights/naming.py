"""Identification of the naming of tensors: our own, or that of another implementation of a canonical network."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

import torch

from inception_search.canonical.catalogue import names as shipped
from inception_search.canonical.weight_names import Entry, entries, part_names, part_of, renumbered, tables
from inception_search.canonical.weight_styles import SAME
from inception_search.errors import WeightsError, raw
from inception_search.graph.layers import Layer, layers
from inception_search.lowering import lower
from inception_search.spec.network import Network
from inception_search.weights.files.state_dict import without_prefixes
from inception_search.weights.heads import entries_of_head
from inception_search.weights.source import NetworkIn, network_of_implementation, origin_of

OURS = "inception-search"


class Naming(NamedTuple):
    """The mapping from an implementation's tensors to our keys.

    ``entries``: our keys with the implementation's names and layouts; ``parts``: every name the implementation may use,
    with its part of the document (stage, head, aux.<name>); ``alike``: all implementations with the same names, this
    one first; empty for our own names.
    """

    network: str
    implementation: str
    entries: tuple[Entry, ...]
    parts: Mapping[str, str]
    alike: tuple[str, ...] = ()


def naming_of(inside: NetworkIn, network: Network, own: Mapping[str, torch.Tensor], file: str | None) -> Naming:
    """The naming of the tensors in a file that should fill the keys of ``own``, the state of ``network``.

    A head with custom names is recognised if the shapes of its linear layers are those of the head of ``network``.
    Raises :class:`WeightsError` if the tensors match no known implementation, or belong to another network.
    """
    naming = _known_naming(inside.tensors, network, own, file)
    standard = [entry.name for entry in naming.entries if entry.key.startswith("head.")]
    head = entries_of_head(naming.parts, standard, inside.tensors, network)
    if head is None:
        return naming
    kept = [entry for entry in naming.entries if not entry.key.startswith("head.")]
    parts = {**naming.parts, **{entry.name: "head" for entry in head}}
    return naming._replace(entries=(*kept, *head), parts=parts)


def _known_naming(
    tensors: Mapping[str, torch.Tensor], network: Network, own: Mapping[str, torch.Tensor], file: str | None
) -> Naming:
    ours = dict(zip(without_prefixes(own), own, strict=True))  # as they are read from a file
    if 2 * len(ours.keys() & tensors.keys()) >= min(len(ours), len(tensors)) > 0:
        return _ours(network, ours, own, tensors)
    origin = origin_of(tensors, network.dialect)
    if origin is None:
        raise WeightsError(
            "the tensors are those of no implementation that is known",
            found=raw(", ".join(list(tensors)[:4])),
            expected=f"our own keys ({next(iter(own), '')} ...) or the names of another implementation of "
            + ", ".join(tables()),
            hint="check that these are weights of this network",
        ).at(file=file)
    found, (implementation, *_) = origin
    base = network.name.partition("@")[0]
    if base in shipped() and base != found:
        raise WeightsError(
            f"these are {implementation}'s weights of another network",
            found=found,
            expected=base,
            hint=f"compile {network_of_implementation(found, implementation)} for them",
        ).at(file=file)
    try:
        known_entries = entries(_without_hidden(layers(lower(network))), found, implementation)
    except WeightsError as error:
        raise error.at(file=file) from None
    parts = part_names(found, implementation)
    return _as_in_file(Naming(found, implementation, known_entries, parts, origin.implementations), renumbered(tensors))


def _without_hidden(found: Iterable[Layer]) -> list[Layer]:
    """``found`` without the hidden layers of the head, which no implementation has."""
    return [layer for layer in found if not layer.path.startswith("head.hidden.")]


def _ours(
    network: Network, ours: Mapping[str, str], own: Collection[str], tensors: Mapping[str, torch.Tensor]
) -> Naming:
    """The naming with our own keys. If the file has no gamma, its network has none, and gammas become ones."""
    gammas = {name for name, key in ours.items() if is_gamma(key, own)}
    optional = gammas if gammas.isdisjoint(tensors) else set[str]()
    same = tuple(Entry(key, name, SAME, name in optional) for name, key in ours.items())
    return Naming(network.name, OURS, same, {name: part_of(key) for name, key in ours.items()})


def is_gamma(key: str, own: Collection[str]) -> bool:
    """Whether ``key`` is the gamma of a norm; ``own`` contains all keys of its network."""
    return key.endswith(".weight") and f"{key.removesuffix('weight')}running_mean" in own


def entries_for(network: Network, implementation: str) -> tuple[Entry, ...]:
    """The entries of ``implementation`` for ``network``, including a gamma for every norm."""
    graph_layers = (layer._replace(has_gamma=layer.norm is not None) for layer in layers(lower(network)))
    return entries(graph_layers, network.name, implementation)


def _as_in_file(naming: Naming, first: Mapping[str, str]) -> Naming:
    """``naming`` with the automatic layer numbers of the names in a file, which are the keys of ``first``."""
    theirs = {standard: name for name, standard in first.items()}
    named = tuple(entry._replace(name=theirs.get(entry.name, entry.name)) for entry in naming.entries)
    return naming._replace(entries=named, parts={theirs.get(name, name): part for name, part in naming.parts.items()})
