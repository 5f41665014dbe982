"""Saving and restoring the complete state of a training, with the identity of the run that it belongs to."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.optim import Optimizer

from inception_search.data.loader import DeviceData
from inception_search.errors import CheckpointError
from inception_search.passes.pipeline import Applied
from inception_search.training.checkpoint_format import pack, unpack
from inception_search.training.fidelity import Fidelity
from inception_search.training.optimizers import parameters_of
from inception_search.training.result import EpochMetrics
from inception_search.training.weight_average import WeightAverage

_VERSION = 1


@dataclass(eq=False)
class Progress:
    """The complete mutable state of a training between epochs, except torch's random state."""

    model: nn.Module
    optimizer: Optimizer
    average: WeightAverage | None
    generator: Generator
    rewrites: Applied | None = None
    """The passes that rewrote the network and where; None: it is trained as it is."""
    step: int = 0
    curve: list[EpochMetrics] = field(default_factory=list)


def identity(
    model: nn.Module, data: DeviceData, fidelity: Fidelity, seed: int, aux_weights: tuple[float, ...]
) -> dict[str, Any]:
    """The facts that two runs must share so that one can continue from the state of the other: plain JSON values."""
    recipe = fidelity.to_dict()
    del recipe["curve_images"]  # used only for reporting, so it does not influence the training
    if recipe["class_weights"] == "none":
        del recipe["class_weights"]  # states of earlier versions do not have this field
    return {
        "fidelity": recipe,
        "seed": seed,
        "aux_weights": list(aux_weights),
        "network": network_digest(model),
        "data": data.fingerprint,
        "device": data.device.type,  # other kinds of devices have different random generators
    }


def dump(progress: Progress, run_identity: Mapping[str, Any]) -> bytes:
    """``progress`` and torch's random state as bytes that only a run with the same identity can load."""
    tensors = {f"model.{name}": tensor for name, tensor in progress.model.state_dict().items()}
    numbers: dict[str, Any] = {}
    for index, p in enumerate(parameters_of(progress.optimizer)):
        for key, value in progress.optimizer.state.get(p, {}).items():
            (tensors if isinstance(value, Tensor) else numbers)[f"optimizer.{index}.{key}"] = value
    if progress.average is not None:
        tensors |= {f"average.{index}": mean for index, mean in enumerate(progress.average.means)}
    tensors["generator"] = progress.generator.get_state()
    tensors["random.cpu"] = torch.get_rng_state()
    if progress.generator.device.type == "cuda":
        tensors["random.cuda"] = torch.cuda.get_rng_state(progress.generator.device)
    facts = {
        "version": _VERSION,
        "identity": run_identity,
        "step": progress.step,
        "curve": [point.to_dict() for point in progress.curve],
        "optimizer": numbers,
        "rewrites": progress.rewrites,
    }
    return pack(tensors, facts)


def restore(progress: Progress, data: bytes, run_identity: Mapping[str, Any]) -> None:
    """Restore ``progress`` and torch's random state from the bytes of :func:`dump`.

    Raises CheckpointError, and changes nothing, if ``data`` is damaged or belongs to a run with another identity.
    """
    tensors, facts = unpack(data)
    _check(facts, run_identity)
    with torch.no_grad():
        for name, tensor in progress.model.state_dict().items():
            tensor.copy_(tensors[f"model.{name}"])
        _restore_optimizer(progress.optimizer, tensors, facts["optimizer"])
        for index, mean in enumerate(progress.average.means if progress.average is not None else ()):
            mean.copy_(tensors[f"average.{index}"])
    progress.generator.set_state(tensors["generator"])
    torch.set_rng_state(tensors["random.cpu"])
    if "random.cuda" in tensors:
        torch.cuda.set_rng_state(tensors["random.cuda"], progress.generator.device)
    progress.step = facts["step"]
    progress.curve[:] = [EpochMetrics(**point) for point in facts["curve"]]


def saved_rewrites(data: bytes) -> Applied | None:
    """The rewrites with which the state in ``data`` was trained; None for a network that was trained as it is.

    Other rewrites are equal up to rounding only, so that the result would depend on where a run was interrupted.
    """
    found = unpack(data)[1].get("rewrites")
    return None if found is None else tuple((name, path) for name, path in found)


def _check(facts: Mapping[str, Any], run_identity: Mapping[str, Any]) -> None:
    hint = "begin the training again without it"
    if facts.get("version") != _VERSION:
        found, expected = facts.get("version"), str(_VERSION)
        raise CheckpointError("the checkpoint has another version", found=found, expected=expected, hint=hint)
    theirs = facts["identity"]
    for part, ours in run_identity.items():
        if theirs.get(part) != ours:
            where, found, expected = _difference(part, theirs.get(part), ours)
            raise CheckpointError(f"the checkpoint is of another {where}", found=found, expected=expected, hint=hint)


def _difference(part: str, theirs: Any, ours: Any) -> tuple[str, Any, str]:
    """The first difference of two identities, with both values: a field of a mapping, or an entire part."""
    if isinstance(theirs, Mapping) and isinstance(ours, Mapping):
        for name in {**ours, **theirs}:
            if theirs.get(name) != ours.get(name):
                return f"{part}: {name}", theirs.get(name), str(ours.get(name))
    return part, theirs, str(ours)


def _restore_optimizer(optimizer: Optimizer, tensors: Mapping[str, Tensor], numbers: Mapping[str, Any]) -> None:
    """Restore the state by parameter number. Tensors take their parameter's memory layout, as fused kernels require."""
    parameters = list(parameters_of(optimizer))
    optimizer.state.clear()
    for name, value in {**tensors, **numbers}.items():
        if not name.startswith("optimizer."):
            continue
        _, index, key = name.split(".", 2)
        p = parameters[int(index)]
        if isinstance(value, Tensor):
            place = (
                torch.empty_like(p, dtype=value.dtype)
                if value.shape == p.shape
                else torch.empty_like(value, device=p.device)
            )
            value = place.copy_(value)
        optimizer.state.setdefault(p, {})[key] = value


def network_digest(model: nn.Module) -> str:
    """SHA-256 of the layers, the code that connects them, and the names, shapes and dtypes of the state."""
    trains = {name for name, p in model.named_parameters() if p.requires_grad}
    state = [(name, tuple(t.shape), str(t.dtype), name in trains) for name, t in model.state_dict().items()]
    return hashlib.sha256(f"{model}\n{state}".encode()).hexdigest()
