"""Our compiled networks compute what timm's compute, with timm's weights copied over."""

from __future__ import annotations

import pytest
import torch

import inception_search as ins
from tests.torch.reference import copy_weights, timm_network

NETWORKS = ("inception_v3", "inception_v4", "inception_resnet_v2")


@pytest.mark.parametrize("name", NETWORKS)
def test_outputs_equal_timms(name: str) -> None:
    reference, ours = timm_network(name).eval(), ins.compile(name).eval()
    x = torch.randn(2, 3, 299, 299, generator=torch.Generator().manual_seed(1))
    copy_weights(reference, ours, x[:1])
    with torch.no_grad():
        expected, found = reference(x), ours(x)
    assert (found - expected).abs().max() <= 1e-5 * expected.abs().max()


@pytest.mark.parametrize("name", NETWORKS)
def test_the_comparison_notices_a_wrong_weight(name: str) -> None:
    reference, ours = timm_network(name).eval(), ins.compile(name).eval()
    x = torch.randn(1, 3, 299, 299, generator=torch.Generator().manual_seed(1))
    copy_weights(reference, ours, x)
    with torch.no_grad():
        next(ours.parameters()).mul_(1.01)
        expected, found = reference(x), ours(x)
    assert (found - expected).abs().max() > 1e-5 * expected.abs().max()


def test_auxiliary_head_equals_timms_in_training() -> None:
    reference = timm_network("inception_v3", aux_logits=True)
    ours = ins.compile("inception_v3", aux=True)
    x = torch.randn(2, 3, 299, 299, generator=torch.Generator().manual_seed(1))
    for model in (reference, ours):
        model.train()
        for part in model.modules():
            if isinstance(part, torch.nn.BatchNorm2d):
                part.momentum = 0.0  # forwards must not move the statistics while the order is found
    _copy_with_aux(reference, ours, x)
    (expected, expected_aux), (found, found_aux) = reference(x), ours(x)
    for one, other in ((found, expected), (found_aux, expected_aux)):
        assert (one - other).abs().max() <= 1e-4 * other.abs().max()  # batch statistics of two images amplify


def _copy_with_aux(reference: torch.nn.Module, ours: torch.nn.Module, x: torch.Tensor) -> None:
    """timm runs its auxiliary head in the middle (and in evaluation, too), ours last: copy trunk and head apart."""
    theirs_aux = reference.AuxLogits
    assert isinstance(theirs_aux, torch.nn.Module)
    reference.AuxLogits = torch.nn.Identity()
    copy_weights(reference.eval(), ours.eval(), x[:1])
    reference.AuxLogits = theirs_aux
    layers = (torch.nn.Conv2d, torch.nn.BatchNorm2d, torch.nn.Linear)
    sources = [m for m in theirs_aux.modules() if isinstance(m, layers)]
    targets = [m for m in ours.get_submodule("aux.aux").modules() if isinstance(m, layers)]
    assert len(sources) == len(targets) == 5
    for source, target in zip(sources, targets, strict=True):
        target.load_state_dict(source.state_dict())
    reference.train()
    ours.train()
