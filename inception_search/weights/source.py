"""Whose weights a file has, where implementations have the same names or training scripts put one before all."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

import torch

from inception_search.canonical.catalogue import list_dialects, load
from inception_search.canonical.catalogue import names as shipped
from inception_search.canonical.weight_names import classifier_of, known_by, recognise, renumbered
from inception_search.canonical.weight_styles import torch_shape
from inception_search.errors import WeightsError, raw

_FIRST = re.compile(r"[^./]{1,200}[./]")  # the first part of a name, and what separates it from the rest
_DEEPEST = 12  # wrappers within wrappers
_PARTS = 5  # a network that is less than this part of a file is not looked for


class Origin(NamedTuple):
    """The network that tensors are of, and the implementations whose they may be: the one that is taken first."""

    network: str
    implementations: tuple[str, ...]


def origin_of(tensors: Mapping[str, torch.Tensor], dialect: str = "") -> Origin | None:
    """Whose ``tensors`` are; None when they are of no implementation that is known.

    Of implementations with the same names, those whose own document has as many classes as the file (all, where none
    has); of those, that of ``dialect`` first.
    """
    if (known := recognise(tensors)) is None:
        return None
    network, recognised = known
    alike = [recognised, *(name for name in known_by(network, tensors) if name != recognised)]
    classes = classes_in(tensors, network, recognised)
    alike = [name for name in alike if _classes(network, name) == classes] or alike
    return Origin(network, tuple(sorted(alike, key=lambda name: name != dialect)))


def classes_in(tensors: Mapping[str, torch.Tensor], network: str, implementation: str) -> int | None:
    """The number of classes of an implementation's tensors; None where they have no classifier."""
    name, layout = classifier_of(network, implementation) or ("", "")
    shapes = {standard: tuple(tensors[own].shape) for own, standard in renumbered(tensors).items() if standard == name}
    try:
        return next((torch_shape(layout, shape)[0] for shape in shapes.values() if shape), None)
    except WeightsError:
        return None


def network_of_implementation(network: str, implementation: str) -> str:
    """The name of a shipped network in the dialect of ``implementation``, where there is a document of it."""
    known = network in shipped() and implementation in list_dialects(network)
    return f"{network}@{implementation}" if known else network


class NetworkIn(NamedTuple):
    """The tensors of a file, those of a network without the ``prefix`` that a wrapper put before their names.

    ``beside`` are the names of the tensors that do not have the prefix; they keep them.
    """

    tensors: Mapping[str, torch.Tensor]
    prefix: str = ""
    beside: frozenset[str] = frozenset()


def network_in(tensors: Mapping[str, torch.Tensor], own: Iterable[str] = (), file: str | None = None) -> NetworkIn:
    """Where in ``tensors`` a network is: below ``model.``, ``encoder.``, ``net.module.``, ``functional/`` ... or whole.

    The prefix (dots or slashes) below which most names are known is taken, if more are known there than without it.
    Known are ``own`` names, and those of other implementations. Raises :class:`WeightsError` when two prefixes are
    equally good: a file of a teacher and a student, say.
    """
    ours = frozenset(own)
    best, most = [""], _known(tensors, ours)
    for prefix, names in _prefixes(tensors):
        if len(names) >= most and (number := _known(names, ours)) >= max(most, 1) and not _collide(prefix, tensors):
            if number > most:
                best, most = [prefix], number
            elif not any(prefix.startswith(other) for other in best):
                best.append(prefix)
    if len(best) > 1:
        raise WeightsError(
            "the file holds several networks with the same names",
            found=raw(f"tensors of one below {' and below '.join(best)}"),
            hint=f"give the tensors of one of them as a state dict, their names without {best[0]!r}, say",
        ).at(file=file)
    (prefix,) = best
    inside = {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
    beside = {name: tensor for name, tensor in tensors.items() if not name.startswith(prefix)}
    return NetworkIn({**inside, **beside}, prefix, frozenset(beside))


def _prefixes(names: Iterable[str]) -> Iterator[tuple[str, list[str]]]:
    """The prefixes that a good part of ``names`` have, the outer ones first, each with the rests of those names."""
    everything = list(names)
    level, least = [("", everything)], max(2, len(everything) // _PARTS)
    for _ in range(_DEEPEST):
        found: dict[str, list[str]] = {}
        for prefix, rests in level:
            for rest in rests:
                if (first := _FIRST.match(rest)) and first.end() < len(rest):
                    found.setdefault(prefix + first[0], []).append(rest[first.end() :])
        level = [(prefix, rests) for prefix, rests in found.items() if len(rests) >= least]
        yield from level


def _collide(prefix: str, names: Collection[str]) -> bool:
    """Whether a name without ``prefix`` is that of another tensor."""
    return any(name.startswith(prefix) and name.removeprefix(prefix) in names for name in names)


def _known(names: Collection[str], own: frozenset[str]) -> int:
    """How many of ``names`` are ``own``, or those of one implementation."""
    origin = recognise(names)
    theirs = known_by(origin[0], names)[origin[1]] if origin else 0
    return max(theirs, sum(name in own for name in names))


def _classes(network: str, implementation: str) -> int | None:
    """The classes of an implementation by its document; None where it has none."""
    if implementation not in list_dialects(network):
        return None
    head = load(f"{network}@{implementation}").head
    return None if head.classifier == "none" else head.classes
