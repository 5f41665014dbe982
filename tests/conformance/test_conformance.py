"""Our networks compute what the implementations compute whose dialects they are: one row each.

``pytest tests/conformance -m "slow or not slow"`` runs every row.
"""

from __future__ import annotations

import pytest

from tests.conformance.measure import measure
from tests.conformance.references import REFERENCES

FAST = {"torchvision.googlenet", "cadene.bninception", "facenet_pytorch.inception_resnet_v1"}
ROWS = [name if name in FAST else pytest.param(name, marks=pytest.mark.slow) for name in REFERENCES]


@pytest.mark.parametrize("name", ROWS)
def test_outputs_and_gradients_are_those_of_the_implementation(name: str) -> None:
    reference = REFERENCES[name]
    found = measure(reference)
    assert len(found.outputs) == 1 + len(reference.heads)
    assert max(found.outputs) <= 1e-10
    assert found.image_gradient <= 1e-8
    assert found.parameter_gradient <= 1e-8, found.worst
