"""torch's own tools quantise every canonical network: what they emit computes nearly what the network does."""

from __future__ import annotations

import copy
import warnings

import pytest
import torch
from torch import Tensor

import inception_search as ins
from inception_search.backend.network_module import NetworkModule
from inception_search.spec.transform import shrink
from tests.weights.small_network import SMALL

quantize_fx = pytest.importorskip("torch.ao.quantization.quantize_fx")
FAST = ("inception_v1", "inception_v3", "inception_resnet_v1@facenet")  # branches, branches of branches, residual sums
NAMES = [
    name if name in FAST else pytest.param(name, marks=pytest.mark.slow)
    for name in (*ins.list_models(dialects=False), "inception_resnet_v1@facenet")
]


def in_eight_bits(module: NetworkModule, x: Tensor) -> Tensor:
    """What ``module`` makes of ``x`` in eight bits, calibrated with the same images."""
    from torch.ao.quantization import get_default_qconfig_mapping

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torchao is advised; a pool in a concat keeps the scale of what it reads
        prepared = quantize_fx.prepare_fx(copy.deepcopy(module), get_default_qconfig_mapping(), (x,))
        prepared(x)
        found: Tensor = quantize_fx.convert_fx(prepared)(x)
        return found


def with_signal(module: NetworkModule, x: Tensor) -> NetworkModule:
    """Norms with the statistics of ``x``, and projections whose outputs matter: a lost factor of a sum would show."""
    for name, value in module.named_parameters():
        if ".project.conv." in name:
            value.mul_(8)
    for part in module.modules():
        if isinstance(part, torch.nn.BatchNorm2d | torch.nn.BatchNorm1d):
            part.momentum = 1.0
    module.train()(x)
    return module.eval()


@pytest.mark.parametrize("name", NAMES)
@torch.no_grad()
def test_eight_bits_compute_nearly_the_same(name: str) -> None:
    """Random networks of a hundred layers lose up to a third to rounding; without its factor a sum loses 1.4 to 3.5."""
    whole = shrink(ins.load(name), 0.25, 0.1)
    x = torch.randn(2, *whole.input.shape, generator=torch.Generator().manual_seed(0))
    module = with_signal(ins.compile(ins.drop_head(whole), seed=0), x)
    expected = module(x)
    error = float((in_eight_bits(module, x) - expected).norm() / expected.norm())
    assert error < 0.5, error


@torch.no_grad()
def test_a_residual_is_multiplied_then_added() -> None:
    """To the last bit in float64: no instruction that rounds once where this rounds twice."""
    module = ins.compile(SMALL, seed=0).double().eval()
    assert "alpha" not in module.code
    assert " * 0.5" in module.code
    x = torch.randn(1, 3, 16, 16, dtype=torch.float64)
    stem = module.stem.act(module.stem.norm(module.stem.conv(x)))
    unit = module.get_submodule("module.0")
    seen: dict[str, Tensor] = {}
    unit.project.conv.register_forward_hook(lambda _m, _i, out: seen.update(projected=out.clone()))
    unit.act.register_forward_pre_hook(lambda _m, args: seen.update(sum=args[0].clone()))
    module(x)
    assert torch.equal(seen["sum"], stem + seen["projected"] * 0.5)
