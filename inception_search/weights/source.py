"""The implementation that weights come from, also if several share the names or a script added a prefix to all."""

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
_DEEPEST = 12  # nested wrappers
_PARTS = 5  # a prefix counts only if at least 1 / _PARTS of the names have it


class Origin(NamedTuple):
    """The network that tensors belong to, and the possible implementations, most likely first."""

    network: str
    implementations: tuple[str, ...]


def origin_of(tensors: Mapping[str, torch.Tensor], dialect: str = "") -> Origin | None:
    """The network and implementations that ``tensors`` come from; None if no known implementation matches.

    Of implementations with the same names, only those with the file's number of classes remain, or all if none has
    it. The implementation of ``dialect`` comes first.
    """
    if (known := recognise(tensors)) is None:
        return None
    network, recognised = known
    alike = [recognised, *(name for name in known_by(network, tensors) if name != recognised)]
    classes = classes_in(tensors, network, recognised)
    alike = [name for name in alike if _classes(network, name) == classes] or alike
    return Origin(network, tuple(sorted(alike, key=lambda name: name != dialect)))


def classes_in(tensors: Mapping[str, torch.Tensor], network: str, implementation: str) -> int | None:
    """The number of classes of an implementation's tensors; None if they have no classifier."""
    name, layout = classifier_of(network, implementation) or ("", "")
    shapes = {standard: tuple(tensors[own].shape) for own, standard in renumbered(tensors).items() if standard == name}
    try:
        return next((torch_shape(layout, shape)[0] for shape in shapes.values() if shape), None)
    except WeightsError:
        return None


def network_of_implementation(network: str, implementation: str) -> str:
    """``network@implementation`` if that dialect of a canonical network exists, else ``network``."""
    known = network in shipped() and implementation in list_dialects(network)
    return f"{network}@{implementation}" if known else network


class NetworkIn(NamedTuple):
    """The tensors of a file, with the wrapper's ``prefix`` removed from the names of the network's tensors.

    ``beside`` contains the names of all tensors without the prefix, which are unchanged.
    """

    tensors: Mapping[str, torch.Tensor]
    prefix: str = ""
    beside: frozenset[str] = frozenset()


def network_in(tensors: Mapping[str, torch.Tensor], own: Iterable[str] = (), file: str | None = None) -> NetworkIn:
    """Find the network in ``tensors`` and remove its prefix: ``model.``, ``net.module.``, ``functional/``, or none.

    The prefix with the most known names is chosen, if it gives more than no prefix. Known are ``own`` names and those
    of other implementations. Raises :class:`WeightsError` if two prefixes are equally good, for example in a file
    with a teacher and a student.
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
            hint=f"give a state dict of one network, such as the tensors below {best[0]!r}, without prefix",
        ).at(file=file)
    (prefix,) = best
    inside = {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
    beside = {name: tensor for name, tensor in tensors.items() if not name.startswith(prefix)}
    return NetworkIn({**inside, **beside}, prefix, frozenset(beside))


def _prefixes(names: Iterable[str]) -> Iterator[tuple[str, list[str]]]:
    """Prefixes shared by enough of ``names``, outer ones first, each with the remainders of those names."""
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
    """Whether removing ``prefix`` from a name gives the name of another tensor."""
    return any(name.startswith(prefix) and name.removeprefix(prefix) in names for name in names)


def _known(names: Collection[str], own: frozenset[str]) -> int:
    """The larger count: ``names`` that are in ``own``, or names of one implementation."""
    origin = recognise(names)
    theirs = known_by(origin[0], names)[origin[1]] if origin else 0
    return max(theirs, sum(name in own for name in names))


def _classes(network: str, implementation: str) -> int | None:
    """The number of classes in an implementation's document; None without a document or classifier."""
    if implementation not in list_dialects(network):
        return None
    head = load(f"{network}@{implementation}").head
    return None if head.classifier == "none" else head.classes
