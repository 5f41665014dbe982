"""Which network, in whose dialect, a file has the weights of."""

from __future__ import annotations

from inception_search.canonical.catalogue import dialects
from inception_search.canonical.weight_names import part_names, recognise, renumbered, tables
from inception_search.errors import WeightsError, raw
from inception_search.spec.safetensors_header import DOCUMENT
from inception_search.weights.checkpoint import Checkpoint


def document_of(checkpoint: Checkpoint) -> str:
    """``name@dialect`` of the network whose weights these are, or the document inside a model of ours.

    Raises :class:`WeightsError` when the names are of no implementation that is known.
    """
    if DOCUMENT in checkpoint.metadata:
        return checkpoint.metadata[DOCUMENT]
    known = recognise(checkpoint.tensors)
    if known is None:
        raise WeightsError(
            "the tensors are those of no implementation that is known",
            found=raw(", ".join(list(checkpoint.tensors)[:4])),
            expected=f"the names of an implementation of {', '.join(tables())}",
            mend="name the network with --network",
        ).at(file=checkpoint.file)
    network, implementation = known
    return f"{network}@{implementation}" if implementation in dialects(network) else network


def has_aux(checkpoint: Checkpoint) -> bool:
    """Whether there are weights of auxiliary classifiers."""
    if any(name.startswith("aux.") for name in checkpoint.tensors):
        return True
    known = recognise(checkpoint.tensors)
    parts = part_names(*known) if known else {}
    return any(parts.get(name, "").startswith("aux.") for name in renumbered(checkpoint.tensors).values())
