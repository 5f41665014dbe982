"""Export of weights under the names and in the layouts of another implementation."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from torch import nn

from inception_search.backend.network_module import NetworkModule
from inception_search.canonical.catalogue import list_dialects, load
from inception_search.canonical.weight_names import Entry, entries, implementations, part_of, tables
from inception_search.canonical.weight_styles import AXES, SAME
from inception_search.errors import ConfigError, WeightsError, raw, unknown_name, warn
from inception_search.graph.layers import layers
from inception_search.lowering import lower
from inception_search.spec.network import Network
from inception_search.spec.transform import remake, set_classes, set_input
from inception_search.weights.dialect_check import what_differs
from inception_search.weights.keras_export import keras_weights
from inception_search.weights.load import DialectWarning
from inception_search.weights.naming import entries_for
from inception_search.weights.write import write_whole


def export_weights(module: NetworkModule, implementation: str) -> dict[str, torch.Tensor]:
    """Convert the weights of a model to the names and layouts of another implementation, whose own loader reads them.

    A ``DialectWarning`` is given if that implementation computes something else with these weights.

    Args:
        module: a model from :func:`compile` or :func:`load_model`.
        implementation: ``"timm"``, ``"torchvision"``, ``"keras"`` ...; docs/weights.md lists those of each network.

    Returns:
        A dict from names to tensors (copies on the CPU). Kernels of convolutions are (out, in, H, W), or in the layout
        of the implementation: (H, W, in, out) for Keras.

    Raises:
        WeightsError: the implementation has no tensor for a weight: a gamma other than 1 where its batch norm has none,
            an auxiliary classifier that it does not have, or a network that differs from the shipped one.
        UnknownNameError: there is no such implementation of the network.

    >>> state = ins.export_weights(ins.compile("inception_v1@torchvision"), "torchvision")
    >>> state["conv1.conv.weight"].shape
    torch.Size([64, 3, 7, 7])
    """
    network, state = module.network, module.state_dict()
    entries = _entries(network, implementation)
    _all_have_a_place(state, entries, implementation)
    given = {entry.name: tuple(_tensor(state, entry).shape) for entry in entries if not entry.optional}
    check_published(network, implementation, given)
    found: dict[str, torch.Tensor] = {}
    for entry in entries:
        tensor = _tensor(state, entry)
        if _is_gamma(entry.key) and entry.optional:  # the implementation's norms have no gamma
            _check_ones(tensor, entry.key, implementation)
        else:
            found[entry.name] = _laid_out(tensor, entry, module).detach().cpu().clone().contiguous()
    base = network.name.partition("@")[0]
    if difference := what_differs(network, base, (implementation,)):
        warn(
            f"{implementation} will compute something else with these weights than {network.name}: {difference.what}; "
            f"no conversion removes this difference. Use the weights in {network.name}, or train {difference.dialect} "
            f"for {implementation}",
            DialectWarning,
        )
    return found


def write_weights(tensors: dict[str, torch.Tensor], path: str | Path) -> Path:
    """Write named tensors: ``.safetensors``; ``.pt`` and ``.pth`` (a plain state dict); Keras' ``.weights.h5``.

    Raises :class:`ConfigError` for another ending, :class:`WeightsError` where the file cannot be written.
    """
    target = Path(path)
    write_whole(target, writer_of(target)(tensors))
    return target


def writer_of(path: Path) -> Callable[[dict[str, torch.Tensor]], bytes]:
    """The function that serialises tensors for this file name; raises :class:`ConfigError` for an unknown ending."""
    writer = next((writer for ending, writer in _WRITERS.items() if path.name.endswith(ending)), None)
    if writer is None:
        raise ConfigError("no format of that name", found=path.name, expected=f"one of {', '.join(_WRITERS)}")
    return writer


def _safetensors(tensors: dict[str, torch.Tensor]) -> bytes:
    from safetensors.torch import save

    return save(tensors, {"format": "pt"})


def _torch(tensors: dict[str, torch.Tensor]) -> bytes:
    buffer = io.BytesIO()
    torch.save(tensors, buffer)
    return buffer.getvalue()


_WRITERS: dict[str, Callable[[dict[str, torch.Tensor]], bytes]] = {
    ".safetensors": _safetensors,
    ".pt": _torch,
    ".pth": _torch,
    ".weights.h5": keras_weights,
}


def _entries(network: Network, implementation: str) -> tuple[Entry, ...]:
    known = implementations(network.name)
    if not known:
        rule, hint = (
            f"no other implementation of {network.name} is known",
            "write the model to a file of ours with save_model",
        )
        raise WeightsError(rule, found=implementation, expected=f"one of {', '.join(tables())}", hint=hint)
    if implementation not in known:
        raise unknown_name(f"implementation of {network.name}", implementation, known)
    return entries_for(network, implementation)


def _all_have_a_place(state: dict[str, torch.Tensor], entries: tuple[Entry, ...], implementation: str) -> None:
    placed = {entry.key for entry in entries}
    homeless = [key for key in state if key not in placed and not key.endswith(".num_batches_tracked")]
    if homeless:
        parts = ", ".join(dict.fromkeys(part_of(key) for key in homeless))
        raise WeightsError(
            f"{implementation} has no place for some weights",
            found=raw(f"{len(homeless)} tensors of {parts}"),
            hint="compile the network as the implementation has it (without aux, say), load the weights, export",
        )


def _tensor(state: dict[str, torch.Tensor], entry: Entry) -> torch.Tensor:
    """Our tensor of ``entry``, or a gamma of ones for a norm without gamma."""
    if entry.key in state:
        return state[entry.key]
    return torch.ones_like(state[entry.key.removesuffix("weight") + "bias"])


def _is_gamma(key: str) -> bool:
    return key.endswith(".norm.weight")


def _check_ones(gamma: torch.Tensor, key: str, implementation: str) -> None:
    if not bool((gamma == 1).all()):
        raise WeightsError(
            f"{implementation}'s norms have no gamma",
            path=key,
            found=raw(f"gammas from {gamma.min().item():.4g} to {gamma.max().item():.4g}"),
            hint="train in a dialect without gamma, or export to another implementation",
        )


def _laid_out(tensor: torch.Tensor, entry: Entry, module: NetworkModule) -> torch.Tensor:
    if entry.layout == SAME:
        return tensor
    if entry.layout == "11IO":
        tensor = tensor[:, :, None, None]
    if entry.layout == "HWIM":  # (I * M, 1, H, W)
        conv = module.get_submodule(entry.key.removesuffix(".weight"))
        assert isinstance(conv, nn.Conv2d)
        tensor = tensor.reshape(conv.groups, -1, *tensor.shape[2:])
    axes = AXES[entry.layout]
    return tensor.permute([axes.index(axis) for axis in range(len(axes))])


_SHOWN = 5  # tensors named in an error
_NORM = ("weight", "bias", "running_mean", "running_var")


def check_published(network: Network, implementation: str, given: Mapping[str, tuple[int, ...]]) -> None:
    """Raise :class:`WeightsError` unless ``given`` has the names and shapes of the tensors of ``implementation``.

    Shapes are in PyTorch's layout. Classes, input channels and auxiliary classifiers may be those of ``network``; the
    error names every other difference.
    """
    shapes = _expected_shapes(network, implementation)
    if shapes is None:
        return
    wrong = [f"{name}: {given[name]} for {shape}" for name, shape in shapes.items() if given.get(name, shape) != shape]
    wrong += [f"{name} is not there" for name in shapes if name not in given]
    wrong += [f"{name} has no place" for name in given if name not in shapes]
    if wrong:
        places = "one place" if len(wrong) == 1 else f"{len(wrong)} places"
        base = network.name.partition("@")[0]
        raise WeightsError(
            f"{implementation} has other tensors than these in {places}",
            found=raw("; ".join(wrong[:_SHOWN])),
            hint=f"export an unchanged network, in the dialect {base}@{implementation}",
        )


def _expected_shapes(network: Network, implementation: str) -> dict[str, tuple[int, ...]] | None:
    """Name and shape of every tensor that a file must have; None if no document describes the implementation."""
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
