"""Limits: what is within, what is outside and by how much, what is asked, what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

import inception_search as ins
from inception_search.errors import ArgumentError, ConfigError
from inception_search.graph.types import Cost
from inception_search.measures import measured_network as subject_module
from inception_search.measures import timing
from inception_search.measures.budget import LIMITS, Budget
from inception_search.measures.measure import measures

COST = Cost(params=5, macs=10, activation_bytes=2000, depth=4)
NET = ins.load("nin_cifar10")

# Limits, how far outside COST is, in which words.
OUTSIDE: list[tuple[dict[str, Any], float, str]] = [
    ({"max_macs": 9}, 1 / 9, "10 multiply-adds are over the budget of 9"),
    ({"max_params": 4}, 1 / 4, "5 parameters are over the budget of 4"),
    ({"max_activation_bytes": 1000}, 1.0, "2,000 bytes of activations are over the budget of 1,000"),
    ({"max_depth": 1}, 3.0, "4 layers of depth are over the budget of 1"),
    ({"min_macs": 20}, 1 / 2, "10 multiply-adds are under the minimum of 20"),
    ({"min_params": 50}, 9 / 10, "5 parameters are under the minimum of 50"),
    ({"min_depth": 5}, 1 / 5, "4 layers of depth are under the minimum of 5"),
    ({"max_macs": 9, "max_params": 1}, 4.0, "5 parameters are over the budget of 1"),  # the worst of them
    ({"max_macs": 1, "max_params": 4}, 9.0, "10 multiply-adds are over the budget of 1"),
]


@pytest.mark.parametrize(("limits", "excess", "words"), OUTSIDE, ids=[" ".join(row[0]) for row in OUTSIDE])
def test_outside(limits: dict[str, Any], excess: float, words: str) -> None:
    assert Budget(**limits).violation(COST) == (pytest.approx(excess), words)


def test_the_limit_itself_is_within() -> None:
    assert (
        Budget(
            max_macs=10, max_params=5, max_activation_bytes=2000, max_depth=4, min_macs=10, min_params=5, min_depth=4
        ).violation(COST)
        is None
    )
    assert Budget().violation(COST) is None


def test_a_network_is_judged_by_all_its_measures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "time_op", lambda op, inputs, target: 2.0)
    found = measures(NET, [*measures(NET), "latency"])
    assert found["latency"] > 2.0
    exact = {name: found[name[4:].removesuffix("_ms")] for name in LIMITS}
    assert Budget(**exact).violation(NET) is None
    for name, value in exact.items():
        beyond = value - 1 if name.startswith("max_") else value + 1
        outside = Budget(**{name: beyond}).violation(NET)
        assert outside is not None
        assert outside[0] > 0.0
        assert outside[1].startswith(f"{value:,} " if isinstance(value, int) else f"{value:g} ")


@pytest.mark.parametrize(
    ("limits", "graphs", "timed"),
    [
        ({"max_params": 1, "min_receptive_field": 1, "max_latency_ms": 1}, 0, 0),
        ({"max_params": 10**9, "min_receptive_field": 999, "max_latency_ms": 1}, 1, 0),
        ({"min_receptive_field": 999, "max_latency_ms": 0.1}, 1, 0),
        ({"max_latency_ms": 0.1, "min_receptive_field": 9, "max_params": 10**9}, 1, 1),
        ({"max_params": 10**9}, 0, 0),
    ],
)
def test_what_is_cheap_is_asked_first(
    monkeypatch: pytest.MonkeyPatch, limits: dict[str, Any], graphs: int, timed: int
) -> None:
    asked: list[str] = []
    lower = subject_module.lower
    monkeypatch.setattr(
        subject_module, "lower", lambda *args, **kwargs: asked.append("graph") or lower(*args, **kwargs)
    )
    monkeypatch.setattr(
        "inception_search.measures.latency.graph_latency", lambda graph, target, late: asked.append("latency") or 1.0
    )
    Budget(**limits).violation(NET)
    assert (asked.count("graph"), asked.count("latency")) == (graphs, timed)


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"max_macs": 0}, "max_macs: not a usable value, got 0; expected a whole number of at least 1"),
    ({"max_params": -5}, "max_params: not a usable value, got -5"),
    ({"max_depth": 2.5}, "max_depth: not a usable value, got 2.5"),
    ({"max_depth": True}, "max_depth: not a usable value, got True"),
    ({"min_macs": "many"}, "min_macs: not a usable value, got 'many'"),
    ({"max_macs": float("inf")}, "max_macs: not a usable value, got inf"),
    ({"max_macs": "1e999"}, "max_macs: not a usable value, got a whole number of 3,319 bits"),
    ({"max_macs": 10**400}, "max_macs: not a usable value, got a whole number of 1,329 bits"),
    ({"max_latency_ms": 0.0}, "max_latency_ms: not a usable value, got 0.0; expected a number above 0"),
    ({"max_latency_ms": float("nan")}, "max_latency_ms: not a usable value"),
    ({"min_macs": 11, "max_macs": 10}, "min_macs: min_macs is above max_macs, got 11; expected at most 10; lower min_"),
    ({"min_depth": 3, "max_depth": 2}, "min_depth is above max_depth"),
    ({"device": "gpu"}, "device: unknown device"),
    ({"threads": 0}, "threads: not a usable value, got 0"),
]  # fmt: skip


@pytest.mark.parametrize(("limits", "words"), REFUSED, ids=[" ".join(map(str, row[0].items())) for row in REFUSED])
def test_a_limit_that_cannot_be_used_is_named(limits: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        Budget(**limits)


def test_whole_numbers_as_people_write_them() -> None:
    budget = Budget(max_macs=1e6, max_latency_ms=3)  # type: ignore[arg-type]
    assert (type(budget.max_macs), budget.max_macs, type(budget.max_latency_ms)) == (int, 1_000_000, float)
    assert budget == Budget(max_macs=1_000_000, max_latency_ms=3.0)


def test_it_does_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Budget(max_macs=3).max_macs = 4  # type: ignore[misc]


@pytest.mark.parametrize("limits", [{"min_receptive_field": 3}, {"max_latency_ms": 1.0}])
def test_a_cost_alone_does_not_tell_all(limits: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=rf"{next(iter(limits))}: a Cost cannot be checked for .*; give the network"):
        Budget(**limits).violation(COST)


def test_only_networks_have_a_budget() -> None:
    with pytest.raises(ArgumentError, match=r"of Budget.violation\(\), .*write network=load\('inception_v3'\)"):
        Budget(max_macs=1).violation("inception_v3")  # type: ignore[arg-type]


def test_parts_of_a_budget() -> None:
    budget = Budget(max_macs=4, max_depth=3, max_latency_ms=1.0, min_params=2, min_receptive_field=5, threads=2)
    assert budget.only(is_max=True) == Budget(max_macs=4, max_depth=3, max_latency_ms=1.0, threads=2)
    assert budget.only(is_max=False) == Budget(min_params=2, min_receptive_field=5, threads=2)
    assert budget.only(by_width=True) == Budget(max_macs=4, max_latency_ms=1.0, min_params=2, threads=2)
    assert budget.only(is_max=True, by_width=False) == Budget(max_depth=3, threads=2)
    assert [limit.name for limit in budget.limits()][-2:] == ["min_receptive_field", "max_latency_ms"]
