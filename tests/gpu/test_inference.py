"""``ins.optimize`` and latencies on a device: the whole network as one recorded graph with branches on streams."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

import inception_search as ins
from inception_search.measures.latency import latency
from inception_search.spec.network import Network
from tests.execution.stand_ins import NETWORK

SIZE = 12


@pytest.fixture
def model(device: torch.device) -> ins.api.NetworkModule:
    return ins.compile(ins.load(NETWORK), seed=0).to(device).eval()


def some(device: torch.device, count: int = 2, seed: int = 0) -> Tensor:
    return torch.randn(count, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(seed)).to(device)


def test_the_output_is_that_of_the_model(device: torch.device, model: ins.api.NetworkModule) -> None:
    fast = ins.optimize(model, batch_size=2)
    first, second = (fast(some(device, seed=seed)) for seed in range(2))  # a later call overwrites no output
    for seed, found in enumerate((first, second)):
        torch.testing.assert_close(found, model(some(device, seed=seed)), rtol=5e-3, atol=5e-4)
    assert not any("not recorded as a CUDA graph" in note for note in fast.notes)


def test_changed_weights_are_seen(device: torch.device, model: ins.api.NetworkModule) -> None:
    fast = ins.optimize(model, batch_size=2, record=False)
    before = fast(some(device))
    with torch.no_grad():
        for p in model.parameters():
            p.mul_(1.5)
    after = fast(some(device))
    torch.testing.assert_close(after, model(some(device)), rtol=5e-3, atol=5e-4)
    assert not torch.allclose(before, after)


def test_many_images(device: torch.device, model: ins.api.NetworkModule) -> None:
    fast = ins.optimize(model, batch_size=2, record=False)
    found = fast.predict(some(device, 7), batch_size=2)
    torch.testing.assert_close(found, model(some(device, 7)), rtol=5e-3, atol=5e-4)


def test_bfloat16(gpu: torch.device) -> None:
    model = ins.compile("inception_v3", width=0.25, input_size=96, seed=0).to(gpu).eval()
    fast = ins.optimize(model, batch_size=2, dtype="bfloat16")
    images = torch.randn(2, 3, 96, 96, device=gpu)
    expected = model(images)
    assert (fast(images) - expected).abs().max() <= 0.05 * expected.abs().max()
    assert fast.notes == ()


def test_latency(device: torch.device, tmp_path: Path) -> None:
    network: Network = ins.load(NETWORK)
    found = latency(network, device=device.type, cache=tmp_path / "a.json")
    assert found > 0.0
    assert latency(network, device=device.type, cache=tmp_path / "a.json") == found, "it is stored"
    assert latency(network, device=device.type, whole=True) > 0.0
