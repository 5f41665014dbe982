"""Networks with their norms folded: the same numbers, fewer operations, and the model untouched."""

from __future__ import annotations

import random
from copy import deepcopy

import pytest
import torch
from torch import fx, nn
from torch.profiler import ProfilerActivity, profile

import inception_search as ins
from inception_search.backend.build import build
from inception_search.backend.fold_batch_norm import FoldedNorms
from inception_search.data.catalogue import load_data
from inception_search.data.loader import DeviceData
from inception_search.lowering import lower
from inception_search.training.evaluate import evaluate
from tests.shipped import shipped_space
from tests.training.networks_to_train import small_inception
from tests.weights.small_network import SMALL

NETWORKS = {"bn_inception": 224, "inception_v3": 299, "inception_resnet_v2": 299}  # and the sides of their images


def unsettled(model: nn.Module, seed: int = 0) -> nn.Module:
    """The model with norms that are not what they are made with: statistics and affine maps of their own."""
    with torch.random.fork_rng([]), torch.no_grad():
        torch.manual_seed(seed)
        for module in model.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.running_mean.normal_(std=0.3)
                module.running_var.uniform_(0.5, 2.0)
                module.bias.normal_(std=0.3)
                if module.weight is not None:
                    module.weight.uniform_(0.5, 1.5)
    return model


def ops() -> profile:
    """A recorder of the ops that are computed on the processor; torch 2.11 warns unless events are kept."""
    return profile(activities=[ProfilerActivity.CPU], acc_events=True)


def norms(model: nn.Module, x: torch.Tensor) -> int:
    """How many batch norms a call of the module computes."""
    with torch.no_grad(), ops() as seen:
        model(x)
    return sum(event.name == "aten::batch_norm" for event in seen.events())


def same(model: nn.Module, x: torch.Tensor) -> nn.Module:
    """The folded module, which gives what the model does."""
    model.eval()
    folded = FoldedNorms(model).fold()
    with torch.no_grad():
        torch.testing.assert_close(folded(x), model(x), rtol=1e-9, atol=1e-9)
    return folded


LARGE = {"inception_v3", "inception_resnet_v2"}


@pytest.mark.parametrize("name", [pytest.param(n, marks=[pytest.mark.slow] * (n in LARGE)) for n in NETWORKS])
def test_canonical_networks(name: str) -> None:
    model = unsettled(ins.compile(name, num_classes=7, aux=False, seed=0).double())
    side = NETWORKS[name]
    x = torch.randn(1, 3, side, side, dtype=torch.float64)
    assert norms(same(model, x), x) == 0


@pytest.mark.parametrize("seed", [*range(4), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(4, 12))])
def test_points_of_a_space(seed: int) -> None:
    space = shipped_space("separable_modules" if seed % 2 else "inception_modules")
    network = space.decode(space.sample(random.Random(seed)))
    model = unsettled(build(lower(network), name="x", seed=seed).double(), seed)
    x = torch.randn(2, 1, 14, 14, dtype=torch.float64)
    before = norms(model.eval(), x)
    assert before > 10
    assert norms(same(model, x), x) == 0


def test_it_follows_the_weights_when_folded_anew() -> None:
    model = unsettled(ins.compile(ins.load(SMALL), aux=True).double()).eval()
    x = torch.randn(2, 3, 16, 16, dtype=torch.float64)
    folded = FoldedNorms(model)
    first = folded.fold()(x)
    unsettled(model, seed=1)
    torch.testing.assert_close(folded.fold()(x), model(x))
    assert not torch.allclose(first, model(x))


def test_the_model_is_left_as_it_was() -> None:
    model = unsettled(ins.compile(ins.load(SMALL), aux=True)).train()
    before = deepcopy(model.state_dict())
    FoldedNorms(model).fold()
    assert model.training
    assert list(model.state_dict()) == list(before)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert len(model(torch.randn(2, 3, 16, 16))) == 2, "the auxiliary head is gone"


class Odd(nn.Module):
    """A convolution with a bias whose map two read, a norm with neither scale nor shift, one without statistics."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8)
        self.other, self.plain = nn.Conv2d(8, 8, 3, groups=4, stride=2, dilation=2), nn.BatchNorm2d(8, affine=False)
        self.last, self.live = nn.Conv2d(8, 4, 1), nn.BatchNorm2d(4, track_running_stats=False)
        self.circular, self.after = nn.Conv2d(4, 4, 3, padding=1, padding_mode="circular"), nn.BatchNorm2d(4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.conv(x)
        x = self.plain(self.other(x + self.norm(x)))
        return self.after(self.circular(self.live(self.last(x))))


def test_what_cannot_be_folded_is_computed() -> None:
    model = fx.symbolic_trace(Odd().double())
    nn.init.normal_(model.plain.running_mean)
    x = torch.randn(4, 3, 24, 24, dtype=torch.float64)
    assert norms(model.eval(), x) == 4
    assert norms(same(model, x), x) == 3, "only the plain one comes after a convolution of its own"


def test_a_module_without_a_graph_is_run_as_it_is() -> None:
    model = small_inception()
    assert FoldedNorms(model).fold() is model


def test_evaluation_is_folded() -> None:
    data = DeviceData(load_data("digits", limit=50, image_size=14), "cpu")
    space = shipped_space("inception_modules")
    network = space.decode(space.sample(random.Random(0)))
    model = unsettled(build(lower(network), name="x", seed=0)).to(memory_format=torch.channels_last).train()
    with ops() as seen:
        found = evaluate(model, data)
    assert not [event for event in seen.events() if event.name == "aten::batch_norm"]
    assert model.training
    images, labels = next(iter(data.eval_batches("validation", data.size("validation"))))
    with torch.no_grad():
        logits = model.eval()(images)
    assert found.accuracy == pytest.approx((logits.argmax(1) == labels).float().mean().item(), abs=1e-6)
    assert found.loss == pytest.approx(nn.functional.cross_entropy(logits, labels).item(), rel=1e-4)
