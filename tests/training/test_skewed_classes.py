"""Skewed classes: metrics and weights are scikit-learn's and torch's, in every way a network is trained."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.metrics import balanced_accuracy_score, f1_score
from sklearn.utils.class_weight import compute_class_weight
from torch import Tensor, nn
from torch.nn import functional as F

from inception_search.data.class_weights import parse_class_weights, weights_of
from inception_search.data.dataset import Dataset, Split
from inception_search.data.loader import DeviceData
from inception_search.errors import ConfigError
from inception_search.training.cuda_graph import CapturedStep
from inception_search.training.evaluate import class_means, evaluate
from inception_search.training.fidelity import Fidelity
from inception_search.training.optimizers import make_optimizer
from inception_search.training.resume import identity
from inception_search.training.step import EagerStep, Step, Work, total_loss
from inception_search.training.trainer import train
from tests.training.memory import Memory
from tests.training.networks_to_train import small_inception
from tests.training.test_cuda_graph import Again

NAMES = ("ok", "bad", "worse")


def skewed(counts: tuple[int, ...] = (40, 8, 4), size: int = 8) -> Dataset:
    """Random images of three classes, each a little brighter than the last."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.cat([torch.full((count,), label) for label, count in enumerate(counts)])
    images = torch.randint(0, 120, (len(labels), 1, size, size), generator=generator)
    split = Split((images + 60 * labels[:, None, None, None]).to(torch.uint8), labels)
    return Dataset("skewed", NAMES, split, split, split)


class Constant(nn.Module):
    """Answers the first class, whatever it sees."""

    def forward(self, images: Tensor) -> Tensor:
        logits = torch.zeros(len(images), 3)
        logits[:, 0] = 1.0
        return logits


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true")
def test_metrics_are_those_of_scikit_learn(seed: int) -> None:
    """Also where classes have no image, no answer, or neither."""
    rng = np.random.RandomState(seed)
    truth, answers = rng.choice(7, 60, p=rng.dirichlet(np.ones(7) / 2)), rng.randint(0, 5, 60)
    answers = np.where(rng.rand(60) < 0.5, truth, answers)
    found = class_means(torch.from_numpy(truth), torch.from_numpy(answers))
    expected = (balanced_accuracy_score(truth, answers), f1_score(truth, answers, average="macro", zero_division=0))
    assert found == pytest.approx(expected, abs=1e-12)


def test_always_the_same_answer_is_worth_a_guess() -> None:
    found = evaluate(Constant(), DeviceData(skewed((96, 2, 2)), "cpu"), "train")
    assert found.accuracy == pytest.approx(0.96)
    assert found.balanced_accuracy == pytest.approx(1 / 3)
    assert found.macro_f1 == pytest.approx(2 * 96 / (96 + 100) / 3)


def test_balanced_weights_are_those_of_scikit_learn() -> None:
    data = DeviceData(skewed(), "cpu")
    labels = skewed().train.labels.numpy()
    expected = compute_class_weight("balanced", classes=np.arange(3), y=labels)
    found = data.class_weights("balanced")
    assert found is not None
    assert found.tolist() == pytest.approx(expected)
    assert data.class_weights("none") is None
    named = data.class_weights({"worse": 3})
    assert named is not None
    assert named.tolist() == [1.0, 1.0, 3.0]


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
def test_the_loss_is_that_of_torch_for_every_head(smoothing: float, kind: torch.dtype) -> None:
    logits, extra = torch.randn(9, 3).to(kind), torch.randn(9, 3).to(kind)
    labels = torch.tensor([0, 1, 2] * 3)
    weights = torch.tensor([0.5, 2.0, 7.0])
    with torch.autocast("cpu", torch.bfloat16, enabled=kind == torch.bfloat16):
        found = total_loss((logits, extra), labels, (0.3,), smoothing, weights)
    loss = nn.CrossEntropyLoss(weights, label_smoothing=smoothing)
    torch.testing.assert_close(found, loss(logits.float(), labels) + 0.3 * loss(extra.float(), labels))


def test_a_class_that_weighs_more_is_answered_more_often() -> None:
    """The same training, with and without: the rare classes get right what they did not."""
    data = DeviceData(skewed((200, 12, 12)), "cpu")
    found = {}
    for chosen in ("none", "balanced"):
        fidelity = Fidelity(epochs=3, batch_size=32, class_weights=chosen, label_smoothing=0.0, augment=False)
        found[chosen] = train(small_inception(classes=3, width=4), data, fidelity, seed=0).final
    plain, balanced = found["none"], found["balanced"]
    assert plain.validation_balanced_accuracy is not None
    assert balanced.validation_balanced_accuracy is not None
    assert balanced.validation_balanced_accuracy > plain.validation_balanced_accuracy + 0.1


def test_weights_of_one_are_no_weights() -> None:
    data = DeviceData(skewed(), "cpu")
    fields: dict[str, Any] = {"epochs": 2, "batch_size": 16, "threads": 1}
    ones = Fidelity(**fields, class_weights=dict.fromkeys(NAMES, 1.0))
    weighted = train(small_inception(classes=3, width=4), data, ones, seed=0)
    plain = train(small_inception(classes=3, width=4), data, Fidelity(**fields), seed=0)
    assert weighted.final.train_loss == pytest.approx(plain.final.train_loss, rel=1e-4)


def test_a_state_of_an_earlier_version_is_gone_on_with() -> None:
    """It knows no class weights and has curves without the newer metrics."""
    data, fidelity = DeviceData(skewed(), "cpu"), Fidelity(epochs=2, batch_size=16, threads=1)
    model = small_inception(classes=3, width=4)
    assert "class_weights" not in identity(model, data, fidelity, 0, ())["fidelity"]
    memory = Memory()
    train(model, data, fidelity, seed=0, checkpoint=memory, until=1)
    other = Fidelity(epochs=2, batch_size=16, threads=1, class_weights="balanced")
    with pytest.raises(Exception, match="class_weights"):
        train(model, data, other, seed=0, checkpoint=memory)
    assert train(model, data, fidelity, seed=0, checkpoint=memory).resumed_from == 1


GIVEN: list[tuple[Any, Any]] = [
    (None, "none"),
    ("none", "none"),
    ("balanced", "balanced"),
    ("ok=1, bad=10", {"ok": 1.0, "bad": 10.0}),
    ("a=b=2", {"a=b": 2.0}),
    ("ok=1,", {"ok": 1.0}),
    ({0: 2, "1": 3.5}, {"0": 2.0, "1": 3.5}),
]


@pytest.mark.parametrize(("given", "expected"), GIVEN)
def test_how_weights_are_written(given: Any, expected: str | Mapping[str, float]) -> None:
    assert parse_class_weights(given) == expected


@pytest.mark.parametrize(
    "given",
    [
        *("heavy", "ok=", "ok=x", "ok=1,bad", "ok=1, ok=2", "ok=1e400"),
        *({}, {"ok": 0}, {"ok": -1}, {"ok": math.nan}, {"ok": None}, {"ok": True}, {"ok": 10**400}, 3),
    ],
)
def test_what_is_no_weight_is_refused(given: Any) -> None:
    with pytest.raises(ValueError, match="balanced, none, or a weight above 0 for classes by their names"):
        parse_class_weights(given)
    with pytest.raises(ConfigError, match=r"fidelity\.class_weights: not a usable value"):
        Fidelity(class_weights=given)


def test_a_name_of_no_class_is_refused_with_the_nearest() -> None:
    with pytest.raises(
        ConfigError, match="no such class, got 'bda'; expected names of classes: ok, bad, worse; did you"
    ):
        weights_of({"bda": 2.0}, NAMES, (1, 1, 1))


def test_the_gradient_is_that_of_the_weighted_loss() -> None:
    """In bfloat16 and float32, with respect to the logits: p - y, times the weight, over the sum of the weights."""
    logits = torch.randn(6, 3, requires_grad=True)
    labels, weights = torch.tensor([0, 0, 0, 1, 1, 2]), torch.tensor([1.0, 4.0, 9.0])
    total_loss(logits, labels, (), 0.0, weights).backward()  # type: ignore[no-untyped-call]
    own = weights[labels][:, None]
    expected = (logits.detach().softmax(1) - F.one_hot(labels, 3)) * own / own.sum()
    torch.testing.assert_close(logits.grad, expected)


RATES = (0.05, 0.04, 0.03, 0.02, 0.01, 0.005)  # of as many steps: some before a recording, some replayed
SEEDS = (0, 1)
PLAIN = Fidelity(epochs=1, batch_size=16, weight_decay=0.0, gradient_clip=0.5, class_weights="balanced", threads=1)
Batches = list[tuple[Tensor, Tensor]]


def batches_of(data: DeviceData, seed: int) -> Batches:
    """As many batches as there are rates."""
    generator = torch.Generator().manual_seed(seed)
    return [next(data.train_batches(16, generator)) for _ in RATES]


def plainly_trained(model: nn.Module, batches: Batches, weights: Tensor) -> list[float]:
    """The steps in nothing but torch; the losses."""
    loss_of = nn.CrossEntropyLoss(weights, label_smoothing=PLAIN.label_smoothing)
    optimizer = torch.optim.SGD(model.train().parameters(), lr=0.1, momentum=0.9, nesterov=True)
    losses = []
    for rate, (images, labels) in zip(RATES, batches, strict=True):
        optimizer.param_groups[0]["lr"] = rate
        optimizer.zero_grad()
        logits, aux = model(images)
        loss = loss_of(logits, labels) + 0.3 * loss_of(aux, labels)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), PLAIN.gradient_clip)
        optimizer.step()
        losses.append(loss.item())
    return losses


def step_of(work: Work, recorded: bool) -> Step:
    """Taken as usual, or replays of a recording (by a recorder that does the work again)."""
    if not recorded:
        return EagerStep(work)
    recorder = Again()
    recorder.parameters_without_gradient = work.optimizer.zero_grad  # type: ignore[method-assign]
    return CapturedStep(work, torch.device("cpu"), recorder)


@pytest.mark.parametrize("recorded", [False, True], ids=["eager", "recorded"])
def test_weighted_steps_are_those_of_a_plain_loop(recorded: bool) -> None:
    data = DeviceData(skewed(), "cpu")
    weights = data.class_weights("balanced")
    assert weights is not None
    batches = [batches_of(data, seed) for seed in SEEDS]
    plain, ours = ([small_inception(seed, classes=3, width=4, aux=True) for seed in SEEDS] for _ in range(2))
    expected = [plainly_trained(model, given, weights) for model, given in zip(plain, batches, strict=True)]
    steps = [
        step_of(Work(model.train(), make_optimizer(model, PLAIN), PLAIN, (0.3,), None, weights), recorded)
        for model in ours
    ]
    found = [
        [step(*batch, rate, at).item() for at, (rate, batch) in enumerate(zip(RATES, each, strict=True), 1)]
        for step, each in zip(steps, batches, strict=True)
    ]
    assert found == pytest.approx(np.array(expected), rel=1e-3)
    for model, other in zip(ours, plain, strict=True):
        for name, tensor in other.state_dict().items():
            if not name.endswith("num_batches_tracked"):
                torch.testing.assert_close(model.state_dict()[name], tensor, rtol=1e-3, atol=1e-4, msg=name)


def test_weights_make_a_difference_to_the_plain_loop() -> None:
    data = DeviceData(skewed(), "cpu")
    weights, batches = data.class_weights("balanced"), batches_of(data, 0)
    assert weights is not None
    with_weights, without = (
        plainly_trained(small_inception(0, classes=3, width=4, aux=True), batches, each)
        for each in (weights, torch.ones(3))
    )
    assert abs(with_weights[0] - without[0]) > 0.01
