"""Whose weights a file has, where implementations have the same names or training scripts put one before all."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

import torch

from inception_search.canonical.catalogue import dialects, load
from inception_search.canonical.weight_names import classifier_of, known_by, recognise, renumbered
from inception_search.canonical.weight_styles import torch_shape
from inception_search.errors import WeightsError
from inception_search.weights.files.state_dict import HOLDERS, WRAPPERS, shared_prefix


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


def without_holder(tensors: Mapping[str, torch.Tensor], own: Iterable[str] = ()) -> Mapping[str, torch.Tensor]:
    """``tensors`` without what all names begin with (``model.``, ``backbone.`` ...) where more are known without it.

    Known are ``own`` names, and those of other implementations.
    """
    ours = frozenset(own)
    best, plain, most = tensors, tensors, _known(tensors, ours)
    while prefix := shared_prefix(plain, (*HOLDERS, *WRAPPERS)):
        plain = {name.removeprefix(prefix): tensor for name, tensor in plain.items()}
        if (number := _known(plain, ours)) > most:
            best, most = plain, number
    return best


def _known(names: Collection[str], own: frozenset[str]) -> int:
    """How many of ``names`` are ``own``, or those of one implementation."""
    origin = recognise(names)
    theirs = known_by(origin[0], names)[origin[1]] if origin else 0
    return max(theirs, sum(name in own for name in names))


def _classes(network: str, implementation: str) -> int | None:
    """The classes of an implementation by its document; None where it has none."""
    if implementation not in dialects(network):
        return None
    head = load(f"{network}@{implementation}").head
    return None if head.classifier == "none" else head.classes
