"""The table of measures."""

from __future__ import annotations

from typing import Any

import pytest

import inception_search as ins
from inception_search.errors import ConfigError, InceptionSearchError, ShapeError, SpecError, UnknownNameError
from inception_search.estimate import estimate
from inception_search.measures import timing
from inception_search.measures.measure import MEASURES, measure, measures
from inception_search.measures.measured_network import MeasuredNetwork
from inception_search.measures.target import Target


@pytest.mark.parametrize("name", ["inception_v1", "nin_cifar10"])
def test_what_needs_no_device(name: str) -> None:
    net = ins.load(name)
    found = measures(net)
    cost = ins.lower(net).cost().to_dict()
    assert found == cost | {"receptive_field": {"inception_v1": 715, "nin_cifar10": 27}[name]}
    assert all(measure(net, each) == value for each, value in found.items())
    assert all(type(value) is int for value in found.values())


def test_auxiliary_classifiers_do_not_count() -> None:
    net = ins.load("inception_v3")
    assert net.aux
    assert measures(net) == measures(ins.drop_head(net)) | {
        "params": 23_834_568,
        "macs": 5_713_216_096,
        "activation_bytes": estimate(net).activation_bytes,
        "depth": estimate(net).depth,
    }


def test_latency_is_the_sum_over_ops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "time_op", lambda op, inputs, target: 0.5)
    net = ins.load("nin_cifar10")
    assert measure(net, "latency") == 0.5 * (len(ins.lower(net).nodes) - 1)
    assert measures(net, ["latency", "depth"]) == {"latency": measure(net, "latency"), "depth": 9}


def test_every_measure_has_words_and_a_price() -> None:
    assert set(MEASURES) == {"params", "macs", "activation_bytes", "depth", "receptive_field", "latency"}
    assert {name for name, each in MEASURES.items() if each.price == 2} == {"latency"}
    assert len({each.words for each in MEASURES.values()}) == len(MEASURES)


def test_a_part_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Target] = []
    monkeypatch.setattr(timing, "time_graph", pytest.fail)
    monkeypatch.setattr(
        "inception_search.measures.latency.graph_latency", lambda graph, target, late: calls.append(target) or 3.25
    )
    subject = MeasuredNetwork(ins.load("nin_cifar10"))
    one, two = Target(), Target(threads=2)
    assert [subject.latency(one), subject.latency(one), subject.latency(two)] == [3.25] * 3
    assert calls == [one, two]
    assert subject.graph is subject.graph
    assert "latency" not in subject.counts()


REFUSED: list[tuple[Any, Any, type[InceptionSearchError], str]] = [
    (ins.load("nin_cifar10"), "flops", UnknownNameError, "unknown measure, got 'flops'; expected one of activation_"),
    (ins.load("nin_cifar10"), "param", UnknownNameError, "did you mean 'params'"),
    ("inception_v3", "macs", SpecError, r"got 'inception_v3'; write measure_network\(load"),
    (ins.set_input(ins.load("inception_v3"), height=20, width=20), "macs", ShapeError, r"inception_v3\.yaml:\d+: "),
]  # fmt: skip


@pytest.mark.parametrize(("network", "name", "error", "words"), REFUSED)
def test_what_cannot_be_measured_is_told(
    network: Any, name: Any, error: type[InceptionSearchError], words: str
) -> None:
    with pytest.raises(error, match=words):
        measure(network, name)


@pytest.mark.parametrize("device", ["gpu", "cuda:x", "", 3])
def test_a_device_is_named_as_torch_does(device: Any) -> None:
    with pytest.raises(ConfigError, match=r"device: unknown device, got .*; expected one of cpu, cuda, cuda:<number>"):
        measure(ins.load("nin_cifar10"), "params", device)


def test_a_gpu_that_is_not_there() -> None:
    with pytest.raises(ConfigError, match=r"device 'cuda:99' is not there, got \d+ CUDA devices; measure on 'cpu'"):
        measure(ins.load("nin_cifar10"), "latency", "cuda:99")
