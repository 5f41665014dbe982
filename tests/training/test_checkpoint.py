"""Checkpoints: bytes that vouch for themselves, and runs that go on to the same bits."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load, save
from torch import Tensor, nn

from inception_search.data.augment import Augmentation
from inception_search.data.catalogue import load_data
from inception_search.data.loader import DeviceData
from inception_search.errors import CheckpointError, ConfigError, TrainingError
from inception_search.training.checkpoint_format import pack, unpack
from inception_search.training.fidelity import Fidelity
from inception_search.training.trainer import EpochMetrics, TrainingResult, train
from tests.training.networks_to_train import small_inception


@dataclass
class InMemory:
    """A checkpoint that remembers all it was given."""

    saved: list[bytes] = field(default_factory=list)

    def load(self) -> bytes | None:
        return self.saved[-1] if self.saved else None

    def save(self, data: bytes) -> None:
        self.saved.append(data)


@pytest.fixture(scope="module")
def few() -> DeviceData:
    data = load_data("digits", limit=64, image_size=8)
    return DeviceData(replace(data, augmentation=Augmentation(shift=1 / 8, flip=True)), "cpu")


def network(seed: int = 0) -> nn.Module:
    """Batch norm, dropout, an auxiliary head."""
    model = small_inception(seed, width=2, aux=True)
    model.head = nn.Sequential(nn.Dropout(0.2), model.head)
    return model


def made(**fields: Any) -> Fidelity:
    """A short recipe with everything in it, but for ``fields``."""
    rich = {"epochs": 3, "batch_size": 16, "norm_images": 32, "cutout": 0.3, "ema": 0.9, "threads": 1}
    return Fidelity(**(rich | fields))


RICH = made()


def run(data: DeviceData, fidelity: Fidelity = RICH, **options: Any) -> tuple[TrainingResult, dict[str, Tensor]]:
    model = network()
    result = train(model, data, fidelity, **({"seed": 3, "aux_weights": (0.3,)} | options))
    return result, {name: tensor.clone() for name, tensor in model.state_dict().items()}


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


# Going on


RECIPES: dict[str, dict[str, Any]] = {
    "sgd": {},
    "rmsprop": {"optimizer": "rmsprop", "schedule": "exponential"},
    "adamw": {"optimizer": "adamw", "schedule": "constant", "decay": 0.3},
    "no average": {"ema": 0.0},
    "no momentum": {"momentum": 0.0, "schedule": "cosine"},
    "running statistics": {"norm_images": 0},
    "bfloat16": {"precision": "bfloat16", "epochs": 2, "schedule": "linear"},
}


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_run_that_goes_on_ends_in_the_same_bits(few: DeviceData, recipe: str) -> None:
    fidelity = made(**RECIPES[recipe])
    whole, weights = run(few, fidelity)
    for epochs in range(1, fidelity.epochs + 1) if recipe == "sgd" else (1,):
        kept = InMemory()
        part, _ = run(few, fidelity, checkpoint=kept, until=epochs)
        assert (len(part.curve), part.stopped, part.resumed_from) == (epochs, epochs < fidelity.epochs, 0)
        torch.rand(7)  # the caller's random state has nothing to do with it
        rest, found = run(few, fidelity, checkpoint=kept)
        assert (rest, rest.resumed_from) == (whole, epochs)
        assert same(found, weights)


def test_epoch_by_epoch(few: DeviceData) -> None:
    whole, weights = run(few)
    kept = InMemory()
    for epoch in range(1, RICH.epochs + 1):
        result, found = run(few, checkpoint=kept, until=epoch)
    assert result == whole
    assert same(found, weights)


def test_a_checkpoint_changes_nothing(few: DeviceData) -> None:
    (plain, weights), (kept, found) = run(few), run(few, checkpoint=InMemory())
    assert plain == kept
    assert same(weights, found)


def test_a_kill_in_the_middle_of_an_epoch_costs_that_epoch(few: DeviceData) -> None:
    whole, weights = run(few)
    kept = InMemory()

    def kill(point: EpochMetrics) -> bool:
        if point.epoch == 2:
            raise KeyboardInterrupt
        return True

    with pytest.raises(KeyboardInterrupt):
        run(few, checkpoint=kept, report=kill)
    kept.saved.pop()  # killed before the second was saved
    seen: list[int] = []
    rest, found = run(few, checkpoint=kept, report=lambda point: seen.append(point.epoch) or True)
    assert (rest, rest.resumed_from, seen) == (whole, 1, [1, 2, 3])
    assert same(found, weights)


def test_a_state_is_saved_before_the_report_hears_of_the_epoch(few: DeviceData) -> None:
    kept, counts = InMemory(), []
    run(few, checkpoint=kept, report=lambda _: counts.append(len(kept.saved)) or True)
    assert counts == [1, 2, 3]


def test_a_complete_run_is_told_again_without_a_report(few: DeviceData) -> None:
    kept = InMemory()
    whole, weights = run(few, checkpoint=kept)
    again, found = run(few, checkpoint=kept, report=lambda _: pytest.fail("reported"))
    assert (again, again.resumed_from, again.images_per_second) == (whole, 3, 0)
    assert same(found, weights)
    assert len(kept.saved) == 3


def test_a_stopped_run_may_go_on(few: DeviceData) -> None:
    kept = InMemory()
    part, _ = run(few, checkpoint=kept, report=lambda point: point.epoch < 2)
    assert (part.stopped, len(part.curve)) == (True, 2)
    assert run(few, checkpoint=kept)[0] == run(few)[0]


def test_pausing_does_not_change_the_schedule(few: DeviceData) -> None:
    assert run(few, until=2)[0].curve == run(few)[0].curve[:2]
    assert run(few, until=9)[0] == run(few)[0]
    with pytest.raises(ConfigError, match="until: the value cannot be used, got 0; expected at least 1 epoch"):
        run(few, until=0)


# Refusals


OTHERS: dict[str, tuple[dict[str, Any], str]] = {
    "epochs": ({"fidelity": made(epochs=5)}, "another fidelity: epochs, got 3; expected 5"),
    "threads": ({"fidelity": made(threads=None)}, "another fidelity: threads, got 1; expected None"),
    "optimizer": ({"fidelity": made(optimizer="adamw")}, "another fidelity: optimizer, got"),
    "seed": ({"seed": 4}, "another seed, got 3; expected 4"),
    "aux": ({"aux_weights": (0.4,)}, "another aux_weights"),
}


@pytest.mark.parametrize("other", OTHERS)
def test_a_checkpoint_of_another_run_is_refused(few: DeviceData, other: str) -> None:
    options, words = OTHERS[other]
    kept = InMemory()
    run(few, checkpoint=kept, until=1)
    with pytest.raises(CheckpointError) as caught:
        run(few, checkpoint=kept, **options)
    assert words in str(caught.value)
    assert isinstance(caught.value, TrainingError)


def widened(model: nn.Module) -> nn.Module:
    model.stem[0] = nn.Conv2d(1, 2, 5, padding=2, bias=False)
    return model


def pooled(model: nn.Module) -> nn.Module:
    model.pool = nn.AvgPool2d(3, 2, 1)  # the same state
    return model


def frozen(model: nn.Module) -> nn.Module:
    model.stem.requires_grad_(False)
    return model


@pytest.mark.parametrize("change", [widened, pooled, frozen])
def test_a_checkpoint_of_another_architecture_is_refused_and_changes_nothing(few: DeviceData, change: Any) -> None:
    kept = InMemory()
    run(few, checkpoint=kept, until=1)
    model = change(network())
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    with pytest.raises(CheckpointError, match="the checkpoint is of another network"):
        train(model, few, RICH, seed=3, aux_weights=(0.3,), checkpoint=kept)
    assert same(before, model.state_dict())


def test_a_checkpoint_of_other_images_is_refused(few: DeviceData) -> None:
    kept = InMemory()
    run(few, checkpoint=kept, until=1)
    other = DeviceData(load_data("digits", limit=64, image_size=8, seed=1), "cpu")
    with pytest.raises(CheckpointError, match="the checkpoint is of another data"):
        run(other, checkpoint=kept)


# Bytes


def small_bytes() -> bytes:
    tensors = {"model.weight": torch.tensor([[1.5, -0.0], [math.inf, 3.0]]), "step": torch.tensor(7)}
    return pack(tensors, {"version": 1, "curve": [{"loss": 0.1}]})


def test_every_cut_is_seen() -> None:
    data = small_bytes()
    for length in range(len(data)):
        with pytest.raises(CheckpointError):
            unpack(data[:length])
    with pytest.raises(CheckpointError):
        unpack(data + b"\0")


def test_every_changed_byte_is_seen() -> None:
    data = small_bytes()
    for place in range(len(data)):
        for flip in (0x01, 0x20, 0x80, 0xFF):
            changed = bytearray(data)
            changed[place] ^= flip
            with pytest.raises(CheckpointError):
                unpack(bytes(changed))


@given(st.binary(max_size=300))
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(CheckpointError):
        unpack(data)
    with pytest.raises(CheckpointError):
        unpack(data + b'"sha256":"' + data)


def test_a_plain_safetensors_file_is_refused() -> None:
    with pytest.raises(CheckpointError, match="not a training checkpoint"):
        unpack(save({"x": torch.zeros(2)}))


DTYPES = [torch.float32, torch.float64, torch.bfloat16, torch.int64, torch.uint8, torch.bool]
FACTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@given(st.dictionaries(st.text(min_size=1, max_size=8), FACTS, max_size=4), st.sampled_from(DTYPES), st.integers(0, 9))
def test_what_is_packed_is_unpacked(facts: dict[str, Any], dtype: torch.dtype, seed: int) -> None:
    drawn = torch.randint(0, 255, (2, 3, 4, 1), generator=torch.Generator().manual_seed(seed)).to(dtype)
    odd = drawn.to(memory_format=torch.channels_last).transpose(0, 1)
    tensors = {"whole": drawn, "odd": odd, "part": drawn[:, 1], "none": drawn[:0], "scalar": drawn[0, 0, 0, 0]}
    found, told = unpack(pack(tensors, facts))
    assert told == facts
    assert same(found, tensors)


def test_the_file_is_plain_safetensors(few: DeviceData) -> None:
    kept = InMemory()
    run(few, checkpoint=kept, until=1)
    assert {"generator", "random.cpu", "average.0", "optimizer.0.momentum_buffer"} <= set(load(kept.saved[0]))


def test_damage_is_seen_by_the_run(few: DeviceData) -> None:
    kept = InMemory()
    run(few, checkpoint=kept, until=1)
    for place in (0, len(kept.saved[0]) // 2, len(kept.saved[0]) - 1):
        changed = bytearray(kept.saved[0])
        changed[place] ^= 1
        with pytest.raises(CheckpointError, match="begin the training again without it"):
            run(few, checkpoint=InMemory([bytes(changed)]))


def test_who_decides_is_asked_again_about_the_last_epoch_and_may_end_the_run_there(few: DeviceData) -> None:
    kept = InMemory()
    first, _ = run(few, checkpoint=kept, until=1)
    seen: list[int] = []
    again, _ = run(few, checkpoint=kept, report=lambda point: seen.append(point.epoch))
    assert (seen, again.stopped, again.curve) == ([1], True, first.curve)
