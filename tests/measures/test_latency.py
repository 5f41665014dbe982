"""Latency: the sum over ops, each timed once; never how long anything takes here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

import inception_search as ins
from inception_search.backend.emit import emit, emit_op
from inception_search.errors import CompileError, ConfigError, SpecError
from inception_search.graph import ops
from inception_search.graph.op import Op
from inception_search.graph.ops import OPS
from inception_search.graph.types import FeatureMap, Type, Vector
from inception_search.measures import latency as latency_module
from inception_search.measures import timing
from inception_search.measures.latency import graph_latency, latency, op_key
from inception_search.measures.latency_table import default_file, table
from inception_search.measures.target import Target
from inception_search.on_device import stopwatch

TEXT = """\
schema: inception-search/network
version: 1
name: twice
input: 3x12x12
stages:
  a: [3x3 8, 3x3 8, 3x3 8]
  b: {block: {skip: add, scale: 0.5, project: linear, act: relu, body: {concat: [1x1 8, 3x3 8]}}}
head: {pool: avg, classes: 5, dropout: 0.5}
aux: {side: {after: a, body: 5x5 4}}
"""
NET = ins.load(TEXT)
MAIN = ins.lower(NET, aux=False)
Timed = list[tuple[Op, tuple[Type, ...], Target]]


@pytest.fixture
def timed(monkeypatch: pytest.MonkeyPatch) -> Timed:
    """What was timed; each op takes as many milliseconds as it has outputs, over 1000."""
    calls: Timed = []

    def time_op(op: Op, inputs: tuple[Type, ...], target: Target) -> float:
        calls.append((op, inputs, target))
        return op.infer(inputs).numel / 1000

    monkeypatch.setattr(timing, "time_op", time_op)
    return calls


def test_the_sum_over_the_ops_of_the_classifier(timed: Timed) -> None:
    expected = sum(node.type.numel for node in MAIN.nodes[1:]) / 1000
    assert latency(NET) == pytest.approx(expected)
    assert len({(op, inputs) for op, inputs, _ in timed}) == len(timed) < len(MAIN.nodes) - 1
    assert not any(op == ops.Conv(4, (5, 5), padding=(2, 2)) for op, _, _ in timed), "an auxiliary classifier"


def test_a_second_call_times_nothing(timed: Timed) -> None:
    first = latency(NET)
    count = len(timed)
    assert (latency(NET), len(timed)) == (first, count)
    table.cache_clear()  # another process
    assert (latency(NET), len(timed)) == (first, count)


def test_a_network_with_ops_in_common_times_the_others_only(timed: Timed) -> None:
    latency(NET)
    before = {(op, inputs) for op, inputs, _ in timed}
    timed.clear()
    other = ins.load(TEXT.replace("5x5 4", "1x1 4").replace("classes: 5", "classes: 6"))
    latency(other)
    assert [(op, inputs) for op, inputs, _ in timed] == [(ops.Linear(6), (Vector(8),))]
    assert (ops.Linear(6), (Vector(8),)) not in before


@pytest.mark.parametrize("changes", [{"batch_size": 2}, {"threads": 1}, {"threads": 3}])
def test_another_setting_is_timed_anew(timed: Timed, changes: dict[str, Any]) -> None:
    torch_threads = torch.get_num_threads()
    latency(NET, threads=torch_threads if torch_threads not in (1, 3) else 7)
    count = len(timed)
    latency(NET, **changes)
    assert len(timed) == 2 * count
    assert {target for _, _, target in timed[count:]} == {Target("cpu", **changes)}


def test_another_torch_or_processor_is_timed_anew(timed: Timed, monkeypatch: pytest.MonkeyPatch) -> None:
    latency(NET)
    count = len(timed)
    monkeypatch.setattr(torch, "__version__", "99.0")
    latency(NET)
    assert len(timed) == 2 * count
    monkeypatch.setattr(timing, "processor", lambda: "another")
    latency(NET)
    assert len(timed) == 3 * count


def test_the_file_is_where_it_is_asked_for(timed: Timed, tmp_path: Path, cache_folder: Path) -> None:
    latency(NET, cache=tmp_path / "here" / "mine.json")
    assert (tmp_path / "here" / "mine.json").is_file()
    assert not cache_folder.exists()
    latency(NET)
    assert default_file() == cache_folder / "inception-search" / "latency.json"
    assert default_file().is_file()


KEYS: list[tuple[Op, tuple[Type, ...], Target, str]] = [
    (ops.Conv(8, (3, 3)), (FeatureMap(4, 9, 9),), Target(), "cpu"),
    (ops.Conv(8, (3, 3)), (FeatureMap(4, 9, 8),), Target(), "cpu"),
    (ops.Conv(8, (3, 3)), (FeatureMap(8, 9, 9),), Target(), "cpu"),
    (ops.Conv(8, (3, 1)), (FeatureMap(4, 9, 9),), Target(), "cpu"),
    (ops.Conv(8, (3, 3), bias=True), (FeatureMap(4, 9, 9),), Target(), "cpu"),
    (ops.Conv(8, (3, 3), padding="tf"), (FeatureMap(4, 9, 9),), Target(), "cpu"),
    (ops.Conv(8, (3, 3), groups=2), (FeatureMap(4, 9, 9),), Target(), "cpu"),
    (ops.Conv(8, (3, 3)), (FeatureMap(4, 9, 9),), Target(batch_size=2), "cpu"),
    (ops.Conv(8, (3, 3)), (FeatureMap(4, 9, 9),), Target(), "gpu"),
    (ops.Act("relu"), (FeatureMap(4, 1, 1),), Target(), "cpu"),
    (ops.Act("relu"), (Vector(4),), Target(), "cpu"),
    (ops.Act("silu"), (Vector(4),), Target(), "cpu"),
    (ops.Concat(), (FeatureMap(4, 1, 1), FeatureMap(8, 1, 1)), Target(), "cpu"),
    (ops.Concat(), (FeatureMap(8, 1, 1), FeatureMap(4, 1, 1)), Target(), "cpu"),
]


def test_distinct_ops_have_keys_of_their_own() -> None:
    assert len({op_key(*row) for row in KEYS}) == len(KEYS)
    for op, inputs, target, facts in KEYS:
        assert op_key(op, tuple(inputs), target, str(facts)) == op_key(op, inputs, target, facts)


def test_it_is_really_timed(tmp_path: Path) -> None:
    found = latency(NET, cache=tmp_path / "a.json", threads=1)
    assert 0.0 < found < 60_000.0
    assert latency(NET, whole=True, threads=1) > 0.0
    assert latency(NET, cache=tmp_path / "a.json", threads=1) == found


def test_nothing_outside_is_changed(tmp_path: Path) -> None:
    torch.manual_seed(3)
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    latency(NET, cache=tmp_path / "a.json", threads=threads + 1)
    latency(NET, whole=True, threads=threads + 1)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.get_num_threads() == threads
    assert not torch.is_inference_mode_enabled()


# One op of each kind, on what it reads.
X = FeatureMap(4, 6, 5)
EACH: dict[str, tuple[Op, tuple[Type, ...]]] = {
    "act": (ops.Act(), (X,)),
    "adaptive_pool": (ops.AdaptivePool((2, 2)), (X,)),
    "add": (ops.Add(0.5), (X, X)),
    "batch_norm": (ops.BatchNorm(), (X,)),
    "concat": (ops.Concat(), (X, X, X)),
    "conv": (ops.Conv(3, (3, 3), padding="tf"), (X,)),
    "dropout": (ops.Dropout(), (Vector(7),)),
    "flatten": (ops.Flatten(), (X,)),
    "global_pool": (ops.GlobalPool(), (X,)),
    "linear": (ops.Linear(3), (Vector(7),)),
    "lrn": (ops.Lrn(), (X,)),
    "narrow": (ops.Narrow(2), (X,)),
    "normalize": (ops.Normalize(), (Vector(7),)),
    "pool": (ops.Pool("l2", (2, 2)), (X,)),
    "scale": (ops.Scale(0.5), (X,)),
    "zero": (ops.Zero(), (X,)),
}


@pytest.mark.parametrize("name", [name for name in OPS if name != "input"])
def test_every_op_can_be_timed_alone(name: str) -> None:
    op, inputs = EACH[name]
    module = emit_op(op, inputs).eval()
    values = [torch.ones(2, *x) for x in inputs]
    assert tuple(module(*values).shape) == (2, *op.infer(inputs))
    assert timing.time_op(op, inputs, Target(threads=1)) > 0.0


@pytest.mark.parametrize("op", [ops.Conv(3, (3, 3)), ops.Concat(), ops.Add()], ids=["conv", "concat", "add"])
def test_an_op_is_called_as_often_as_asked(op: Op) -> None:
    module = emit_op(op, (X,) * (op.arity or 3), times=5)
    assert sum(node.op.startswith("call_") for node in module.graph.nodes) == 5 * (2 if isinstance(op, ops.Add) else 1)


def test_a_function_alone_computes_what_it_computes_in_a_network() -> None:
    one, two = torch.randn(2, 4, 6, 5), torch.randn(2, 4, 6, 5)
    assert torch.equal(emit_op(ops.Add(0.5), (X, X))(one, two), one + 0.5 * two)
    assert torch.equal(emit_op(ops.Concat(), (X, X))(one, two), torch.cat([one, two], 1))


def test_the_quickest_median_counts_per_call(monkeypatch: pytest.MonkeyPatch) -> None:
    rounds = [[5.0, 1.0, 7.0], [4.0, 0.1, 3.0], *([8.0, 9.0, 8.0] for _ in range(timing.ROUNDS - 2))]
    seconds = iter([1e-4, *(1e-3 * value for samples in rounds for value in samples)])
    asked: list[int] = []
    monkeypatch.setattr(stopwatch, "_seconds", lambda call, settle, calls: asked.append(calls) or next(seconds))
    found = timing.time_op(ops.Act(), (X,), Target())
    assert asked == [1] + [3] * timing.ROUNDS * stopwatch.SAMPLES
    assert found == pytest.approx(3.0 / 3 / timing.TIMES)


def test_values_are_laid_out_as_in_training() -> None:
    value = timing._value(X, Target(batch_size=3), torch.device("cpu"))
    assert value.shape == (3, 4, 6, 5)
    assert value.is_contiguous(memory_format=torch.channels_last)


def test_memory_that_does_not_suffice_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> float:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 4000000000000 bytes")

    monkeypatch.setattr(timing, "_milliseconds", full)
    with pytest.raises(CompileError, match="measured: the network does not fit in memory; use fewer or smaller images"):
        latency(NET)
    monkeypatch.setattr(timing, "_milliseconds", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        latency(NET)


def test_a_broken_gpu_is_no_lack_of_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> float:
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    monkeypatch.setattr(timing, "_milliseconds", broken)
    with pytest.raises(RuntimeError, match="illegal memory access"):
        latency(NET)


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"device": "gpu"}, "device: unknown device, got 'gpu'"),
    ({"device": "cuda:99"}, "device 'cuda:99' is not there"),
    ({"threads": 0}, "threads: not a usable value, got 0; expected a whole number of 1 or more"),
    ({"threads": 1.5}, "threads: not a usable value"),
    ({"batch_size": 0}, "batch_size: not a usable value, got 0"),
    ({"batch_size": True}, "batch_size: not a usable value"),
]


@pytest.mark.parametrize(("options", "words"), REFUSED)
def test_what_cannot_be_timed_is_told(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        latency(NET, **options)


def test_only_networks_are_timed() -> None:
    with pytest.raises(SpecError, match="only a network can be measured"):
        latency("inception_v3")  # type: ignore[arg-type]


def test_what_was_timed_before_a_failure_is_kept(timed: Timed, monkeypatch: pytest.MonkeyPatch) -> None:
    time_op = timing.time_op

    def fails_at_last(op: Op, inputs: tuple[Type, ...], target: Target) -> float:
        if isinstance(op, ops.Linear):
            raise CompileError("broken")
        return time_op(op, inputs, target)

    monkeypatch.setattr(latency_module.timing, "time_op", fails_at_last)
    with pytest.raises(CompileError, match="broken"):
        graph_latency(MAIN, Target())
    table.cache_clear()
    timed.clear()
    monkeypatch.setattr(timing, "time_op", time_op)
    graph_latency(MAIN, Target())
    assert [op for op, _, _ in timed] == [ops.Linear(5)]


def test_the_whole_network_is_the_compiled_one(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    monkeypatch.setattr(timing, "_milliseconds", lambda module, values, device: seen.append((module, values)) or 2.5)
    assert latency(NET, whole=True, batch_size=3) == 2.5
    ((module, values),) = seen
    assert values[0].shape == (3, 3, 12, 12)
    assert set(module.state_dict()) == set(emit(MAIN).state_dict())
