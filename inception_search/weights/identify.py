"""Identification of the network, and its dialect, that the weights in a file belong to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import torch

from inception_search.backend.build import build
from inception_search.canonical.catalogue import load
from inception_search.canonical.weight_names import tables
from inception_search.canonical.weight_styles import torch_shape
from inception_search.errors import WeightsError, raw
from inception_search.lowering import lower
from inception_search.spec.network import Network, Preprocess
from inception_search.weights.checkpoint import Checkpoint
from inception_search.weights.files.state_dict import without_prefixes
from inception_search.weights.fit import BACKGROUND, is_classifier, readers_of_image
from inception_search.weights.model_file import document_in
from inception_search.weights.naming import Naming, naming_of
from inception_search.weights.source import network_in, network_of_implementation, origin_of


class InFile(NamedTuple):
    """The classes and channels that the weights in a file are for; None means the same as in the network."""

    classes: int | None
    channels: int | None
    aux: bool  # whether there are weights of auxiliary classifiers


def network_of(checkpoint: Checkpoint) -> Network:
    """The network of these weights, in their implementation's dialect, or from the document in a file of ours.

    Raises :class:`WeightsError` if the names match no known implementation, DocumentError if the document in the file
    is not a network.
    """
    inside = document_in(checkpoint)
    if inside is not None:
        return inside
    origin = origin_of(network_in(checkpoint.tensors, file=checkpoint.file).tensors)
    if origin is None:
        raise WeightsError(
            "the tensors are those of no implementation that is known",
            found=raw(", ".join(list(checkpoint.tensors)[:4])),
            expected=f"the names of an implementation of {', '.join(tables())}",
            hint="name the network with --network",
        ).at(file=checkpoint.file)
    network, (implementation, *_) = origin
    return load(network_of_implementation(network, implementation))


def taken_for(network: Network, alike: Iterable[str]) -> str | None:
    """A warning that several implementations have the same names and that ``network`` is a guess among them.

    None if there is no other implementation, or if all of them prepare images in the same way.
    """
    dialects = [network, *(load(name) for name in alike)]
    facts = {each.dialect or each.name: each.preprocess for each in dialects}
    known = {name: preprocess for name, preprocess in facts.items() if preprocess is not None}
    names = [n for n in Preprocess.model_fields if len({getattr(each, n) for each in known.values()}) > 1]
    if not names or network.preprocess is None:
        return None
    words = [f"{each}: {', '.join(f'{name} {getattr(known[each], name)}' for name in names)}" for each in known]
    first, *others = facts
    *before, last = [f"{network.name.partition('@')[0]}@{name}" for name in facts]
    return (
        f"the tensors have the names of {first}, and of {' and '.join(others)} as well; they are taken for {first}'s. "
        f"Images are prepared differently for each ({'; '.join(words)}). Name the source of the weights: "
        f"write {', '.join(before)} or {last}"
    )


def made_for(checkpoint: Checkpoint, network: Network) -> InFile:
    """The number of classes (0: no classifier) and input channels of the weights of ``network`` in a file.

    Raises :class:`WeightsError` if they belong to no known network, or to another one.
    """
    with torch.device("meta"):
        own = build(lower(network), name=network.name, init=False).state_dict()
    inside = network_in(checkpoint.tensors, without_prefixes(own), checkpoint.file)
    naming, tensors = naming_of(inside, network, own, checkpoint.file), inside.tensors
    aux = any(naming.parts.get(name, "").startswith("aux.") for name in tensors)
    return InFile(_classes(tensors, naming, network), _channels(tensors, naming, network, own), aux)


def _classes(tensors: Mapping[str, torch.Tensor], naming: Naming, network: Network) -> int | None:
    classifier = [e for e in naming.entries if is_classifier(e.key) and e.key.startswith("head.")]
    if not classifier:
        return None
    if not any(entry.name in tensors for entry in classifier):
        return 0
    weights = {entry.name: entry.layout for entry in classifier if entry.key.endswith(".weight")}
    rows = next((shape[0] for name, layout in weights.items() if (shape := _shape(tensors, name, layout))), None)
    background = rows == BACKGROUND and network.head.classes == BACKGROUND - 1  # loading drops it
    return None if background else rows


def _channels(
    tensors: Mapping[str, torch.Tensor], naming: Naming, network: Network, own: Mapping[str, torch.Tensor]
) -> int | None:
    first = readers_of_image(lower(network))
    for entry in naming.entries:
        if entry.key in first and len(shape := _shape(tensors, entry.name, entry.layout)) == 4:
            dense = own[entry.key].shape[1] == network.input.channels
            return shape[1] if dense else shape[0] * network.input.channels // own[entry.key].shape[0]
    return None


def _shape(tensors: Mapping[str, torch.Tensor], name: str, layout: str) -> tuple[int, ...]:
    """The shape of a tensor in PyTorch's layout; () if the tensor is missing or does not have ``layout``."""
    try:
        return torch_shape(layout, tuple(tensors[name].shape)) if name in tensors else ()
    except WeightsError:
        return ()
