"""Strict loading of weights of any implementation into a compiled network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from inception_search.backend.network_module import NetworkModule
from inception_search.errors import warn
from inception_search.spec.documents.parse import parse_network
from inception_search.spec.network import Network, Preprocess
from inception_search.spec.safetensors_header import DOCUMENT, classes_in
from inception_search.spec.transform import remake, set_input
from inception_search.weights.checkpoint import Checkpoint, check_digest, read_checkpoint
from inception_search.weights.dialect_check import Sides, what_differs, what_differs_from
from inception_search.weights.files.state_dict import without_prefixes
from inception_search.weights.fit import Allowed, fit, is_classifier
from inception_search.weights.naming import Naming, naming_of
from inception_search.weights.report import WeightsReport
from inception_search.weights.source import network_in, network_of_implementation

IN_FILE = Sides("here", "in the file")


class DialectWarning(UserWarning):
    """Weights were loaded into a dialect of their network that computes a different function with them."""


def load_weights(
    module: NetworkModule,
    weights: str | Path | Mapping[str, Any] | Checkpoint,
    *,
    allowed: Allowed | None = None,
) -> WeightsReport:
    """Load weights of this package or of another implementation into a model, strictly.

    A ``DialectWarning`` is given if the implementation's own dialect computes something else with these weights.

    Args:
        module: the compiled model; its weights are replaced.
        weights: a file, or a ``state_dict`` (tensors by name). Kernels of convolutions are (out, in, H, W), or in the
            layout of their implementation.
        allowed: what may differ between the weights and the model: the number of classes, the channels of the images
            (default: nothing).

    Returns:
        A report on every tensor: used, adapted, missing or unused; ``print(report)`` shows a summary.

    Raises:
        WeightsError: the weights do not fit, or the file is damaged. The model is unchanged.

    >>> model = ins.compile("nin_cifar10", width=0.25, seed=1)
    >>> report = ins.load_weights(model, ins.compile("nin_cifar10", width=0.25, seed=2).state_dict())
    >>> len(report.used) == len(model.state_dict())
    True
    """
    checkpoint = weights if isinstance(weights, Checkpoint) else read_checkpoint(weights)
    check_digest(checkpoint)
    network, own, file = module.network, module.state_dict(), checkpoint.file
    found = network_in(checkpoint.tensors, without_prefixes(own), file)
    naming = naming_of(found, network, own, file)
    state, report = fit(found, own, naming, network, allowed or Allowed(), file)
    report = replace(report, left_out=checkpoint.left_out, alike=_alike(naming))
    if difference := what_differs(network, naming.network, naming.alike):
        theirs, there = naming.implementation, difference.dialect
        warn(
            f"{theirs}'s weights in {network.name} compute something else than there: {difference.what}; "
            f"write {there} for the network these weights were trained in",
            DialectWarning,
        )
    elif DOCUMENT in checkpoint.metadata and (what := what_differs_from(network, _document(checkpoint), IN_FILE)):
        message = f"the weights were saved with another document, which computes something else: {what}"
        warn(message, DialectWarning)
    module.load_state_dict({**own, **state})
    module.remember(loaded=report)
    _normalise_as_saved(module, checkpoint)
    _name_classes(module, checkpoint, report)
    return report


def _alike(naming: Naming) -> tuple[str, ...]:
    """The other dialects whose implementations use the same tensor names."""
    others = [network_of_implementation(naming.network, name) for name in naming.alike[1:]]
    return tuple(name for name in others if "@" in name)


def _normalise_as_saved(module: NetworkModule, checkpoint: Checkpoint) -> None:
    """Adopt the image normalisation saved with a model of ours if the document of ``module`` has none.

    Warns if the two differ.
    """
    if DOCUMENT not in checkpoint.metadata:
        return
    network, saved = module.network, _document(checkpoint)
    channels, height, width = network.input.shape
    theirs = set_input(saved, channels=channels, height=height, width=width).preprocess
    if theirs is None or theirs == network.preprocess:
        return
    if network.preprocess is None:
        module.remember(network=remake(network, preprocess=theirs))
        return
    pairs = [(name, getattr(network.preprocess, name), getattr(theirs, name)) for name in Preprocess.model_fields]
    words = ", ".join(f"{name} {ours} here and {other} in the file" for name, ours, other in pairs if ours != other)
    warn(f"the weights were saved for images that are prepared differently: {words}", DialectWarning)


def _name_classes(module: NetworkModule, checkpoint: Checkpoint, report: WeightsReport) -> None:
    """Adopt the class names if the file's classifier is used without change."""
    names = classes_in(checkpoint.metadata)
    changed = (*report.fresh, *report.adapted)
    taken = not any(is_classifier(key) and key.startswith("head.") for key in changed)
    if names is not None and taken and len(names) == module.num_classes:
        module.classes = names


def _document(checkpoint: Checkpoint) -> Network:
    return parse_network(checkpoint.metadata[DOCUMENT], checkpoint.file)
