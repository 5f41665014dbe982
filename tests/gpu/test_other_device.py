"""No tensor is made on the CPU where the network is on another device; see :mod:`tests.gpu.other_device`."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

import inception_search as ins
from inception_search.backend.emit import emit_op
from inception_search.backend.execution import Evaluated, training_form
from inception_search.backend.part import part_call
from inception_search.data.augment import Augmentation, augment
from inception_search.data.catalogue import load_data
from inception_search.data.dataset import Dataset
from inception_search.data.loader import DeviceData
from inception_search.execution.branches import forks
from inception_search.execution.captured import Captured
from inception_search.execution.optimized_model import OptimizedModel
from inception_search.lowering import lower
from inception_search.passes.pipeline import applied, passes_of, run_passes
from inception_search.spec.transform import set_input
from inception_search.training.cuda_graph import CapturedStep
from inception_search.training.evaluate import _answer
from inception_search.training.fidelity import Fidelity
from inception_search.training.norm_statistics import refresh_norm_statistics
from inception_search.training.trainer import _Run
from tests.execution.stand_ins import Again, Logged
from tests.gpu.every_op import EVERY_OP
from tests.gpu.other_device import DEVICE, OtherGenerator, other_device
from tests.proxy_networks import WIDTH, proxy_network

PUBLISHED = {"inception_v1": 64, "inception_v3": 96, "inception_v4": 96, "inception_resnet_v2": 96}
RECIPES = {
    "sgd": Fidelity(ema=0.9, cutout=0.25, batch_size=16),
    "rmsprop": Fidelity(optimizer="rmsprop", batch_size=16, augment=False),
    "adamw": Fidelity(optimizer="adamw", class_weights="balanced", batch_size=16),
}


@pytest.fixture(scope="module")
def digits() -> Dataset:
    found = load_data("digits", limit=100, image_size=16)
    assert len(found.mean) == len(found.std) == 1, "computed now, because later tensors have no values"
    return found


def there(*shape: int) -> Tensor:
    return torch.zeros(shape, device=DEVICE).contiguous(memory_format=torch.channels_last)


def test_two_devices_are_an_error() -> None:
    with other_device(), pytest.raises(RuntimeError, match=r"on two devices: one of shape \(4,\) is on the CPU"):
        torch.ones(4, device=DEVICE) + torch.ones(4)


LARGE = ("inception_v4", "inception_resnet_v2")


def slow_if(large: bool, value: object) -> object:
    """A case of a test, which is left out of the fast tests if it is large."""
    return pytest.param(value, marks=pytest.mark.slow) if large else value


@pytest.mark.parametrize("name", EVERY_OP)
def test_every_op(name: str) -> None:
    op, shape = EVERY_OP[name]
    with other_device():
        module = emit_op(op, (shape,)).to(DEVICE).train()
        value = torch.zeros(2, *shape, device=DEVICE, requires_grad=True)
        output = module(value)
        (output.sum() + value.sum()).backward()
    assert output.device == value.grad.device == DEVICE


@pytest.mark.parametrize("name", [slow_if(name in LARGE, name) for name in PUBLISHED])
def test_published_networks(name: str) -> None:
    size = PUBLISHED[name]
    with other_device():
        model = ins.compile(name, width=0.125, input_size=size).to(DEVICE, memory_format=torch.channels_last)
        outputs = model.train()(there(2, 3, size, size))
        sum(each.sum() for each in (outputs if isinstance(outputs, tuple) else (outputs,))).backward()
        assert all(p.grad.device == DEVICE for p in model.parameters())
        with torch.inference_mode():
            assert Evaluated(model.eval()).current()(there(2, 3, size, size)).device == DEVICE


@pytest.mark.parametrize("rewritten", [slow_if(True, False), True])
@pytest.mark.parametrize("recipe", RECIPES)
def test_training(digits: Dataset, recipe: str, rewritten: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Augmentation, recorded steps, moving averages, batch norm statistics and validation."""
    fidelity = RECIPES[recipe]
    network = set_input(proxy_network("inception_v1"), channels=1, height=16, width=16)
    sites = applied(run_passes(lower(network), "training", only=passes_of("training"))) if rewritten else None
    with other_device():
        data = DeviceData(digits, DEVICE)
        weights = torch.ones(10, device=DEVICE) if recipe == "adamw" else None
        monkeypatch.setattr(data, "class_weights", lambda chosen: weights)  # these are computed on the CPU, and moved
        model = ins.compile(network, width=WIDTH).to(DEVICE, memory_format=torch.channels_last).train()
        run = _Run(model, training_form(model, sites), data, fidelity, 0, (), capture=True)
        assert run._steps(1).device == DEVICE
        assert isinstance(run.take_step, CapturedStep)
        assert run.take_step.notes == []
        generator = run.progress.generator
        refresh_norm_statistics(model, data, images=32, generator=generator, compute=run.form)
        answers, truth = (torch.empty(30, dtype=torch.int64, device=DEVICE) for _ in range(2))
        with torch.inference_mode():
            batches = data.eval_batches("validation", 16, 30)
            total = _answer(Evaluated(model.eval()).current(), batches, "float32", answers, truth)
        assert total.device == DEVICE
        if run.progress.average is not None:
            run.progress.average.exchange()


@pytest.mark.parametrize("padding", ["zero", "reflect"])
def test_augmentation(padding: str) -> None:
    what = Augmentation(shift=0.25, flip=True, padding=padding, cutout=0.5)
    with other_device():
        images = torch.zeros(4, 8, 8, 3, dtype=torch.uint8, device=DEVICE)
        assert augment(images, what, OtherGenerator()).device == DEVICE


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("name", ["inception_v1", slow_if(True, "inception_resnet_v2")])
def test_optimized_code(name: str, dtype: str) -> None:
    size = PUBLISHED[name]
    with other_device():
        model = ins.compile(name, width=0.125, input_size=size).to(DEVICE).eval()
        fast = OptimizedModel(model, dtype)
        made = fast._code(fast._graph(size, size), 2, fused=False, overwrites=False)
        images = there(2, 3, size, size)
        with torch.inference_mode():
            assert made(images).device == DEVICE
            run = made._compiled(made.source.text(forks(made.plan)), Logged())
            captured = Captured(run, images, Again())
            assert captured(images).device == DEVICE


@pytest.mark.parametrize("phase", ["training", "inference"])
def test_measured_parts(phase: str) -> None:
    graph = lower(set_input(proxy_network("inception_v4"), height=16, width=16))
    with other_device():
        part_call(graph, 2, DEVICE, phase, "float32")()
