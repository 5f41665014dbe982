"""Networks in evaluation: the same numbers by fewer operations, and their own numbers after changes by a user."""

from __future__ import annotations

import random
from collections.abc import Callable
from copy import deepcopy

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations
from torch.profiler import ProfilerActivity, profile

import inception_search as ins
from inception_search.backend.build import build
from inception_search.backend.execution import Evaluated
from inception_search.backend.network_module import NetworkModule
from inception_search.backend.rewritten import Rewritten
from inception_search.data.catalogue import load_data
from inception_search.data.loader import DeviceData
from inception_search.lowering import lower
from inception_search.training.evaluate import evaluate
from tests.passes.checks import unsettled
from tests.shipped import shipped_space
from tests.training.networks_to_train import small_inception
from tests.weights.small_network import SMALL

NETWORKS = {"bn_inception": 224, "inception_v3": 299, "inception_resnet_v2": 299}  # and the sides of their images
LARGE = {"inception_v3", "inception_resnet_v2"}


def ops() -> profile:
    """A recorder of the ops that are computed on the processor; torch 2.11 warns unless events are kept."""
    return profile(activities=[ProfilerActivity.CPU], acc_events=True)


def norms(model: nn.Module, x: torch.Tensor) -> int:
    """How many batch norms a call of the module computes."""
    with torch.no_grad(), ops() as seen:
        model(x)
    return sum(event.name == "aten::batch_norm" for event in seen.events())


def same(model: nn.Module, x: torch.Tensor) -> nn.Module:
    """The module that is evaluated, which gives what the model does."""
    model.eval()
    fast = Evaluated(model).current()
    with torch.no_grad():
        torch.testing.assert_close(fast(x), model(x), rtol=1e-9, atol=1e-9)
    return fast


def small(seed: int = 0) -> NetworkModule:
    """A small network in float64 with norms of its own."""
    return unsettled(ins.compile(ins.load(SMALL), aux=True, seed=seed).double())


def images() -> torch.Tensor:
    """Images for :func:`small`."""
    return torch.randn(2, 3, 16, 16, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("name", [pytest.param(n, marks=[pytest.mark.slow] * (n in LARGE)) for n in NETWORKS])
def test_canonical_networks(name: str) -> None:
    model = unsettled(ins.compile(name, num_classes=7, aux=False, seed=0).double())
    x = torch.randn(1, 3, NETWORKS[name], NETWORKS[name], dtype=torch.float64)
    assert norms(same(model, x), x) == 0


@pytest.mark.parametrize("seed", [*range(4), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(4, 12))])
def test_points_of_a_space(seed: int) -> None:
    space = shipped_space("separable_modules" if seed % 2 else "inception_modules")
    network = ins.set_input(space.decode(space.sample(random.Random(seed))), height=14, width=14)
    model = unsettled(build(lower(network), name="x", seed=seed).double(), seed)
    x = torch.randn(2, 1, 14, 14, dtype=torch.float64)
    before = norms(model.eval(), x)
    assert before > 10
    assert norms(same(model, x), x) == 0


def test_it_follows_the_weights() -> None:
    model, x = small().eval(), images()
    evaluated = Evaluated(model)
    first = evaluated.current()(x)
    unsettled(model, seed=1)
    torch.testing.assert_close(evaluated.current()(x), model(x))
    assert not torch.allclose(first, model(x))


def test_the_model_is_left_as_it_was() -> None:
    model = small().train()
    before = deepcopy(model.state_dict())
    Evaluated(model).current()
    assert model.training
    assert list(model.state_dict()) == list(before)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert len(model(images())) == 2, "the auxiliary classifier is gone"


def _frozen(model: NetworkModule) -> None:
    model.freeze(until=model.stages[-1])


def _classifier(model: NetworkModule) -> None:
    model.reset_classifier(3)


def _no_classifier(model: NetworkModule) -> None:
    model.reset_classifier(0, "none")


def _channels_last(model: NetworkModule) -> None:
    model.to(memory_format=torch.channels_last)


def _statistics(model: NetworkModule) -> None:
    for layer in model.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.momentum = 1.0


@pytest.mark.parametrize("change", [_frozen, _classifier, _no_classifier, _channels_last, _statistics])
def test_networks_that_are_still_those_of_their_documents(change: Callable[[NetworkModule], None]) -> None:
    model = small()
    change(model)
    for each in (model, deepcopy(model)):
        assert isinstance(same(each, images()), Rewritten)


def conv_of(model: nn.Module) -> tuple[nn.Module, str, nn.Conv2d]:
    """The first convolution of the model, with its parent and its name there."""
    return next(
        (parent, name, layer)
        for parent in model.modules()
        for name, layer in parent.named_children()
        if isinstance(layer, nn.Conv2d)
    )


def _another_layer(model: NetworkModule) -> None:
    parent, name, conv = conv_of(model)
    options = {"padding": conv.padding, "padding_mode": "circular", "bias": conv.bias is not None}
    setattr(
        parent, name, nn.Conv2d(conv.in_channels, conv.out_channels, conv.kernel_size, conv.stride, **options).double()
    )


def _another_kind(model: NetworkModule) -> None:
    for parent in list(model.modules()):
        for name, layer in list(parent.named_children()):
            if isinstance(layer, nn.ReLU):
                setattr(parent, name, nn.SiLU())


def _without_statistics(model: NetworkModule) -> None:
    for layer in model.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.running_mean = layer.running_var = None


def _parametrised(model: NetworkModule) -> None:
    parametrizations.weight_norm(conv_of(model)[2])
    conv_of(model)[2].parametrizations.weight.original0.data.mul_(2)


def _hooked(model: NetworkModule) -> None:
    conv_of(model)[2].register_forward_hook(lambda layer, inputs, output: output * 2)


def _own_forward(model: NetworkModule) -> None:
    conv = conv_of(model)[2]
    conv.forward = lambda x: nn.Conv2d.forward(conv, x) * 2


def _another_call(model: NetworkModule) -> None:
    output = next(node for node in model.graph.nodes if node.op == "output")
    with model.graph.inserting_before(output):
        twice = model.graph.call_function(torch.mul, (output.args[0], 2))
    output.args = (twice,)
    model.recompile()


def _another_eps(model: NetworkModule) -> None:
    for layer in model.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.eps = 1.0


CHANGES = [_another_layer, _another_kind, _without_statistics, _parametrised, _hooked, _own_forward, _another_call]


@pytest.mark.parametrize("change", [*CHANGES, _another_eps])
def test_a_changed_network_gives_its_own_answer(change: Callable[[NetworkModule], None]) -> None:
    model = ins.compile(ins.load(SMALL), aux=False, seed=0).double().eval()
    unsettled(model)
    evaluated = Evaluated(model)
    before = evaluated.current()(images())
    change(model)
    after = evaluated.current()
    assert after is model
    assert not torch.allclose(after(images()), before), "the change does not change anything"


def test_a_layer_of_the_same_kind_is_read_anew() -> None:
    model = small().eval()
    evaluated = Evaluated(model)
    evaluated.current()
    parent, name, conv = conv_of(model)
    setattr(parent, name, deepcopy(conv))
    nn.init.normal_(getattr(parent, name).weight)
    fast = evaluated.current()
    assert isinstance(fast, Rewritten)
    torch.testing.assert_close(fast(images()), model(images()))


def test_norms_of_another_dtype_run_as_they_are() -> None:
    model = ins.compile(ins.load(SMALL), aux=False, seed=0).bfloat16()
    for layer in model.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.float()
    assert Evaluated(model.eval()).current() is model


def test_a_module_without_a_document_is_run_as_it_is() -> None:
    model = small_inception()
    assert Evaluated(model).current() is model


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_evaluation_is_without_norms(precision: str) -> None:
    data = DeviceData(load_data("digits", limit=50, image_size=14), "cpu")
    space = shipped_space("inception_modules")
    network = ins.set_input(space.decode(space.sample(random.Random(0))), height=14, width=14)
    model = unsettled(build(lower(network), name="x", seed=0)).to(memory_format=torch.channels_last).train()
    with ops() as seen:
        found = evaluate(model, data, precision=precision)
    assert not [event for event in seen.events() if event.name == "aten::batch_norm"]
    assert model.training
    images, labels = next(iter(data.eval_batches("validation", data.size("validation"))))
    with torch.no_grad():
        logits = model.eval()(images)
    loose = precision == "bfloat16"
    accuracy = (logits.argmax(1) == labels).float().mean().item()
    assert found.accuracy == pytest.approx(accuracy, abs=0.1 if loose else 1e-6)
    assert found.loss == pytest.approx(nn.functional.cross_entropy(logits, labels).item(), rel=5e-2 if loose else 1e-4)


def test_images_of_another_size_are_computed_by_the_document() -> None:
    """A rewrite is exact for the sizes of its graph: this pool does nothing on the document's images only."""
    text = "schema: inception-search/network\nversion: 1\nname: sized\ninput: 3x8x8\n"
    text += "stages: {stem: 3x3 4, pool: {adaptive_pool: {size: 8x8}}, last: 3x3 4}\nhead: {classes: 5}\n"
    model = unsettled(ins.compile(ins.load(text), seed=0).double()).eval()
    fast = Evaluated(model).current()
    with torch.no_grad():
        for size in (8, 12):
            x = torch.randn(2, 3, size, size, dtype=torch.float64)
            torch.testing.assert_close(fast(x), model(x), rtol=1e-9, atol=1e-9)
