"""The tensors that an implementation's own loader wants, by the document of its dialect."""

from __future__ import annotations

from collections.abc import Mapping

from inception_search.canonical.catalogue import list_dialects, load
from inception_search.canonical.weight_names import entries
from inception_search.errors import WeightsError, raw
from inception_search.graph.layers import layers
from inception_search.lowering import lower
from inception_search.spec.network import Network
from inception_search.spec.transform import remake, set_classes, set_input

_SHOWN = 5  # tensors named in an error
_NORM = ("weight", "bias", "running_mean", "running_var")


def check_published(network: Network, implementation: str, given: Mapping[str, tuple[int, ...]]) -> None:
    """Raise :class:`WeightsError` unless ``given`` are the tensors of ``implementation``, of the shapes it has.

    Shapes are as in PyTorch. Classes, input channels and auxiliary classifiers may be those of ``network``; every
    other edit is named.
    """
    wanted = _wanted(network, implementation)
    if wanted is None:
        return
    wrong = [f"{name}: {given[name]} for {shape}" for name, shape in wanted.items() if given.get(name, shape) != shape]
    wrong += [f"{name} is not there" for name in wanted if name not in given]
    wrong += [f"{name} has no place" for name in given if name not in wanted]
    if wrong:
        places = "one place" if len(wrong) == 1 else f"{len(wrong)} places"
        base = network.name.partition("@")[0]
        raise WeightsError(
            f"{implementation} has other tensors than these in {places}",
            found=raw("; ".join(wrong[:_SHOWN])),
            hint=f"export an unchanged network, in the dialect {base}@{implementation}",
        )


def _wanted(network: Network, implementation: str) -> dict[str, tuple[int, ...]] | None:
    """The shapes of the tensors that a file must have; None where no document is of this implementation."""
    base = network.name.partition("@")[0]
    if implementation not in list_dialects(base):
        return None
    found = layers(lower(_sized(load(f"{base}@{implementation}"), network)))
    shapes: dict[str, tuple[int, ...]] = {}
    for layer in found:
        vectors = [f"{layer.node}.bias", *(f"{layer.norm}.{tensor}" for tensor in _NORM)]
        shapes |= {f"{layer.node}.weight": layer.shape, **dict.fromkeys(vectors, layer.shape[:1])}
    return {entry.name: shapes[entry.key] for entry in entries(found, base, implementation) if not entry.optional}


def _sized(theirs: Network, ours: Network) -> Network:
    """``theirs`` with the classes, input channels and auxiliary classifiers of ``ours``."""
    aux = {name: head for name, head in theirs.aux.items() if name in ours.aux}
    sized = set_input(remake(theirs, aux=aux), channels=ours.input.channels)
    return set_classes(sized, 0 if ours.head.classifier == "none" else ours.head.classes)
