"""The recorded step, with a recorder that replays by doing the work again: buffers, rates, fallback."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor

from inception_search.data.catalogue import load_data
from inception_search.data.loader import DeviceData
from inception_search.errors import ConfigError
from inception_search.training import trainer
from inception_search.training.cuda_graph import WARM_UP, CapturedStep, Recorder, Replay, wants_capture
from inception_search.training.devices import settings
from inception_search.training.fidelity import Fidelity
from inception_search.training.optimizers import OPTIMIZERS, OptimizerName, make_optimizer
from inception_search.training.step import Work
from inception_search.training.trainer import train
from tests.training.networks_to_train import small_inception


class Again(Recorder):
    """Records by remembering the work; a replay does it, and writes the loss where it was promised."""

    def __init__(self) -> None:
        self.warmed = self.replays = 0

    def warm_up(self, work: Callable[[], Tensor]) -> Tensor:
        self.warmed += 1
        return work()

    def record(self, work: Callable[[], Tensor]) -> tuple[Tensor, Replay]:
        loss = torch.full((), torch.nan)

        def replay() -> None:
            self.replays += 1
            self.parameters_without_gradient()
            result = work()
            loss.resize_(result.shape).copy_(result)

        return loss, replay

    def parameters_without_gradient(self) -> None:
        """A graph writes gradients anew; doing the work again must not add to the old ones."""


class Fails(Again):
    def record(self, work: Callable[[], Tensor]) -> tuple[Tensor, Replay]:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried\nto allocate")


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Threads of a busy machine wait for each other."""
    with settings(torch.device("cpu"), threads=1, seed=0):
        yield


@pytest.fixture(scope="module")
def few() -> DeviceData:
    return DeviceData(load_data("digits", limit=100, image_size=8), "cpu")


def with_recorder(monkeypatch: pytest.MonkeyPatch, recorder: Again) -> None:
    """Let train() take steps through ``recorder`` on a CPU."""

    def make(work: Work, device: torch.device) -> CapturedStep:
        recorder.parameters_without_gradient = work.optimizer.zero_grad  # type: ignore[method-assign]
        return CapturedStep(work, device, recorder)

    monkeypatch.setattr(trainer, "CapturedStep", make)
    monkeypatch.setattr(trainer, "wants_capture", lambda device, capture: True)


RECIPES: dict[str, dict[str, Any]] = {name: {"optimizer": name} for name in OPTIMIZERS} | {
    "average": {"ema": 0.9},
    "bfloat16": {"precision": "bfloat16"},
    "class weights": {"class_weights": {"1": 5.0, "7": 0.5}},
}


@pytest.mark.parametrize("recipe", RECIPES)
def test_recorded_steps_train_as_steps_do(monkeypatch: pytest.MonkeyPatch, few: DeviceData, recipe: str) -> None:
    fidelity = Fidelity(epochs=2, batch_size=16, threads=1, **RECIPES[recipe])
    plain, recorded = small_inception(width=4), small_inception(width=4)
    expected = train(plain, few, fidelity, seed=0)
    again = Again()
    with_recorder(monkeypatch, again)
    found = train(recorded, few, fidelity, seed=0)
    assert (again.warmed, again.replays, found.notes) == (WARM_UP, found.steps - WARM_UP, ())
    loose = {"rtol": 1e-3, "atol": 1e-4} if recipe != "bfloat16" else {"rtol": 0.1, "atol": 0.02}  # a float32 rate
    for name, tensor in plain.state_dict().items():
        torch.testing.assert_close(recorded.state_dict()[name], tensor, **loose, msg=name)
    for one, other in zip(found.curve, expected.curve, strict=True):
        assert one.train_loss == pytest.approx(other.train_loss, rel=1e-2)
        assert one.learning_rate == other.learning_rate


def test_a_recording_that_fails_leaves_a_note_and_trains_on(monkeypatch: pytest.MonkeyPatch, few: DeviceData) -> None:
    fidelity = Fidelity(epochs=2, batch_size=16, threads=1)
    expected = train(small_inception(width=4), few, fidelity, seed=0)
    with_recorder(monkeypatch, Fails())
    found = train(small_inception(width=4), few, fidelity, seed=0)
    assert found.notes == ("steps are not recorded as a CUDA graph: CUDA out of memory. Tried",)
    assert found.final.train_loss == pytest.approx(expected.final.train_loss, rel=1e-3)


def test_buffers_stay_where_they_are_in_the_layout_of_the_batches(few: DeviceData) -> None:
    model, fidelity = small_inception(width=4).train(), Fidelity()
    work = Work(model, make_optimizer(model, fidelity, capturable=False), fidelity, (), None)
    step = CapturedStep(work, torch.device("cpu"), Again())
    places = set()
    for number, (images, labels) in enumerate(few.train_batches(16, torch.Generator().manual_seed(0)), 1):
        step(images, labels, 0.1 / number, number)
        if number > WARM_UP:
            places.add((step.images.data_ptr(), step.labels.data_ptr(), step.rate.data_ptr()))
            assert step.images.stride() == images.stride()
            assert step.rate.item() == pytest.approx(0.1 / number)
            assert torch.equal(step.images, images)
            assert torch.equal(step.labels, labels)
    assert len(places) == 1


def test_a_batch_of_another_size_is_taken_as_usual(few: DeviceData) -> None:
    model, fidelity = small_inception(width=4).train(), Fidelity()
    again = Again()
    step = CapturedStep(Work(model, make_optimizer(model, fidelity), fidelity, (), None), torch.device("cpu"), again)
    images, labels = next(few.train_batches(16, torch.Generator().manual_seed(0)))
    for number in range(1, WARM_UP + 3):
        step(images, labels, 0.1, number)
    step(images[:7], labels[:7], 0.1, WARM_UP + 3)
    assert again.replays == 2


CHOICES = [("cuda", None, True), ("cuda", False, False), ("cuda", True, True), ("cpu", None, False)]


@pytest.mark.parametrize(("device", "capture", "chosen"), CHOICES)
def test_every_gpu_records_unless_told_not_to(device: str, capture: bool | None, chosen: bool) -> None:
    assert wants_capture(torch.device(device), capture) is chosen


def test_recording_on_a_cpu_is_refused(few: DeviceData) -> None:
    with pytest.raises(ConfigError, match="capture: CUDA graphs need a GPU, got 'cpu'; expected a CUDA device"):
        train(small_inception(width=4), few, Fidelity(), seed=0, capture=True)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers_can_be_made_for_a_recording(name: OptimizerName) -> None:
    """What torch refuses at construction would otherwise be seen on a GPU only."""
    optimizer = make_optimizer(small_inception(width=4), Fidelity(optimizer=name), capturable=True)
    assert all(group.get("capturable", True) for group in optimizer.param_groups)


def test_the_warm_up_of_an_optimizer_for_recordings_gives_no_warning(
    monkeypatch: pytest.MonkeyPatch, few: DeviceData
) -> None:
    """On a GPU torch warns once that the first steps are not recorded."""
    text = "This instance was constructed with capturable=True or some of all the param_groups came with it"

    def check(self: torch.optim.Optimizer) -> None:
        if not getattr(self, "warned", False):
            self.warned = True
            warnings.warn(text, stacklevel=2)

    for name in ("_accelerator_graph_capture_health_check", "_cuda_graph_capture_health_check"):
        monkeypatch.setattr(torch.optim.Optimizer, name, check, raising=False)
    with_recorder(monkeypatch, Again())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        train(small_inception(width=4), few, Fidelity(optimizer="adamw", batch_size=16, epochs=1, threads=1), seed=0)
