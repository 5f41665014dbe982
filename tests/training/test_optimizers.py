"""The optimizers by their formulas, the weight average, and a training step's kernels."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from inception_search.data.catalogue import load_data
from inception_search.data.loader import DeviceData
from inception_search.training.devices import settings
from inception_search.training.fidelity import Fidelity
from inception_search.training.norm_statistics import uncounted
from inception_search.training.optimizers import OPTIMIZERS, OptimizerName, make_optimizer
from inception_search.training.step import EagerStep, Work
from inception_search.training.trainer import train
from inception_search.training.weight_average import WeightAverage, averaged_tensors, weight_of
from tests.training.networks_to_train import small_inception

F64 = torch.float64


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Threads of a busy machine wait for each other."""
    with settings(torch.device("cpu"), threads=1, seed=0):
        yield


@pytest.fixture(scope="module")
def few() -> DeviceData:
    return DeviceData(load_data("digits", limit=100, image_size=8), "cpu")


def sgd(p: Tensor, g: Tensor, state: dict[str, Tensor], f: Fidelity, decay: float, t: int) -> Tensor:
    g = g + decay * p
    state["v"] = f.momentum * state["v"] + g if t > 1 else g
    return p - f.learning_rate * (g + f.momentum * state["v"])


def rmsprop(p: Tensor, g: Tensor, state: dict[str, Tensor], f: Fidelity, decay: float, t: int) -> Tensor:
    """TensorFlow's: epsilon inside the root, mean squares from one, the rate inside the momentum."""
    assert f.alpha is not None
    assert f.epsilon is not None
    g = g + decay * p
    state["s"] = f.alpha * state.get("s", torch.ones_like(p)) + (1 - f.alpha) * g * g
    state["v"] = (
        f.momentum * state.get("v", torch.zeros_like(p)) + f.learning_rate * g / (state["s"] + f.epsilon).sqrt()
    )
    return p - state["v"]


def adamw(p: Tensor, g: Tensor, state: dict[str, Tensor], f: Fidelity, decay: float, t: int) -> Tensor:
    assert f.alpha is not None
    assert f.epsilon is not None
    p = p - f.learning_rate * decay * p
    state["m"] = f.momentum * state.get("m", torch.zeros_like(p)) + (1 - f.momentum) * g
    state["s"] = f.alpha * state.get("s", torch.zeros_like(p)) + (1 - f.alpha) * g * g
    mean, square = state["m"] / (1 - f.momentum**t), state["s"] / (1 - f.alpha**t)
    return p - f.learning_rate * mean / (square.sqrt() + f.epsilon)


FORMULAS: dict[OptimizerName, Any] = {"sgd": sgd, "rmsprop": rmsprop, "adamw": adamw}


@pytest.mark.parametrize("tensor_rate", [False, True])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers_by_their_formulas(name: OptimizerName, tensor_rate: bool) -> None:
    fidelity = Fidelity(optimizer=name, weight_decay=0.01)
    model = nn.Linear(4, 3).double()
    optimizer = make_optimizer(model, fidelity)
    expected = [p.detach().clone() for p in model.parameters()]
    states: list[dict[str, Tensor]] = [{}, {}]
    draw = torch.Generator().manual_seed(0)
    for t in range(1, 6):
        for group in optimizer.param_groups:
            group["lr"] = torch.tensor(fidelity.learning_rate) if tensor_rate else fidelity.learning_rate
        for i, p in enumerate(model.parameters()):
            p.grad = torch.randn(p.shape, generator=draw, dtype=F64)
            decay = 0.01 if p.ndim > 1 else 0.0
            expected[i] = FORMULAS[name](expected[i], p.grad, states[i], fidelity, decay, t)
        optimizer.step()
    for p, hand in zip(model.parameters(), expected, strict=True):
        torch.testing.assert_close(p.detach(), hand, rtol=1e-6, atol=1e-9)  # a tensor rate is a float32


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_weight_decay_spares_norms_and_biases(name: OptimizerName) -> None:
    model = small_inception(width=4)
    fidelity = Fidelity(optimizer=name)
    decayed, spared = make_optimizer(model, fidelity).param_groups
    assert {p.ndim for p in decayed["params"]} == {2, 4}
    assert {p.ndim for p in spared["params"]} == {1}
    assert (decayed["weight_decay"], spared["weight_decay"]) == (fidelity.weight_decay, 0)
    assert len(decayed["params"]) + len(spared["params"]) == len(list(model.parameters()))


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_learns(name: OptimizerName) -> None:
    digits = DeviceData(load_data("digits", limit=400, image_size=8), "cpu")
    fidelity = Fidelity(optimizer=name, epochs=4, batch_size=16, threads=1, ema=0.95)
    assert train(small_inception(width=8), digits, fidelity, seed=0).final.validation_accuracy > 0.6


# The average


def test_the_average_by_hand() -> None:
    live = [torch.tensor([1.0, 2.0]), torch.tensor(3.0)]
    average = WeightAverage(live, 0.5)
    expected = [tensor.clone() for tensor in live]
    for step in range(1, 30):
        average.set_step(step)
        for i, tensor in enumerate(live):
            tensor += step
            expected[i] += (1 - min(0.5, (1 + step) / (10 + step))) * (tensor - expected[i])
        average.update()
    torch.testing.assert_close(average.means, expected)
    assert weight_of(1, 0.999) == pytest.approx(9 / 11)
    assert weight_of(10**6, 0.999) == pytest.approx(0.001)


def test_averages_change_places_with_the_tensors_and_keep_what_is_done_to_them() -> None:
    live = [torch.tensor([1.0])]
    place = live[0].data_ptr()
    average = WeightAverage(live, 0.5)
    average.means[0].fill_(5)
    with average.in_place():
        assert live[0].item() == 5
        live[0].fill_(6)
    assert (live[0].item(), average.means[0].item(), live[0].data_ptr()) == (1, 6, place)


def test_an_average_covers_what_trains_and_statistics() -> None:
    model = small_inception(width=4)
    model.stem.requires_grad_(False)
    trained = [p for p in model.parameters() if p.requires_grad]
    statistics = [b for name, b in model.named_buffers() if "running" in name]
    assert len(averaged_tensors(model)) == len(trained) + len(statistics)


def test_the_average_is_validated_and_kept(few: DeviceData) -> None:
    """With a decay near 1 and many steps the weights left behind are smoother than the last ones."""
    plain, averaged = small_inception(width=4), small_inception(width=4)
    fidelity = {"epochs": 2, "batch_size": 16, "threads": 1}
    first = train(plain, few, Fidelity(**fidelity), seed=0)
    second = train(averaged, few, Fidelity(**fidelity, ema=0.9), seed=0)
    assert first.curve[0].train_loss == second.curve[0].train_loss
    assert first.final.validation_loss != second.final.validation_loss
    assert not torch.equal(plain.head.weight, averaged.head.weight)


# The step


class Count(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.calls: Counter[str] = Counter()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.calls[str(func)] += 1
        return func(*args, **(kwargs or {}))


def count_step(model: nn.Module, few: DeviceData, counted: bool) -> Counter[str]:
    fidelity = Fidelity()
    step = EagerStep(Work(model.train(), make_optimizer(model, fidelity), fidelity, (), None))
    images, labels = next(few.train_batches(16, torch.Generator().manual_seed(0)))
    if counted:
        with Count() as count:
            step(images, labels, 0.1, 1)
        return count.calls
    with uncounted(model, lambda: 1), Count() as count:
        step(images, labels, 0.1, 1)
    return count.calls


def test_batch_norms_are_not_counted_one_by_one(few: DeviceData) -> None:
    before, after = (count_step(small_inception(width=4), few, counted) for counted in (True, False))
    norms = sum(isinstance(m, nn.BatchNorm2d) for m in small_inception().modules())
    assert before["aten.add_.Tensor"] - after["aten.add_.Tensor"] == norms
    assert sum(before.values()) - sum(after.values()) == norms


@pytest.mark.parametrize("average", [0.0, 0.9])
def test_a_step_never_waits_for_a_number(few: DeviceData, average: float) -> None:
    fidelity = Fidelity(ema=0.9)
    model = small_inception(width=4).train()
    means = WeightAverage(averaged_tensors(model), average) if average else None
    step = EagerStep(Work(model, make_optimizer(model, fidelity), fidelity, (), means))
    images, labels = next(few.train_batches(16, torch.Generator().manual_seed(0)))
    with Count() as count:
        step(images, labels, 0.1, 1)
    assert not [name for name in count.calls if "_local_scalar_dense" in name or "nonzero" in name]


def test_counts_of_batches_are_kept_in_the_state(few: DeviceData) -> None:
    model = small_inception(width=4)
    keys = list(model.state_dict())
    cumulative = next(m for m in model.modules() if isinstance(m, nn.BatchNorm2d))
    cumulative.momentum = None
    train(model, few, Fidelity(epochs=2, batch_size=16, norm_images=0, threads=1), seed=0)
    assert list(model.state_dict()) == keys
    counts = {int(b) for name, b in model.named_buffers() if name.endswith("num_batches_tracked")}
    assert counts == {2 * (100 // 16)}


def test_counts_are_put_back_after_an_error() -> None:
    model = small_inception(width=4).train()
    with pytest.raises(KeyError), uncounted(model, lambda: 3):
        raise KeyError
    assert {int(m.num_batches_tracked) for m in model.modules() if isinstance(m, nn.BatchNorm2d)} == {3}


def test_the_facts_of_a_run(few: DeviceData) -> None:
    result = train(small_inception(width=4), few, Fidelity(epochs=1, threads=1), seed=0)
    assert (result.peak_memory, result.resumed_from, result.notes) == (0, 0, ())
    assert 0 < result.images_per_second < math.inf
