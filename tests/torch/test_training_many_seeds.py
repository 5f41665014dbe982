"""Seeds trained together are the seeds trained alone."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_

from inception_search.api import compile as compile_network
from inception_search.data.augment import Augmentation
from inception_search.data.catalogue import load_data
from inception_search.data.loader import DeviceData
from inception_search.errors import CheckpointError, ConfigError, TrainingError
from inception_search.spec.transform import scale_network_width
from inception_search.training.devices import settings
from inception_search.training.fidelity import Fidelity
from inception_search.training.many_seeds import train_many
from inception_search.training.optimizers import make_optimizer
from inception_search.training.seeds_gain import measured_speedup, pays
from inception_search.training.stacked import StackedWork, clip_each
from inception_search.training.step import EagerStep, Work
from inception_search.training.trainer import TrainingResult, train
from tests.shipped import shipped_space
from tests.torch.memory import Memory
from tests.torch.networks_to_train import small_inception

SEEDS = (3, 1, 4)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Threads of a busy machine wait for each other."""
    with settings(torch.device("cpu"), threads=1, seed=0):
        yield


@pytest.fixture(scope="module")
def few() -> DeviceData:
    data = load_data("digits", limit=64, image_size=8)
    return DeviceData(replace(data, augmentation=Augmentation(shift=1 / 8, flip=True)), "cpu")


def networks(**sizes: Any) -> list[nn.Module]:
    return [small_inception(seed, **({"width": 2, "aux": True} | sizes)) for seed in SEEDS]


RECIPES: dict[str, dict[str, Any]] = {
    "sgd": {},
    "rmsprop": {"optimizer": "rmsprop", "gradient_clip": 0.5},
    "adamw": {
        **{"optimizer": "adamw", "schedule": "constant", "decay": 0.3},
        **{"class_weights": {"1": 5.0, "7": 0.5}, "label_smoothing": 0.2},
    },
    "average": {"ema": 0.9, "cutout": 0.3, "curve_images": 9},
    "running statistics": {"norm_images": 0},
}


@pytest.mark.parametrize("recipe", RECIPES)
def test_together_is_alone(few: DeviceData, recipe: str) -> None:
    fields = {"epochs": 2, "batch_size": 16, "norm_images": 32, "threads": 1, "learning_rate": 0.01}
    fidelity = Fidelity(**(fields | RECIPES[recipe]))
    together, alone = networks(), networks()
    found = train_many(together, few, fidelity, seeds=SEEDS, aux_weights=(0.3,))
    expected = [
        train(model, few, fidelity, seed=seed, aux_weights=(0.3,)) for model, seed in zip(alone, SEEDS, strict=True)
    ]
    for one, other in zip(together, alone, strict=True):
        for name, tensor in other.state_dict().items():
            torch.testing.assert_close(one.state_dict()[name], tensor, rtol=2e-3, atol=2e-4, msg=name)
    for result, separate in zip(found, expected, strict=True):
        assert (result.steps, result.stopped) == (separate.steps, False)
        for point, other_point in zip(result.curve, separate.curve, strict=True):
            assert point.to_dict() == pytest.approx({**other_point.to_dict(), "seconds": point.seconds}, rel=2e-3)


@pytest.mark.parametrize(
    ("recipe", "first"),
    [pytest.param("rmsprop", "together", marks=pytest.mark.slow), ("adamw", "alone"), ("average", "together")],
)
def test_either_goes_on_from_what_the_other_saved(few: DeviceData, recipe: str, first: str) -> None:
    fields = {"epochs": 2, "batch_size": 16, "norm_images": 32, "threads": 1, "learning_rate": 0.01}
    fidelity = Fidelity(**(fields | RECIPES[recipe]))
    saved = [Memory() for _ in SEEDS]

    def alone(models: list[nn.Module], until: int) -> list[TrainingResult]:
        runs = zip(models, SEEDS, saved, strict=True)
        return [train(m, few, fidelity, seed=s, aux_weights=(0.3,), checkpoint=c, until=until) for m, s, c in runs]

    def together(models: list[nn.Module], until: int) -> tuple[TrainingResult, ...]:
        given = {"seeds": SEEDS, "aux_weights": (0.3,), "checkpoints": saved}
        return train_many(models, few, fidelity, report=lambda metrics: metrics[0].epoch < until, **given)

    begin, go_on = (together, alone) if first == "together" else (alone, together)
    assert all(result.stopped for result in begin(networks(), 1))
    models, whole = networks(), networks()
    found = go_on(models, 2)
    expected = [train(m, few, fidelity, seed=s, aux_weights=(0.3,)) for m, s in zip(whole, SEEDS, strict=True)]
    assert [(result.resumed_from, result.stopped, result.steps) for result in found] == [(1, False, 8)] * 3
    for result, separate in zip(found, expected, strict=True):
        point, other = result.final, separate.final  # one where a run pauses is measured on more images
        assert point.to_dict() == pytest.approx({**other.to_dict(), "seconds": point.seconds}, rel=2e-3)
    for one, trained in zip(models, whole, strict=True):
        for name, tensor in trained.state_dict().items():
            torch.testing.assert_close(one.state_dict()[name], tensor, rtol=2e-3, atol=2e-4, msg=name)


def test_seeds_at_different_epochs_do_not_go_on_together(few: DeviceData) -> None:
    saved = [Memory() for _ in SEEDS]
    fidelity = Fidelity(epochs=2, batch_size=16, threads=1)
    train(networks(aux=False)[0], few, fidelity, seed=SEEDS[0], checkpoint=saved[0], until=1)
    with pytest.raises(CheckpointError, match="the seeds have come to different epochs, got epochs 0, 1"):
        train_many(networks(aux=False), few, fidelity, seeds=SEEDS, checkpoints=saved)


def test_a_compiled_network_trains_together(few: DeviceData) -> None:
    """The module that a document is compiled to, with its in-place activations, at one step from equal weights."""
    together, alone = ([compiled(seed).double() for seed in SEEDS] for _ in range(2))
    fidelity = Fidelity(epochs=1, batch_size=16, norm_images=0, threads=1)
    batches = [next(few.train_batches(16, torch.Generator().manual_seed(seed))) for seed in SEEDS]
    work = StackedWork(together, fidelity, ())
    work.prepare(0.1, 1)
    losses = work.run(torch.stack([x.double() for x, _ in batches]), torch.stack([y for _, y in batches]))
    work.unstack()
    for model, (images, labels), loss, trained in zip(alone, batches, losses, together, strict=True):
        step = EagerStep(Work(model.train(), make_optimizer(model, fidelity), fidelity, (), None))
        torch.testing.assert_close(step(images.double(), labels, 0.1, 1), loss, rtol=1e-10, atol=0)
        for name, tensor in trained.state_dict().items():
            if not name.endswith("num_batches_tracked"):
                torch.testing.assert_close(model.state_dict()[name], tensor, rtol=1e-8, atol=1e-10, msg=name)


def compiled(seed: int) -> nn.Module:
    """A point of a shipped space."""
    space = shipped_space("inception_modules")
    network = scale_network_width(space.decode(space.sample(random.Random(0))), 0.25)
    return compile_network(network, in_channels=1, input_size=8, seed=seed)


def test_dropout_differs_between_seeds(few: DeviceData) -> None:
    """Twins that differ in nothing but the numbers dropout draws for them."""
    twins: list[nn.Module] = [nn.Sequential(nn.Dropout(0.5), small_inception(0, width=2)) for _ in range(2)]
    found = train_many(twins, few, Fidelity(epochs=1, batch_size=16, threads=1), seeds=(5, 5))
    assert found[0].final.train_loss != found[1].final.train_loss


def test_clipping_is_by_network() -> None:
    draw = torch.Generator().manual_seed(0)
    stacked = [torch.randn(3, 4, 2, generator=draw), torch.randn(3, 5, generator=draw) * 9]
    stacked = [g * torch.tensor([0.01, 1.0, 50.0]).view(-1, *[1] * (g.ndim - 1)) for g in stacked]
    expected: list[list[Tensor]] = []
    for index in range(3):
        parameters = [nn.Parameter(torch.zeros(g.shape[1:])) for g in stacked]
        for p, g in zip(parameters, stacked, strict=True):
            p.grad = g[index].clone()
        clip_grad_norm_(parameters, 2.0)
        expected.append([p.grad for p in parameters if p.grad is not None])
    clip_each(stacked, 2.0)
    for index in range(3):
        torch.testing.assert_close([g[index] for g in stacked], expected[index])


def test_one_that_diverges_ends_all(few: DeviceData) -> None:
    models = networks(aux=False)
    with torch.no_grad():
        models[1].head.bias.fill_(math.nan)
    with pytest.raises(TrainingError, match="diverged: the training loss is not finite in epoch 1"):
        train_many(models, few, Fidelity(epochs=1, batch_size=16, threads=1), seeds=SEEDS)


def test_every_model_needs_a_seed(few: DeviceData) -> None:
    with pytest.raises(ConfigError, match="seeds: wrong number of seeds, got 2; expected 3 seeds for as many models"):
        train_many(networks(), few, Fidelity(), seeds=(1, 2))


def test_models_of_one_architecture_only(few: DeviceData) -> None:
    other = small_inception(width=2)
    other.pool = nn.AvgPool2d(3, 2, 1)
    with pytest.raises(ConfigError, match="models: the models differ in more than their weights"):
        train_many([small_inception(width=2), other], few, Fidelity(), seeds=(1, 2))


def test_it_never_pays_on_a_cpu_and_is_measured_on_a_gpu() -> None:
    assert not pays(torch.device("cpu"), lambda: pytest.fail("measured"))
    assert [pays(torch.device("cuda"), lambda gain=gain: gain) for gain in (0.9, 1.0, 1.2, 3.0)] == [
        *(False, False),
        *(True, True),
    ]


def test_the_gain_is_measured_on_copies(few: DeviceData) -> None:
    model = small_inception(width=2)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    assert measured_speedup(model, few, Fidelity(batch_size=16, threads=1), seeds=2) > 0
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())
