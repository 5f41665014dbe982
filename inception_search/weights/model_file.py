"""A whole model in one safetensors file: the weights, and the document in its metadata."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import torch

from inception_search.backend.compile import build
from inception_search.backend.network_module import NetworkModule
from inception_search.errors import WeightsError
from inception_search.lowering import lower
from inception_search.spec.document import parse_network
from inception_search.spec.safetensors_header import DOCUMENT, read_document
from inception_search.spec.text import network_text
from inception_search.store.atomic import write_atomic
from inception_search.weights.checkpoint import read_checkpoint
from inception_search.weights.load import load_weights

DIGEST = "inception_search.sha256"


def save(module: NetworkModule, path: str | Path) -> Path:
    """Write ``module`` to ``path`` (safetensors): weights, document and a digest; what is there is replaced whole.

    :func:`load_model` reads it back; so does any reader of safetensors, under our keys.
    """
    from safetensors.torch import save as serialised

    state = {key: value.detach().cpu().contiguous() for key, value in module.state_dict().items()}
    metadata = {"format": "pt", DOCUMENT: network_text(module.network), DIGEST: digest(state)}
    target = Path(path)
    write_atomic(target, serialised(state, metadata))
    return target


def load_model(path: str | Path) -> NetworkModule:
    """The model that :func:`save` wrote, in evaluation mode.

    Raises :class:`WeightsError` when the file is damaged or holds no document, DocumentError when that is no network.
    """
    checkpoint = read_checkpoint(path)
    document = read_document(path)
    if checkpoint.metadata.get(DIGEST, "") != digest(checkpoint.tensors):
        rule = "the weights are not those that were saved: their digest differs"
        raise WeightsError(rule, mend="fetch the file again").at(file=str(path))
    network = parse_network(document, str(path))
    module = build(lower(network), name=network.name, init=False)
    module.remember(network=network)
    load_weights(module, checkpoint.tensors)
    return module.eval()


def digest(tensors: Mapping[str, torch.Tensor]) -> str:
    """SHA-256 of all names, types, shapes and values."""
    total = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name].contiguous()
        total.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        total.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return total.hexdigest()
