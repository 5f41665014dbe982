"""The digest that a saved model carries: what tells that its numbers are those that were saved."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import torch

from inception_search.errors import WeightsError
from inception_search.spec.safetensors_header import DOCUMENT
from inception_search.weights.checkpoint import Checkpoint
from inception_search.weights.files.state_dict import without_prefixes

DIGEST = "inception_search.sha256"


def check_digest(checkpoint: Checkpoint) -> None:
    """Raise :class:`WeightsError` when the weights of a saved model are not those its digest is of."""
    if DOCUMENT in checkpoint.metadata and checkpoint.metadata.get(DIGEST, "") != digest(checkpoint.tensors):
        rule, hint = "the weights are not those that were saved: their digest differs", "fetch the file again"
        raise WeightsError(rule, hint=f"{hint}, or save the model again").at(file=checkpoint.file)


def digest(tensors: Mapping[str, torch.Tensor]) -> str:
    """SHA-256 of all names (as they are read from a file), types, shapes and values."""
    total = hashlib.sha256()
    for name, value in sorted(without_prefixes(tensors).items()):
        tensor = value.contiguous()
        total.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        total.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return total.hexdigest()
