"""Trainings by rewritten graphs: the same curves and states as without, and a state continues as it was begun."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import torch
from torch import nn

import inception_search as ins
from inception_search.backend.build import build
from inception_search.backend.network_module import NetworkModule
from inception_search.data.catalogue import load_data
from inception_search.data.loader import DeviceData
from inception_search.lowering import lower
from inception_search.passes.pipeline import Applied, applied, passes_of, run_passes
from inception_search.training.fidelity import Fidelity
from inception_search.training.result import TrainingResult
from inception_search.training.trainer import train
from tests.passes.checks import distance
from tests.shipped import shipped_space

SHORT = Fidelity(epochs=2, batch_size=16, threads=1, augment=False)


class Kept:
    """A checkpoint in memory."""

    def __init__(self) -> None:
        self.data: bytes | None = None

    def load(self) -> bytes | None:
        return self.data

    def save(self, data: bytes) -> None:
        self.data = data


@pytest.fixture(scope="module")
def data() -> DeviceData:
    """Digits, with normalised images in float64."""
    found = DeviceData(load_data("digits", limit=64, image_size=14), "cpu")
    found._scale, found._offset = found._scale.double(), found._offset.double()
    return found


def network(seed: int) -> ins.Network:
    space = shipped_space("inception_modules")
    return ins.set_input(space.decode(space.sample(random.Random(seed))), height=14, width=14)


def merged(model: NetworkModule) -> Applied:
    found = applied(run_passes(model.recall("graph"), "training", only=("merge_siblings", "share_values")))
    assert found
    return found


def model_of(seed: int) -> NetworkModule:
    return build(lower(network(seed)), name="x", seed=seed).double()


def curve(result: TrainingResult) -> list[float]:
    return [value for p in result.curve for value in (p.train_loss, p.validation_loss, p.validation_accuracy)]


@pytest.mark.parametrize(("seed", "ema"), [(0, 0.0), (1, 0.9), (2, 0.0)])
def test_the_curve_is_the_same_in_float64(data: DeviceData, seed: int, ema: float) -> None:
    fidelity = SHORT.model_copy(update={"ema": ema})
    plain, other = model_of(seed), model_of(seed)
    rewrites = merged(other)
    expected = train(plain, data, fidelity, seed=seed)
    found = train(other, data, fidelity, seed=seed, rewrites=rewrites)
    assert curve(found) == pytest.approx(curve(expected), rel=1e-9)
    assert (expected.rewrites, found.rewrites) == ((), rewrites)
    assert distance([*other.state_dict().values()], [*plain.state_dict().values()]) <= 1e-9


@pytest.mark.parametrize("first", [True, False])
def test_a_state_continues_with_its_own_rewrites(data: DeviceData, first: bool) -> None:
    """To the last bit: what the cost model says at the second start does not count."""
    model = model_of(0)
    rewrites = merged(model)
    whole = train(model, data, SHORT, seed=0, rewrites=rewrites if first else None)
    kept = Kept()
    train(model_of(0), data, SHORT, seed=0, checkpoint=kept, until=1, rewrites=rewrites if first else None)
    other = model_of(0)
    found = train(other, data, SHORT, seed=0, checkpoint=kept, rewrites=None if first else rewrites)
    assert curve(found) == curve(whole)
    assert found.rewrites == whole.rewrites
    assert all(torch.equal(a, b) for a, b in zip(other.state_dict().values(), model.state_dict().values(), strict=True))


def test_a_network_that_a_user_changed_is_trained_as_it_is(data: DeviceData) -> None:
    seen = []
    model = model_of(0)
    rewrites = merged(model)
    next(m for m in model.modules() if isinstance(m, nn.Conv2d)).register_forward_hook(lambda *_: seen.append(1))
    assert train(model, data, SHORT, seed=0, rewrites=rewrites).rewrites == ()
    assert seen


def test_a_trial_records_its_rewrites(tmp_path: Path) -> None:
    run = tmp_path / "run"
    study = ins.search("inception_modules", data="digits", trials=1, train_images=64, epochs=1, run=run, progress=False)
    record = next(record for record in study.records if record.state == "complete")
    assert set(record.rewrites) <= set(passes_of("training"))
    assert record.rewrites
