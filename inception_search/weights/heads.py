"""Recognition, by tensor shapes, of heads with custom names, such as those of fine-tuned networks."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import islice, pairwise
from typing import NamedTuple

import torch

from inception_search.canonical.weight_names import Entry
from inception_search.canonical.weight_styles import SAME, torch_shape
from inception_search.graph.layers import layers
from inception_search.lowering import lower
from inception_search.spec.network import Network

_WEIGHT = re.compile(r"(^|.*[./])(weight|kernel)")
_MOST = 8  # layers; the order of a larger head is not searched


class LinearLayer(NamedTuple):
    """A linear layer of a file: the names of its tensors, the layout of its weight, and its shape (O, I) in PyTorch."""

    weight: str
    bias: str | None
    layout: str
    shape: tuple[int, ...]

    def entries(self, node: str) -> list[Entry]:
        """Entries that map the layer's tensors to our layer ``node``."""
        found = [Entry(f"{node}.weight", self.weight, self.layout, False)]
        return found + ([Entry(f"{node}.bias", self.bias, SAME, False)] if self.bias is not None else [])


def entries_of_head(
    known: Collection[str], standard: Iterable[str], tensors: Mapping[str, torch.Tensor], network: Network
) -> list[Entry] | None:
    """Entries for a head with custom names; None unless it fits the head of ``network``.

    The tensors whose names are not ``known`` must be linear layers with the number and shapes of those of the head of
    ``network``; the last may have another number of classes. Most files use the ``standard`` name of the head.
    """
    head = [layer for layer in layers(lower(network, aux=False)) if layer.path.startswith("head.")]
    if not head or any(layer.kind != "linear" or layer.norm is not None for layer in head):
        return None
    theirs = linear_layers([name for name in tensors if name not in known], tensors)
    if len(theirs) != len(head) or any(name in tensors for name in standard):
        return None
    for layer, their in zip(head, theirs, strict=True):
        classifier = layer is head[-1]
        if their.bias is None or their.shape[1:] != layer.shape[1:]:
            return None
        if their.shape != layer.shape and not classifier:
            return None
    return [entry for layer, their in zip(head, theirs, strict=True) for entry in their.entries(layer.node)]


def linear_layers(names: Collection[str], tensors: Mapping[str, torch.Tensor]) -> list[LinearLayer]:
    """The linear layers with the tensors ``names``, in order of computation; empty if other layers are among them.

    Also empty if several orders are possible and the file does not determine one: Keras' legacy files sort layers by
    name.
    """
    found, known = [], set(names)
    for name in names:
        if (weight := _WEIGHT.fullmatch(name)) is not None and tensors[name].ndim == 2:
            layout, bias = "IO" if weight[2] == "kernel" else SAME, f"{weight[1]}bias"
            shape = torch_shape(layout, tuple(tensors[name].shape))
            found.append(LinearLayer(name, bias if bias in known else None, layout, shape))
    if {layer.weight for layer in found} | {layer.bias for layer in found if layer.bias} != known:
        return []
    ordered = all(after.shape[1] == before.shape[0] for before, after in pairwise(found))
    if ordered and all(layer.layout == SAME for layer in found):
        return found
    orders = list(islice(_chains(found), 2)) if len(found) <= _MOST else []
    return orders[0] if len(orders) == 1 else []


def _chains(left: list[LinearLayer], width: int | None = None) -> Iterator[list[LinearLayer]]:
    """Every order of ``left`` in which each layer's input width equals the previous output width, first ``width``."""
    if not left:
        yield []
    for index, layer in enumerate(left):
        if width is None or layer.shape[1] == width:
            for rest in _chains(left[:index] + left[index + 1 :], layer.shape[0]):
                yield [layer, *rest]
