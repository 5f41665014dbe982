"""Our networks compute what the implementations compute whose dialects they are: one row each.

``make conformance`` runs every row; without it the small networks of each kind are compared.
"""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

import inception_search as ins
from tests.conformance.compare import relative_difference
from tests.conformance.images import images
from tests.conformance.measure import measure, ours
from tests.conformance.references import REFERENCES
from tests.conformance.torch_networks import TorchNetwork

FAST = {"torchvision.googlenet", "cadene.bninception", "facenet_pytorch.inception_resnet_v1"}
ROWS = [name if name in FAST else pytest.param(name, marks=pytest.mark.slow) for name in REFERENCES]


@pytest.mark.parametrize("name", ROWS)
def test_outputs_and_gradients_are_those_of_the_implementation(name: str) -> None:
    reference = REFERENCES[name]
    found = measure(reference, 1 if name in FAST else 2)  # images; two take twice as long
    assert len(found.outputs) == 1 + len(reference.heads)
    assert max(found.outputs) <= 1e-10
    assert found.image_gradient <= 1e-8
    assert found.parameter_gradient <= 1e-8, found.worst


def test_the_comparison_notices_one_wrong_weight() -> None:
    reference = REFERENCES["torchvision.googlenet_noaux"]
    theirs = reference.build()
    module = ours(reference, theirs.state_dict())
    x = images(reference.input, 1)
    with torch.no_grad():
        module.get_parameter("inception_3b.branches.2.1.conv.weight")[0, 0, 0, 0] += 1e-3
        assert relative_difference(module(x), theirs.outputs(x)[0]) > 1e-10


def test_training_gives_the_same_outputs_and_statistics() -> None:
    """Batch statistics, the momentum of their running means, auxiliary heads in the order of their taps."""
    reference = REFERENCES["torchvision.googlenet"]
    theirs = reference.build()
    assert isinstance(theirs, TorchNetwork)
    module = ours(reference, theirs.state_dict())
    for network in (theirs.module, module):
        network.train()
        for part in network.modules():
            if isinstance(part, nn.Dropout):
                part.p = 0.0
    x = images(reference.input, 3)
    with torch.no_grad():
        logits, aux2, aux1 = theirs.module(x)
        for found, expected in zip(module(x), (logits, aux1, aux2), strict=True):
            assert relative_difference(found, expected) <= 1e-10
    found_state: dict[str, Tensor] = ins.export_weights(module, "torchvision")
    for name, expected in theirs.module.state_dict().items():
        assert relative_difference(found_state[name].double(), expected.double()) <= 1e-10, name
