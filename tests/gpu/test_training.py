"""Trainings on a device: recorded steps, interrupted runs, losses that are not finite, too little memory."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from inception_search.data.catalogue import load_data
from inception_search.data.loader import DeviceData
from inception_search.errors import TrainingError
from inception_search.training.fidelity import Fidelity
from inception_search.training.trainer import reason, train
from tests.training.memory import Memory
from tests.training.networks_to_train import small_inception

RECIPES: dict[str, dict[str, Any]] = {
    "sgd": {},
    "rmsprop": {"optimizer": "rmsprop"},
    "adamw": {"optimizer": "adamw"},
    "average": {"ema": 0.9},
    "bfloat16": {"precision": "bfloat16"},
    "class weights": {"class_weights": {"1": 5.0, "7": 0.5}},
}


@pytest.fixture(scope="module")
def few(device: torch.device) -> DeviceData:
    return DeviceData(load_data("digits", limit=100, image_size=8), device)


def fidelity(**options: Any) -> Fidelity:
    return Fidelity(**{"epochs": 2, "batch_size": 16, "norm_images": 32} | options)


@pytest.mark.parametrize("recipe", RECIPES)
def test_recorded_steps_train_as_steps_do(gpu: torch.device, recipe: str) -> None:
    few = DeviceData(load_data("digits", limit=100, image_size=8), gpu)
    recipes = fidelity(**RECIPES[recipe])
    plain, recorded = (train(small_inception(width=4), few, recipes, seed=0, capture=c) for c in (False, True))
    assert recorded.notes == ()
    assert recorded.peak_memory > 0
    for one, other in zip(recorded.curve, plain.curve, strict=True):
        assert one.train_loss == pytest.approx(other.train_loss, rel=0.05)


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_run_continues_from_its_state(few: DeviceData, recipe: str) -> None:
    whole = train(small_inception(width=4), few, fidelity(**RECIPES[recipe]), seed=0)
    state = Memory()
    train(small_inception(width=4), few, fidelity(**RECIPES[recipe]), seed=0, checkpoint=state, until=1)
    rest = train(small_inception(width=4), few, fidelity(**RECIPES[recipe]), seed=0, checkpoint=state)
    assert (rest.resumed_from, rest.steps, rest.notes) == (1, whole.steps, ())
    for one, other in zip(rest.curve, whole.curve, strict=True):
        assert one.train_loss == pytest.approx(other.train_loss, rel=1e-6 if few.device.type == "cpu" else 0.05)


def test_a_loss_that_is_not_finite_is_an_error(few: DeviceData) -> None:
    with pytest.raises(TrainingError) as found:
        train(small_inception(width=4), few, fidelity(learning_rate=1e30), seed=0)
    assert reason(found.value) == "diverged"


def test_too_little_memory_is_an_error_and_no_end(gpu: torch.device) -> None:
    """The same process trains on afterwards."""
    few = DeviceData(load_data("digits", limit=400, image_size=28), gpu)
    torch.cuda.empty_cache()
    used = torch.cuda.memory_reserved(gpu) + 32 * 2**20
    torch.cuda.set_per_process_memory_fraction(used / torch.cuda.get_device_properties(gpu).total_memory, gpu)
    try:
        with pytest.raises(TrainingError) as found:
            train(small_inception(width=256), few, fidelity(batch_size=400), seed=0)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0, gpu)
    assert reason(found.value) == "out of memory"
    assert train(small_inception(width=4), few, fidelity(epochs=1), seed=0).notes == ()
