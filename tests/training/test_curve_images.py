"""Epochs that another follows are validated on some of the images, the last on all; training itself does not notice."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from inception_search.data.catalogue import load_data
from inception_search.data.loader import DeviceData
from inception_search.training import trainer
from inception_search.training.checkpoint_format import Checkpoint
from inception_search.training.evaluate import evaluate, evaluate_each
from inception_search.training.fidelity import Fidelity
from inception_search.training.trainer import TrainingResult, train
from tests.training.memory import Memory
from tests.training.networks_to_train import small_inception

SHORT = Fidelity(epochs=3, batch_size=32, threads=1, ema=0.9)
SOME = 7


@pytest.fixture(scope="module")
def few() -> DeviceData:
    return DeviceData(load_data("digits", limit=100, image_size=8), "cpu")


def trained(
    few: DeviceData, fidelity: Fidelity, until: int | None = None, checkpoint: Checkpoint | None = None
) -> tuple[TrainingResult, dict[str, Tensor]]:
    model = small_inception(0, width=4)
    return train(model, few, fidelity, seed=1, until=until, checkpoint=checkpoint), model.state_dict()


def looked_at(monkeypatch: pytest.MonkeyPatch, few: DeviceData, fidelity: Fidelity, until: int | None) -> list[int]:
    """The images of each validation of a training."""
    found: list[int] = []

    def noted(*given, **options):  # type: ignore[no-untyped-def]
        metrics = evaluate(*given, **options)
        found.append(metrics.n)
        return metrics

    with monkeypatch.context() as patch:
        patch.setattr(trainer, "evaluate", noted)
        trained(few, fidelity, until)
    return found


def test_all_images_at_the_end_and_where_it_pauses(monkeypatch: pytest.MonkeyPatch, few: DeviceData) -> None:
    every, some = few.size("validation"), SHORT.model_copy(update={"curve_images": SOME})
    assert every > SOME
    assert looked_at(monkeypatch, few, some, None) == [SOME, SOME, every]
    assert looked_at(monkeypatch, few, some, 2) == [SOME, every]
    assert looked_at(monkeypatch, few, SHORT, None) == [every] * 3  # there are fewer than the default


def test_what_is_learned_and_how_it_ends_are_the_same(few: DeviceData) -> None:
    (whole, weights), (part, others) = (
        trained(few, SHORT),
        trained(few, SHORT.model_copy(update={"curve_images": SOME})),
    )
    assert all(torch.equal(weights[key], others[key]) for key in weights)
    assert part.final == whole.final
    assert part.curve[0].train_loss == whole.curve[0].train_loss
    assert part.curve[0].validation_loss != whole.curve[0].validation_loss


def test_a_run_goes_on_whatever_its_curve_was_measured_on(few: DeviceData) -> None:
    saved = Memory()
    trained(few, SHORT, 1, saved)
    result, weights = trained(few, SHORT.model_copy(update={"curve_images": SOME}), None, saved)
    at_once, expected = trained(few, SHORT)
    assert result.resumed_from == 1
    assert result.final == at_once.final
    assert all(torch.equal(weights[key], expected[key]) for key in weights)


def test_the_chosen_images_are_always_the_same_and_of_all_classes(few: DeviceData) -> None:
    validation = few.size("validation")
    some = [label.tolist() for _, label in few.eval_batches("validation", 4, 20)]
    assert [len(batch) for batch in some] == [4] * 5
    assert some == [label.tolist() for _, label in few.eval_batches("validation", 4, 20)]
    assert few.evaluated("validation", 20) == 20
    assert few.evaluated("validation", validation + 1) == few.evaluated("validation") == validation
    images = torch.cat([images for images, _ in few.eval_batches("validation", 4, 20)])
    everything = torch.cat([images for images, _ in few.eval_batches("validation", 256)])
    places = [int((everything == image).flatten(1).all(1).nonzero()[0]) for image in images]
    assert places == sorted(set(places))
    assert max(places) > validation // 2  # not the first twenty: those of a split sorted by class are all of one


def test_an_evaluation_of_some_is_that_of_these_images(few: DeviceData) -> None:
    model = small_inception(0, width=4)
    metrics, truth, answers = evaluate_each(model, few, images=20)
    assert (metrics.n, len(truth), len(answers)) == (20, 20, 20)
    assert metrics.accuracy == pytest.approx((truth == answers).double().mean().item())
