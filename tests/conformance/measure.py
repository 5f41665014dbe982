"""How far our compiled network is from a reference implementation with the same weights, in float64."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

import inception_search as ins
from inception_search.backend.network_module import NetworkModule
from inception_search.weights.fit import turned
from inception_search.weights.naming import naming_of
from inception_search.weights.source import NetworkIn
from tests.conformance.compare import largest_difference, probe_loss, relative_difference
from tests.conformance.images import images
from tests.conformance.network import ReferenceNetwork
from tests.conformance.references import Reference


@dataclass(frozen=True)
class Differences:
    """Largest relative differences; ``worst`` is the parameter whose gradient is furthest."""

    outputs: tuple[float, ...]  # main, then auxiliary
    image_gradient: float
    parameter_gradient: float
    worst: str


def ours(reference: Reference, weights: dict[str, Tensor]) -> NetworkModule:
    """Our network with the reference's weights, computing its auxiliary heads with statistics as they are."""
    module = ins.compile(
        reference.document,
        num_classes=reference.classes or None,
        input_size=reference.input[1:],
        aux=reference.aux,
    ).double()
    ins.load_weights(module, weights)
    module.eval()
    if reference.aux:
        module.get_submodule("aux").training = True  # that one switch only: norms and dropout below it stay off
    return module


def measure(reference: Reference, count: int = 2) -> Differences:
    """Outputs and gradients of both on ``count`` random images."""
    theirs = reference.build()
    weights = theirs.state_dict()
    module = ours(reference, weights)
    x = images(reference.input, count)
    expected, expected_image = _run(theirs.outputs, x)
    found, found_image = _run(lambda image: _tuple(module(image)), x)
    gradients = _theirs_as_ours(theirs, module)
    own = {key: value.grad for key, value in module.named_parameters() if value.grad is not None}
    parameter, worst = largest_difference(own, gradients)
    return Differences(
        tuple(relative_difference(one, other) for one, other in zip(found, expected, strict=True)),
        relative_difference(found_image, expected_image),
        parameter,
        worst,
    )


def _run(outputs: Callable[[Tensor], tuple[Tensor, ...]], x: Tensor) -> tuple[tuple[Tensor, ...], Tensor]:
    """Outputs, and the gradient of a loss that tells all of them apart with respect to the images."""
    x = x.clone().requires_grad_()
    found = outputs(x)
    probe_loss(found).backward()
    assert x.grad is not None
    return found, x.grad


def _tuple(output: Tensor | tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return output if isinstance(output, tuple) else (output,)


def _theirs_as_ours(theirs: ReferenceNetwork, module: NetworkModule) -> dict[str, Tensor]:
    """The gradients of the reference's parameters, under our keys and in our layout."""
    parameters, own = theirs.parameters(), dict(module.named_parameters())
    naming = naming_of(NetworkIn(theirs.state_dict()), module.network, module.state_dict(), None)
    gradients: dict[str, Tensor] = {}
    for entry in naming.entries:
        if entry.key in own:
            gradient = parameters[entry.name].grad
            assert gradient is not None, entry.name
            gradients[entry.key] = turned(gradient, entry.layout, tuple(own[entry.key].shape))
    return gradients
