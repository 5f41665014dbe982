"""Outputs and gradients on a device are those on the CPU."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn

import inception_search as ins
from inception_search.backend.emit import emit_op
from inception_search.data.catalogue import load_data
from inception_search.data.loader import DeviceData
from inception_search.graph import ops
from inception_search.graph.types import FeatureMap
from inception_search.training.evaluate import evaluate
from tests.gpu.every_op import EVERY_OP
from tests.proxy_networks import MODULES, WIDTH, proxy_network

TF32 = 2e-3  # share of the largest value; a GPU multiplies float32 with 10 bits of mantissa in convolutions


def close(found: Tensor, expected: Tensor, share: float) -> None:
    difference = (found.detach().cpu() - expected.detach()).abs().max()
    assert difference <= share * expected.detach().abs().max() + 1e-12


def results(module: nn.Module, images: Tensor) -> list[Tensor]:
    """The output, the gradients and the running statistics after a forward and a backward pass."""
    images = images.clone().requires_grad_()
    output = module(images)
    weights = torch.linspace(-1, 1, output.numel(), dtype=torch.float64).reshape(output.shape)
    (output * weights.to(output)).sum().backward()
    found = [output, images.grad, *(p.grad for p in module.parameters()), *module.buffers()]
    return [torch.zeros_like(images) if each is None else each for each in found]


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
@pytest.mark.parametrize("name", EVERY_OP)
def test_every_op_forward_and_backward(device: torch.device, name: str, dtype: torch.dtype) -> None:
    op, shape = EVERY_OP[name]
    torch.manual_seed(0)
    module = emit_op(op, (shape,)).to(dtype).train(not isinstance(op, ops.Dropout))
    images = torch.randn(3, *shape, dtype=dtype)
    if isinstance(op, ops.Zero):
        images = images.requires_grad_()
        assert not module.to(device)(images.to(device)).any()
        return
    there = copy.deepcopy(module).to(device)
    layout = torch.channels_last if isinstance(shape, FeatureMap) else torch.contiguous_format
    found = results(there, images.to(device).contiguous(memory_format=layout))
    for one, other in zip(found, results(module, images), strict=True):
        close(one, other, 1e-9 if dtype == torch.float64 else TF32)


@pytest.mark.parametrize("family", MODULES)
def test_networks_in_bfloat16(device: torch.device, family: str) -> None:
    """Autocast, as trainings with ``precision="bfloat16"`` use it."""
    model = ins.compile(proxy_network(family), width=WIDTH, seed=0).eval()
    images = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    expected = model(images)
    model.to(device, memory_format=torch.channels_last)
    with torch.autocast(device.type, torch.bfloat16):
        found = model(images.to(device))
    close(found.float(), expected, 0.05)


def test_dropout_leaves_the_right_share(device: torch.device) -> None:
    module = emit_op(ops.Dropout(0.3), (FeatureMap(8, 32, 32),)).to(device).train()
    share = float((module(torch.ones(16, 8, 32, 32, device=device)) == 0).float().mean())
    assert share == pytest.approx(0.3, abs=0.01)


def test_validation_gives_the_same_metrics(device: torch.device) -> None:
    """The network is rewritten for it: batch norms are folded into convolutions."""
    data = load_data("digits", limit=64, image_size=8)
    model = ins.compile("nin_cifar10", width=0.125, in_channels=1, input_size=8, num_classes=10, seed=0)
    expected = evaluate(model, DeviceData(data, "cpu"), "validation", images=200)
    found = evaluate(model.to(device), DeviceData(data, device), "validation", images=200)
    assert found.loss == pytest.approx(expected.loss, rel=1e-2)
    assert found.accuracy == pytest.approx(expected.accuracy, abs=0.02)
