"""The fidelity's fields, ranges and JSON form; the schedule; choosing a device."""

from __future__ import annotations

import json
import math
from typing import Any, get_args

import pytest
import torch

from inception_search.errors import ConfigError
from inception_search.training.devices import describe_device, pick_device, settings
from inception_search.training.fidelity import Fidelity
from inception_search.training.optimizers import OPTIMIZERS, OptimizerName
from inception_search.training.schedule import SCHEDULES, ScheduleName, learning_rate_factor


def test_to_dict_and_back_through_json() -> None:
    fidelity = Fidelity(epochs=3, learning_rate=1, precision="bfloat16", threads=1)
    assert Fidelity.from_dict(json.loads(json.dumps(fidelity.to_dict()))) == fidelity
    assert Fidelity.from_dict({}) == Fidelity()


BAD: list[tuple[dict[str, Any], str]] = [
    ({"epochs": 0}, "fidelity.epochs: not a usable value, got 0; expected a whole number of at least 1"),
    ({"epochs": 2.5}, "fidelity.epochs: not a usable value, got 2.5; expected a whole number"),
    ({"epochs": True}, "fidelity.epochs: not a usable value, got True"),
    ({"batch_size": 1}, "fidelity.batch_size: not a usable value, got 1; expected a whole number of at"),
    ({"threads": 0}, "fidelity.threads: not a usable value, got 0"),
    ({"norm_images": -1}, "fidelity.norm_images: not a usable value, got -1"),
    ({"curve_images": 0}, "fidelity.curve_images: not a usable value, got 0"),
    ({"learning_rate": 0}, "fidelity.learning_rate: not a usable value, got 0; expected a number above 0"),
    ({"learning_rate": math.nan}, "fidelity.learning_rate: not a usable value, got nan"),
    ({"learning_rate": math.inf}, "fidelity.learning_rate: not a usable value, got inf"),
    ({"learning_rate": "0,1"}, "fidelity.learning_rate: not a usable value, got '0,1'"),
    ({"momentum": 1.0}, "fidelity.momentum: not a usable value, got 1.0; expected a number below 1"),
    ({"weight_decay": -1e-4}, "fidelity.weight_decay: not a usable value, got -0.0001; expected a number of at le"),
    ({"warmup": 1}, "fidelity.warmup: not a usable value, got 1"),
    ({"label_smoothing": False}, "fidelity.label_smoothing: not a usable value, got False"),
    ({"augment": 2}, "fidelity.augment: not a usable value, got 2; expected a valid boolean"),
    ({"precision": "float16"}, "fidelity.precision: not a usable value, got 'float16'; expected 'float32' or 'bf"),
    ({"optimizer": "adam"}, "fidelity.optimizer: not a usable value, got 'adam'; expected 'sgd', "),
    ({"optimizer": "sdg"}, "did you mean 'sgd'?"),
    ({"optimizer": ["sgd"]}, "fidelity.optimizer: not a usable value, got ['sgd']"),
    ({"schedule": "step"}, "fidelity.schedule: not a usable value, got 'step'; expected 'one_cycle', "),
    ({"decay": 0.2}, "fidelity.decay: not a usable value, got 0.2; expected 0 with the schedule one_cycle; use"),
    ({"schedule": "constant", "decay": 1.1}, "fidelity.decay: not a usable value, got 1.1; expected a number be"),
    ({"schedule": "constant", "decay": 0.8}, "fidelity.decay: not a usable value, got 0.8; expected at most 0.7"),
    ({"epsilon": 1.0}, "fidelity.epsilon: not a usable value, got 1.0; expected nothing: the optimizer sgd"),
    ({"alpha": 0.9}, "fidelity.alpha: not a usable value, got 0.9; expected nothing: the optimizer sgd"),
    ({"optimizer": "rmsprop", "epsilon": 0}, "fidelity.epsilon: not a usable value, got 0; expected a number"),
    ({"optimizer": "adamw", "alpha": 1.0}, "fidelity.alpha: not a usable value, got 1.0; expected a number below 1"),
    ({"ema": 1}, "fidelity.ema: not a usable value, got 1; expected a number below 1"),
    ({"cutout": 1.0}, "fidelity.cutout: not a usable value, got 1.0"),
    ({"width": 0}, "fidelity.width: not a usable value, got 0; expected a number above 0"),
    ({"width": 10**400}, "fidelity.width: not a usable value, got a whole number of 1,329 bits"),
    ({"depth": math.inf}, "fidelity.depth: not a usable value, got inf"),
    ({"depth": None}, "fidelity.depth: not a usable value; expected a valid number"),
    ({"image_size": 0}, "fidelity.image_size: not a usable value, got 0; expected a whole number of at least 1"),
    ({"train_images": 0.5}, "fidelity.train_images: not a usable value, got 0.5"),
    ({"epoch": 3}, "unknown option, got 'epoch'; expected one of epochs, image_size, "),
    ({"lr": 0.1}, "unknown option, got 'lr'"),
]  # fmt: skip


@pytest.mark.parametrize(("values", "words"), BAD)
def test_bad_values_are_refused_with_their_field(values: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Fidelity.from_dict(values)
    assert words in str(caught.value)


def test_recipes_can_be_kept_in_sets_with_class_weights_too() -> None:
    weighted = Fidelity(class_weights={"cat": 2.0})
    assert {weighted, Fidelity(class_weights={"cat": 2.0}), Fidelity()} == {Fidelity(), weighted}
    assert weighted != Fidelity(class_weights={"cat": 3.0})


def test_a_misspelt_field_is_answered_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match="did you mean 'label_smoothing'"):
        Fidelity.from_dict({"labelsmoothing": 0.1})


DEFAULTS = [
    # optimizer, learning_rate, weight_decay, alpha, epsilon
    ("sgd", 0.1, 5e-4, None, None),
    ("rmsprop", 0.045, 4e-5, 0.9, 1.0),
    ("adamw", 2e-3, 0.05, 0.999, 1e-8),
]


@pytest.mark.parametrize(("optimizer", *("rate", "weight_decay", "alpha", "epsilon")), DEFAULTS)
def test_defaults_by_optimizer_are_settled_when_made(
    optimizer: Any, rate: float, weight_decay: float, alpha: float | None, epsilon: float | None
) -> None:
    made = Fidelity(optimizer=optimizer)
    assert (made.learning_rate, made.weight_decay, made.alpha, made.epsilon) == (rate, weight_decay, alpha, epsilon)
    assert Fidelity(optimizer=optimizer, learning_rate=0.5, weight_decay=0).weight_decay == 0
    assert Fidelity.from_dict({"optimizer": optimizer, "learning_rate": None}) == made
    assert Fidelity.from_dict(json.loads(json.dumps(made.to_dict()))) == made


def test_the_names_are_the_rows_of_the_tables() -> None:
    assert get_args(OptimizerName) == tuple(OPTIMIZERS)
    assert get_args(ScheduleName) == tuple(SCHEDULES)


SCHEDULE: list[tuple[ScheduleName, dict[str, Any], int, list[float]]] = [
    # schedule, how, steps, factors
    ("one_cycle", {"warmup": 0.5}, 4, [1 / 2, 1, 1, 1 / 2]),
    ("one_cycle", {}, 4, [1, (2 + math.sqrt(2)) / 4, 1 / 2, (2 - math.sqrt(2)) / 4]),
    (
        *("one_cycle", {"warmup": 0.5}, 8),
        [1 / 4, 2 / 4, 3 / 4, 1, 1, (2 + math.sqrt(2)) / 4, 1 / 2, (2 - math.sqrt(2)) / 4],
    ),
    ("one_cycle", {"warmup": 0.25}, 1, [1]),
    ("one_cycle", {"warmup": 0.9}, 2, [1 / 2, 1]),
    ("cosine", {}, 4, [1, (2 + math.sqrt(2)) / 4, 1 / 2, (2 - math.sqrt(2)) / 4]),
    ("cosine", {"warmup": 0.5}, 4, [1 / 2, (2 + math.sqrt(2)) / 4, 1 / 2, (2 - math.sqrt(2)) / 4]),
    ("linear", {}, 4, [1, 3 / 4, 2 / 4, 1 / 4]),
    ("linear", {"warmup": 0.5}, 4, [1 / 2, 1, 1, 1 / 2]),
    ("exponential", {"epochs": 5}, 10, [1, 1, 1, 1, 0.94, 0.94, 0.94, 0.94, 0.94**2, 0.94**2]),
    ("exponential", {"epochs": 4, "warmup": 0.25}, 4, [1, 1, 1, 0.94]),
    ("constant", {}, 4, [1, 1, 1, 1]),
    ("constant", {"warmup": 0.5}, 4, [1 / 2, 1, 1, 1]),
    ("constant", {"decay": 0.5}, 6, [1, 1, 1, 3 / 4, 2 / 4, 1 / 4]),
    ("constant", {"warmup": 0.25, "decay": 0.75}, 4, [1, 3 / 4, 2 / 4, 1 / 4]),
]


@pytest.mark.parametrize(("schedule", "how", "steps", "factors"), SCHEDULE)
def test_schedule_by_hand(schedule: ScheduleName, how: dict[str, Any], steps: int, factors: list[float]) -> None:
    found = [learning_rate_factor(step, steps, schedule=schedule, **how) for step in range(steps)]
    assert found == pytest.approx(factors)


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("steps", [1, 2, 7, 100])
@pytest.mark.parametrize("warmup", [0, 0.1, 0.5, 0.99])
def test_schedules_rise_then_fall_within_zero_and_one(schedule: ScheduleName, steps: int, warmup: float) -> None:
    factors = [
        learning_rate_factor(step, steps, schedule=schedule, warmup=warmup, epochs=steps) for step in range(steps)
    ]
    top = factors.index(max(factors))
    assert factors[:top] == sorted(factors[:top])
    assert factors[top:] == sorted(factors[top:], reverse=True)
    assert all(0 < factor <= 1 for factor in factors)
    assert factors[top] == 1 or schedule == "cosine"


def test_partial_runs_of_the_constant_schedule_compare_at_equal_epochs() -> None:
    """The beginnings of a short and a long run have the same rates, as long as the warm-up takes as many steps."""
    short = [learning_rate_factor(step, 40, schedule="constant", warmup=0.2, decay=0.5) for step in range(20)]
    long = [learning_rate_factor(step, 80, schedule="constant", warmup=0.1, decay=0.5) for step in range(20)]
    assert short == long


def pretend_gpus(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)


PICKS = [
    # GPUs, name, device
    (0, "auto", torch.device("cpu")),
    (2, "auto", torch.device("cuda", 0)),
    (2, "cpu", torch.device("cpu")),
    (2, "cuda", torch.device("cuda", 0)),
    (2, "cuda:1", torch.device("cuda", 1)),
]


@pytest.mark.parametrize(("gpus", "name", "device"), PICKS)
def test_pick_device(monkeypatch: pytest.MonkeyPatch, gpus: int, name: str, device: torch.device) -> None:
    pretend_gpus(monkeypatch, gpus)
    assert pick_device(name) == device


BAD_PICKS = [
    (0, "cuda", "device: device 'cuda' is not there, got '0 CUDA devices'; use device 'auto' or 'cpu'"),
    (2, "cuda:2", "device 'cuda:2' is not there, got '2 CUDA devices'"),
    (2, "gpu", "device: unknown device, got 'gpu'; expected one of auto, cpu, cuda, cuda:<number>"),
    (2, "Cuda", "did you mean 'cuda'?"),
    (2, "cuda:x", "unknown device"),
]


@pytest.mark.parametrize(("gpus", "name", "words"), BAD_PICKS)
def test_a_device_that_is_not_there(monkeypatch: pytest.MonkeyPatch, gpus: int, name: str, words: str) -> None:
    pretend_gpus(monkeypatch, gpus)
    with pytest.raises(ConfigError) as caught:
        pick_device(name)
    assert words in str(caught.value)


def test_describe_device() -> None:
    assert describe_device(torch.device("cpu")).startswith("cpu ")
    assert describe_device(torch.device("cpu")).endswith(f" {torch.get_num_threads()} threads")


def test_settings_are_undone_even_after_an_error() -> None:
    threads, state = torch.get_num_threads(), torch.get_rng_state()

    def fail_inside() -> None:
        with settings(torch.device("cpu"), threads=threads + 1, seed=3):
            assert torch.get_num_threads() == threads + 1
            assert torch.initial_seed() == 3
            raise KeyError

    with pytest.raises(KeyError):
        fail_inside()
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.get_rng_state(), state)
