"""A complete model in one safetensors file: the weights, with the document in the metadata."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from inception_search.backend.build import build
from inception_search.backend.network_module import NetworkModule
from inception_search.errors import ConfigError, WeightsError, raw, shorten
from inception_search.graph.graph import Graph
from inception_search.lowering import lower
from inception_search.spec.documents.parse import parse_network
from inception_search.spec.documents.to_yaml import network_text
from inception_search.spec.network import Network
from inception_search.spec.safetensors_header import CLASSES, DOCUMENT
from inception_search.weights.checkpoint import DIGEST, Checkpoint, check_digest, digest, read_checkpoint
from inception_search.weights.files.state_dict import without_prefixes
from inception_search.weights.load import load_weights
from inception_search.weights.write import write_whole

SUFFIX = ".safetensors"
_HINT = "fetch the file again, or save the model again"


def save_model(module: NetworkModule, path: str | Path) -> Path:
    """Write a model to one file: its weights, its document, a checksum, and the names of its classes if known.

    Args:
        module: a model from :func:`compile` or :func:`load_model`.
        path: the file; its name ends in ``.safetensors``. An existing file is replaced atomically.

    Returns:
        The path. :func:`load_model` reads the file; any safetensors reader can read its tensors.

    Raises:
        ConfigError: the name does not end in ``.safetensors``.
        WeightsError: the layers of the model were changed after :func:`compile`, its weights were released, or the file
            cannot be written.

    >>> ins.save_model(ins.compile("nin_cifar10", width=0.25), "nin.safetensors").name
    'nin.safetensors'
    """
    target = Path(path)
    check_name(target)
    state = module.state_dict()
    _check_document(module.network, state)
    if any(tensor.is_meta for tensor in state.values()):
        hint = "save a model before release_model() of its fast model; one on device meta has no weights either"
        raise WeightsError("the model has no weights", hint=hint)
    write_whole(target, model_bytes(module.network, state, module.classes))
    return target


def model_bytes(network: Network, state: Mapping[str, torch.Tensor], classes: Sequence[str] | None) -> bytes:
    """The content of a model file: the weights ``state`` of ``network``, and the names of its classes if known."""
    from safetensors.torch import save as serialised

    tensors = _apart({key: value.detach().cpu().contiguous() for key, value in state.items()})
    metadata = {"format": "pt", DOCUMENT: network_text(network), DIGEST: digest(tensors)}
    if classes is not None:
        metadata[CLASSES] = json.dumps(classes)  # escaped, because names of folders may not be UTF-8
    return _in_order(serialised(tensors, metadata))


def _apart(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """With a copy of each tensor that layers share: the format has no shared tensors."""
    first = {value.data_ptr(): key for key, value in reversed(tensors.items())}
    return {key: value if first[value.data_ptr()] == key else value.clone() for key, value in tensors.items()}


def check_name(path: Path) -> None:
    """Raise :class:`ConfigError` unless ``path`` ends in ``.safetensors``."""
    if path.suffix != SUFFIX:
        raise ConfigError(
            f"a model is saved in a {SUFFIX} file",
            found=path.name,
            expected=shorten(path.stem + SUFFIX) if path.name else f"a name that ends in {SUFFIX}",
            hint=f"to save only the weights, write torch.save(model.state_dict(), {shorten(path.name)})",
        )


def _check_document(network: Network, state: Mapping[str, torch.Tensor]) -> None:
    """Raise :class:`WeightsError` if the module was changed after compile: its document would not restore it."""
    with torch.device("meta"):
        rebuilt = build(lower(network), name=network.name, init=False).state_dict()
    wrong = [key for key in {**rebuilt, **state} if key not in rebuilt or key not in state]
    wrong += [key for key in rebuilt if key in state and rebuilt[key].shape != state[key].shape]
    if wrong:
        raise WeightsError(
            "the module no longer matches its document",
            found=raw(", ".join(wrong[:4])),
            hint="change the network through compile (num_classes=, in_channels=, ...), or save state_dict() yourself",
        )


def add_metadata(path: Path, facts: Mapping[str, str]) -> None:
    """Add facts to the metadata of a model file; raises :class:`WeightsError` if it cannot be written."""
    write_whole(path, _in_order(path.read_bytes(), facts))


def _in_order(content: bytes, more: Mapping[str, str] | None = None) -> bytes:
    """Sort the metadata of a safetensors file, which the library shuffles, so that equal models give equal files.

    ``more`` is added to the metadata.
    """
    end = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:end])
    header["__metadata__"] = dict(sorted({**header["__metadata__"], **(more or {})}.items()))
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)  # the format aligns the tensor data to eight bytes
    return len(text).to_bytes(8, "little") + text + content[end:]


def load_model(path: str | Path) -> NetworkModule:
    """The model that :func:`save_model` wrote: in evaluation mode, on the CPU, with the saved dtype of each tensor.

    Raises :class:`WeightsError` if the file is damaged or has no document, DocumentError if that is not a network.
    """
    checkpoint = read_checkpoint(path)
    network = document_in(checkpoint)
    if network is None:
        hint = "compile the network with weights=, which accepts weights without a document"
        raise WeightsError(
            "the file has weights, but no document", expected="a file written by save_model", hint=hint
        ).at(file=str(path))
    return filled(network, checkpoint)


def filled(network: Network, checkpoint: Checkpoint) -> NetworkModule:
    """``network`` compiled with exactly the weights of ``checkpoint``, in evaluation mode.

    Raises :class:`WeightsError` if they do not match, or if the file is damaged.
    """
    check_digest(checkpoint)
    graph = lower(network)
    _check_size(graph, checkpoint)
    module = build(graph, name=network.name, init=False)
    module.remember(network=network)
    _take_dtypes(module, checkpoint.tensors)
    report = load_weights(module, checkpoint)
    if report.fresh or report.unused:
        found, hint = raw(", ".join((*report.fresh, *report.unused))), _HINT
        raise WeightsError("weights and document do not belong together", found=found, hint=hint).at(
            file=checkpoint.file
        )
    return module.eval()


def document_in(checkpoint: Checkpoint) -> Network | None:
    """The network from the document in the checkpoint's metadata; None without a document.

    Raises DocumentError if the document is not a network.
    """
    text = checkpoint.metadata.get(DOCUMENT)
    return None if text is None else parse_network(text, checkpoint.file)


def _check_size(graph: Graph, checkpoint: Checkpoint) -> None:
    """Raise before allocating a network that is larger than the weights in the file."""
    params, found = graph.cost().params_with_aux, sum(tensor.numel() for tensor in checkpoint.tensors.values())
    if params > found:
        rule = "the document is of a larger network than the weights"
        raise WeightsError(rule, found=raw(f"{found:,} numbers"), expected=f"{params:,} and more", hint=_HINT).at(
            file=checkpoint.file
        )


def _take_dtypes(module: NetworkModule, tensors: Mapping[str, torch.Tensor]) -> None:
    """Convert each parameter and buffer of ``module`` to the dtype of its tensor in the file."""
    state = module.state_dict(keep_vars=True)
    for name, key in zip(without_prefixes(state), state, strict=True):
        if name in tensors and tensors[name].is_floating_point() and state[key].is_floating_point():
            state[key].data = state[key].data.to(tensors[name].dtype)
