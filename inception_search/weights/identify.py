"""Which network, in whose dialect, a file has the weights of."""

from __future__ import annotations

from inception_search.canonical.catalogue import dialects, load
from inception_search.canonical.weight_names import part_names, recognise, renumbered, tables
from inception_search.errors import WeightsError, raw
from inception_search.spec.network import Network
from inception_search.weights.checkpoint import Checkpoint
from inception_search.weights.model_file import document_in


def network_of(checkpoint: Checkpoint) -> Network:
    """The network whose weights these are, in their implementation's dialect; of a model of ours, that in the file.

    Raises :class:`WeightsError` when the names are of no implementation that is known, DocumentError when the
    document in the file is no network.
    """
    inside = document_in(checkpoint)
    if inside is not None:
        return inside
    known = recognise(checkpoint.tensors)
    if known is None:
        raise WeightsError(
            "the tensors are those of no implementation that is known",
            found=raw(", ".join(list(checkpoint.tensors)[:4])),
            expected=f"the names of an implementation of {', '.join(tables())}",
            mend="name the network with --network",
        ).at(file=checkpoint.file)
    network, implementation = known
    return load(f"{network}@{implementation}" if implementation in dialects(network) else network)


def has_aux(checkpoint: Checkpoint) -> bool:
    """Whether there are weights of auxiliary classifiers."""
    if any(name.startswith("aux.") for name in checkpoint.tensors):
        return True
    known = recognise(checkpoint.tensors)
    parts = part_names(*known) if known else {}
    return any(parts.get(name, "").startswith("aux.") for name in renumbered(checkpoint.tensors).values())
