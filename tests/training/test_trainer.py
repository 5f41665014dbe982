"""The training loop, and evaluation."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from inception_search.data.catalogue import load_data
from inception_search.data.loader import DeviceData
from inception_search.errors import ConfigError, TrainingError
from inception_search.training.evaluate import evaluate
from inception_search.training.fidelity import Fidelity
from inception_search.training.norm_statistics import refresh_norm_statistics
from inception_search.training.optimizers import make_optimizer
from inception_search.training.step import total_loss
from inception_search.training.trainer import EpochMetrics, TrainingResult, memory_errors, reason, train
from tests.bounds import PATIENCE
from tests.training.networks_to_train import small_inception

SHORT = Fidelity(epochs=2, batch_size=32, threads=1)


@pytest.fixture(scope="module")
def digits() -> DeviceData:
    return DeviceData(load_data("digits"), "cpu")


@pytest.fixture(scope="module")
def few() -> DeviceData:
    """A hundred digits at 8x8: for tests of the loop, not of what it learns."""
    return DeviceData(load_data("digits", limit=100, image_size=8), "cpu")


def tiny(seed: int = 0, **sizes: Any) -> nn.Module:
    return small_inception(seed, **({"width": 4} | sizes))


class Linear(nn.Module):
    """One linear layer behind dropout; ``spoil`` may change the logits."""

    def __init__(self, pixels: int = 64, spoil: Callable[[Tensor], Tensor] = lambda logits: logits) -> None:
        super().__init__()
        self.drop, self.linear, self.spoil = nn.Dropout(0.2), nn.Linear(pixels, 10), spoil

    def forward(self, images: Tensor) -> Tensor:
        return self.spoil(self.linear(self.drop(images.flatten(1))))


def linear(spoil: Callable[[Tensor], Tensor] = lambda logits: logits) -> Linear:
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        return Linear(spoil=spoil)


@pytest.mark.slow  # quickly: test_every_optimizer_learns
def test_three_epochs_on_digits_learn_to_read(digits: DeviceData) -> None:
    result = train(small_inception(), digits, Fidelity(epochs=3, threads=1), seed=0)
    assert result.final.validation_accuracy > 0.85
    assert [point.epoch for point in result.curve] == [1, 2, 3]
    assert result.steps == 3 * (1079 // 64)
    assert not result.stopped


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_eight_epochs_on_digits_read_well(digits: DeviceData, seed: int) -> None:
    result = train(small_inception(seed), digits, Fidelity(), seed=seed)
    assert result.final.validation_accuracy > 0.95


def test_the_same_seed_gives_the_same_curve_to_the_last_bit(few: DeviceData) -> None:
    def run(seed: int) -> tuple[TrainingResult, dict[str, Tensor]]:
        model = nn.Sequential(nn.Dropout(0.1), tiny())
        return train(model, few, SHORT, seed=seed), model.state_dict()

    (first, weights), (again, weights_again), (other, _) = run(1), run(1), run(2)
    assert first == again != other
    assert all(torch.equal(weights[key], weights_again[key]) for key in weights)


def test_the_callers_random_state_and_threads_are_left_alone(few: DeviceData) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    threads = torch.get_num_threads()
    train(linear(), few, SHORT, seed=0)
    assert torch.equal(torch.rand(3), expected)
    assert torch.get_num_threads() == threads


def test_report_sees_every_epoch_and_may_stop_the_run(few: DeviceData) -> None:
    seen: list[EpochMetrics] = []

    def until_second(point: EpochMetrics) -> bool:
        seen.append(point)
        return point.epoch < 2

    result = train(linear(), few, Fidelity(epochs=5, threads=1), seed=0, report=until_second)
    assert (tuple(seen), result.stopped, len(result.curve)) == (result.curve, True, 2)
    assert result.seconds >= sum(point.seconds for point in seen) > 0


def test_stopping_after_the_last_epoch_is_not_stopping(few: DeviceData) -> None:
    assert not train(linear(), few, SHORT, seed=0, report=lambda point: point.epoch < 2).stopped


def test_the_learning_rate_warms_up_and_ends_near_zero(few: DeviceData) -> None:
    curve = train(linear(), few, Fidelity(epochs=8, batch_size=32, learning_rate=0.01, threads=1), seed=0).curve
    rates = [point.learning_rate for point in curve]
    assert max(rates) == pytest.approx(0.01, rel=0.05)
    assert rates.index(max(rates)) in (1, 2)
    assert rates[-1] < 0.0005


def test_the_whole_network_runs_channels_last_on_one_channel(few: DeviceData) -> None:
    model = tiny()
    layouts: list[bool] = []

    def look(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        layouts.append(output.is_contiguous(memory_format=torch.channels_last) and not output.is_contiguous())

    for module in model.modules():
        if isinstance(module, nn.Conv2d | nn.BatchNorm2d):
            module.register_forward_hook(look)
    train(model, few, Fidelity(epochs=1, threads=1), seed=0)
    assert layouts
    assert all(layouts)


def test_bfloat16_is_nearly_float32(few: DeviceData) -> None:
    found, expected = (
        train(tiny(), few, SHORT.model_copy(update={"precision": precision}), seed=0).final
        for precision in ("bfloat16", "float32")
    )
    assert found != expected
    assert found.train_loss == pytest.approx(expected.train_loss, rel=0.02)


@pytest.mark.slow
def test_bfloat16_learns_too(digits: DeviceData) -> None:
    fidelity = Fidelity(epochs=2, batch_size=32, precision="bfloat16", threads=1)
    assert train(small_inception(width=8), digits, fidelity, seed=0).final.validation_accuracy > 0.7


def test_the_trainer_asks_for_train_and_validation_only(monkeypatch: pytest.MonkeyPatch) -> None:
    everything = DeviceData(load_data("digits", limit=50, image_size=8), "cpu", ("train", "validation", "test"))
    asked: set[str] = set()
    resident = everything._resident
    monkeypatch.setattr(everything, "_resident", lambda split: asked.add(split) or resident(split))
    train(tiny(), everything, SHORT, seed=0)
    assert asked == {"train", "validation"}


# Auxiliary heads and the loss


def test_auxiliary_heads_are_trained_and_need_weights(few: DeviceData) -> None:
    model = tiny(aux=True)
    before = model.aux.weight.detach().clone()
    train(model, few, SHORT, seed=0, aux_weights=(0.3,))
    assert not torch.equal(model.aux.weight, before)
    words = "aux_weights: wrong number of weights, got 0; expected 1 for the auxiliary outputs of the model"
    with pytest.raises(ConfigError, match=words):
        train(tiny(aux=True), few, SHORT, seed=0)
    with pytest.raises(ConfigError, match="got 1; expected 0"):
        train(tiny(), few, SHORT, seed=0, aux_weights=(0.3,))


def test_total_loss_is_the_weighted_sum() -> None:
    main, first, second = torch.randn(3, 4, 5, generator=torch.Generator().manual_seed(0))
    labels = torch.tensor([0, 1, 2, 3])
    parts = [F.cross_entropy(x, labels, label_smoothing=0.1) for x in (main, first, second)]
    found = total_loss((main, first, second), labels, (0.3, 0.5), 0.1)
    torch.testing.assert_close(found, parts[0] + 0.3 * parts[1] + 0.5 * parts[2])
    torch.testing.assert_close(total_loss(main, labels, (), 0.1), parts[0])


def test_weight_decay_spares_norms_and_biases() -> None:
    model = tiny()
    decayed, spared = make_optimizer(model, Fidelity()).param_groups
    assert {p.ndim for p in decayed["params"]} == {2, 4}
    assert {p.ndim for p in spared["params"]} == {1}
    assert (decayed["weight_decay"], spared["weight_decay"]) == (5e-4, 0)
    assert len(decayed["params"]) + len(spared["params"]) == len(list(model.parameters()))


def test_frozen_weights_stay(few: DeviceData) -> None:
    model = tiny()
    model.stem.requires_grad_(False)
    before = model.stem[0].weight.clone()
    train(model, few, SHORT, seed=0)
    assert torch.equal(model.stem[0].weight, before)


# Failures


FAILURES: dict[str, tuple[Callable[[Tensor], Tensor], str, str]] = {
    "nan": (lambda x: x * math.nan, "diverged", "diverged: the training loss is not finite in epoch 1; lower learn"),
    "inf": (lambda x: x - math.inf * x.detach().sign(), "diverged", "diverged: the training loss is not finite"),
    "nan in validation": (
        lambda x: x if x.requires_grad else x * math.nan,
        "diverged",
        "diverged: the validation loss is not finite in epoch 1",
    ),
    "CUDA memory": (
        lambda x: (_ for _ in ()).throw(torch.OutOfMemoryError("CUDA out of memory. Tried\nto")),
        "out of memory",
        "out of memory while training, got CUDA out of memory. Tried; use a batch_size below 32",
    ),
    "host memory": (lambda x: torch.empty(1 << 60), "out of memory", "out of memory while training, got "),
    "Python memory": (lambda x: bytearray(1 << 60), "out of memory", "out of memory while training, got MemoryError"),
}


@pytest.mark.parametrize("case", FAILURES)
def test_failures_name_their_reason(few: DeviceData, case: str) -> None:
    spoil, word, text = FAILURES[case]
    with pytest.raises(TrainingError) as caught:
        train(linear(spoil), few, SHORT, seed=0)
    assert reason(caught.value) == word
    assert str(caught.value).startswith(text)


def test_divergence_is_seen_long_before_the_epoch_ends(digits: DeviceData) -> None:
    calls: list[int] = []

    def spoil(logits: Tensor) -> Tensor:
        calls.append(1)
        return logits * math.nan

    with pytest.raises(TrainingError):
        train(Linear(256, spoil), digits, Fidelity(batch_size=2, threads=1), seed=0)
    assert len(calls) <= 16


def test_another_error_of_the_model_comes_through(few: DeviceData) -> None:
    with pytest.raises(RuntimeError, match="shape"):
        train(Linear(pixels=7), few, SHORT, seed=0)
    assert reason(TrainingError("took too long")) == "failed"


@pytest.mark.parametrize(
    ("words", "known"),
    [
        ("could not create a primitive", True),
        ("could not create a primitive descriptor for a convolution forward propagation primitive", False),
        ("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes", True),
        ("shapes cannot be multiplied", False),
    ],
)
def test_the_words_for_a_shortage_of_memory(words: str, known: bool) -> None:
    with pytest.raises(TrainingError if known else RuntimeError) as caught, memory_errors(64):
        raise RuntimeError(words)
    assert str(caught.value).startswith("out of memory while training") == known


OUT_OF_MEMORY = """
import resource, sys
sys.path[:0] = {path!r}
from tests.training.networks_to_train import small_inception
from inception_search.data.catalogue import load_data
from inception_search.data.loader import DeviceData
from inception_search.errors import TrainingError
from inception_search.training.fidelity import Fidelity
from inception_search.training.trainer import train
data = DeviceData(load_data("digits", image_size=64), "cpu")
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (400 << 20),) * 2)
try:
    train(small_inception(), data, Fidelity(batch_size=1000, threads=1), seed=0)
except TrainingError as error:
    print(error)
"""


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc and RLIMIT_AS")
def test_a_real_shortage_of_host_memory() -> None:
    here = Path(__file__).parent
    script = OUT_OF_MEMORY.format(path=[str(here), str(here.parents[1])])
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=PATIENCE)
    assert done.stdout.startswith("out of memory while training, got "), done.stderr
    assert "use a batch_size below 1000" in done.stdout


# Evaluation


def test_evaluate_is_plain_cross_entropy_and_accuracy(few: DeviceData) -> None:
    model = linear().eval()
    images, labels = next(few.eval_batches("validation", 1000))
    with torch.no_grad():
        logits = model(images)
    found = evaluate(model, few, "validation", batch_size=100)
    assert found.n == len(labels) == 359
    assert found.loss == pytest.approx(F.cross_entropy(logits, labels).item(), rel=1e-5)
    assert found.accuracy == pytest.approx((logits.argmax(1) == labels).double().mean().item())


def test_evaluate_changes_nothing(few: DeviceData) -> None:
    model = tiny(aux=True).train()
    model.second.eval()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    evaluate(model, few)
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())


def test_evaluate_takes_the_main_output_of_a_tuple(few: DeviceData) -> None:
    pair = linear(lambda logits: (logits, logits * math.nan))
    assert evaluate(pair, few) == evaluate(linear(), few)


# Batch norm statistics


def test_statistics_are_those_of_the_images_measured(few: DeviceData) -> None:
    """Against one forward pass over the same images with momentum 1."""
    model, other = tiny(), tiny()
    for norm in [m for m in other.modules() if isinstance(m, nn.BatchNorm2d)]:
        norm.momentum = 1.0
    other.train()(few.train_sample(60, torch.Generator().manual_seed(3)))
    refresh_norm_statistics(model, few, images=60, generator=torch.Generator().manual_seed(3))
    for (name, found), (_, expected) in zip(model.named_buffers(), other.named_buffers(), strict=True):
        if "running" in name:
            torch.testing.assert_close(found, expected, msg=name)


def test_refreshing_puts_modes_and_momenta_back(few: DeviceData) -> None:
    model = nn.Sequential(tiny(), nn.Dropout(0.5)).train()
    model[0].second.eval()
    norms = [m for m in model.modules() if isinstance(m, nn.BatchNorm2d)]
    norms[0].momentum = 0.0003
    modes = [m.training for m in model.modules()]
    refresh_norm_statistics(model, few, images=100, generator=torch.Generator().manual_seed(0))
    assert [m.training for m in model.modules()] == modes
    assert [norm.momentum for norm in norms] == [0.0003] + [0.1] * (len(norms) - 1)


def test_a_tiny_momentum_does_not_hide_a_good_network(digits: DeviceData) -> None:
    model = small_inception(width=8)
    for norm in [m for m in model.modules() if isinstance(m, nn.BatchNorm2d)]:
        norm.momentum = 0.0003
    assert train(model, digits, SHORT, seed=0).final.validation_accuracy > 0.7


def test_networks_without_batch_norm_are_left_alone(few: DeviceData) -> None:
    calls: list[int] = []
    model = linear(lambda logits: calls.append(1) or logits)
    refresh_norm_statistics(model, few, images=100, generator=torch.Generator())
    assert not calls
