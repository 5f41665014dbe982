"""Points within a budget: drawn while that works, else repaired, never outside."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import inception_search as ins
from inception_search.errors import ConfigError, InceptionSearchError, ShapeError, SpecError
from inception_search.graph.op import Op
from inception_search.graph.ops.linear import Linear
from inception_search.graph.types import Type
from inception_search.measures import sample_within as sample_module
from inception_search.measures import timing
from inception_search.measures.budget import Budget
from inception_search.measures.measure import measures
from inception_search.measures.sample_within import REPAIRS, Sampled, sample_within
from inception_search.measures.target import Target
from inception_search.measures.width_scaling import ladder
from inception_search.space.holes import Choice, Float, Hole, Integer
from inception_search.space.space import Space
from tests.shipped import shipped_space

MODULES = shipped_space("inception_modules")

DEEP = """\
schema: inception-search/space
version: 1
name: deep
network:
  name: deep
  input: 1x32x32
  stages:
    stem: {conv: {kernel: 3x3, width: {$choice: [8, 16, 64, 32]}, stride: 2}}
    body:
      repeat:
        times: {$int: [1, 9]}
        body: {conv: {kernel: 3x3, width: {$int: [16, 512, 16], $log: false}}}
    more:
      repeat:
        times: {$int: [1, 4]}
        body: {conv: {kernel: 5x5, factor: row_col, mid: {$int: [3, 24, 3]}, width: {$int: [4, 64]}}}
  head: {pool: avg, classes: 10}
"""
# Half of its points break a rule: a split halves its width.
ODD = DEEP.replace("factor: row_col, mid: {$int: [3, 24, 3]}", "factor: split").replace("name: deep", "name: odd")
NEVER = """\
schema: inception-search/space
version: 1
name: never
network:
  name: never
  input: 1x32x32
  stages:
    a: {conv: {kernel: 9x9, width: {$int: [1, 4]}, padding: valid}}
    b: {conv: {kernel: 9x9, width: {$int: [1, 4]}, padding: valid}}
"""


def in_bounds(found: Sampled, space: Space, budget: Budget) -> None:
    """The laws of every result."""
    again = ins.set_classes(space.decode(found.params), found.network.head.classes)
    shape = found.network.input
    again = ins.set_input(again, channels=shape.channels, height=shape.height, width=shape.width)
    assert again == found.network
    assert budget.violation(found.network) is None
    assert found.cost == ins.lower(found.network).cost()


@pytest.fixture(scope="module")
def drawn() -> dict[str, list[int]]:
    """The measures, sorted, of all the points that seed 1 draws."""
    rng = random.Random(1)
    points = [MODULES.sample(rng, by) for by in (None, "holes") for _ in range(100)]
    all_ = [measures(MODULES.decode(point)) for point in points]
    return {name: sorted(int(each[name]) for each in all_) for name in all_[0]}


@pytest.mark.parametrize("limits", [("max_macs",), ("min_params",), ("min_depth",), ("max_depth", "max_macs")])
def test_a_budget_that_draws_meet(drawn: dict[str, list[int]], limits: tuple[str, ...]) -> None:
    budget = Budget(**{name: drawn[name[4:]][100] for name in limits})
    found = sample_within(MODULES, budget, 1)
    assert found.origin == "drawn"
    assert found.tries < 50
    in_bounds(found, MODULES, budget)


HARD: list[dict[str, float]] = [
    {"max_params": 0.8},
    {"max_macs": 0.7},
    {"max_activation_bytes": 0.9},
    {"min_params": 1.1},
    {"min_macs": 1.1, "max_params": 60.0},
    {"max_params": 0.9, "min_receptive_field": 0.5},
    {"max_params": 0.9, "max_depth": 1.4},
]


@pytest.mark.parametrize("limits", HARD, ids=[" ".join(row) for row in HARD])
def test_a_budget_that_no_draw_meets(drawn: dict[str, list[int]], limits: dict[str, float]) -> None:
    def limit(name: str, factor: float) -> int:
        return round(factor * drawn[name[4:]][0 if name.startswith("max_") else -1])

    budget = Budget(**{name: limit(name, factor) for name, factor in limits.items()})
    found = sample_within(MODULES, budget, 1)
    assert (found.origin, found.tries) == ("repaired", 200)
    in_bounds(found, MODULES, budget)
    name = next(iter(limits))
    assert 0.6 < measures(found.network)[name[4:]] / limit(name, limits[name]) < 1.4, "further than needed"


def test_the_first_draw_that_fits_is_the_one_that_the_space_draws() -> None:
    rng = random.Random(5)
    draws = [MODULES.sample(rng) for _ in range(100)]
    limit = measures(MODULES.decode(draws[7]))["macs"]
    costs = [measures(MODULES.decode(draw))["macs"] for draw in draws]
    first = next(index for index, macs in enumerate(costs) if macs <= limit)
    found = sample_within(MODULES, Budget(max_macs=int(limit)), 5)
    assert (found.params, found.tries, found.origin) == (draws[first], first + 1, "drawn")


def test_seeds_and_generators_repeat() -> None:
    budget = Budget(max_params=14_000)
    assert sample_within(MODULES, budget, 3) == sample_within(MODULES, budget, 3)
    assert sample_within(MODULES, budget, 3) == sample_within(MODULES, budget, random.Random(3))
    rng = random.Random(3)
    assert sample_within(MODULES, Budget(), rng) != sample_within(MODULES, Budget(), rng)


def test_at_the_size_of_the_images() -> None:
    budget = Budget(max_macs=800_000)
    found = sample_within(MODULES, budget, 0, shape=(3, 12, 14), classes=7)
    assert found.network.input.shape == (3, 12, 14)
    assert found.network.head.classes == 7
    in_bounds(found, MODULES, budget)


@pytest.mark.parametrize("text", [DEEP, ODD], ids=["deep", "odd"])
@settings(max_examples=30, deadline=None)
@given(st.data())
def test_any_reachable_budget_is_met(text: str, data: st.DataObject) -> None:
    space = Space(text)
    lowest, highest = (bounds(space, end) for end in (0, -1))
    name = data.draw(st.sampled_from(("params", "macs", "activation_bytes", "depth", "receptive_field")))
    share = data.draw(st.floats(0.0, 1.0))
    value = round(lowest[name] * (highest[name] / lowest[name]) ** share)
    is_max = name != "receptive_field" and (name == "activation_bytes" or data.draw(st.booleans()))
    limit = max(value, lowest[name]) if is_max else min(value, highest[name])
    budget = Budget(**{f"{'max' if is_max else 'min'}_{name}": limit})
    found = sample_within(space, budget, data.draw(st.integers(0, 99)), tries=20)
    in_bounds(found, space, budget)


def bounds(space: Space, end: int) -> dict[str, Any]:
    """The measures of the point with every hole at one end of its values; even widths are legal."""
    params = {name: ladder(hole)[end] for name, hole in space.holes.items()}
    return measures(space.decode(params))


MANY = """\
schema: inception-search/space
version: 1
name: many
network:
  name: many
  input: 1x32x32
  stages:
    body:
      - {$many: [1, 12], of: {conv: {kernel: 3x3, width: {$int: [8, 64, 8]}}}}
"""


@pytest.mark.parametrize("limits", [{"min_receptive_field": 25}, {"max_depth": 2}, {"min_depth": 13}])
def test_a_number_of_steps_is_a_repeat(limits: dict[str, int]) -> None:
    space, budget = Space(MANY), Budget(**limits)
    for seed in range(5):
        found = sample_within(space, budget, seed, tries=1)
        in_bounds(found, space, budget)
    assert found.cost.depth == {"min_receptive_field": 13, "max_depth": 2, "min_depth": 13}[next(iter(limits))]


def test_repeats_help_where_the_narrowest_is_too_large() -> None:
    space = Space(DEEP)
    budget = Budget(max_params=2_000)
    found = sample_within(space, budget, 0, tries=5)
    in_bounds(found, space, budget)
    assert found.params["body.width"] == 16
    assert found.params["body.times"] == 1


def test_latency_is_a_limit_like_any_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "time_op", lambda op, inputs, target: inputs[0].channels / 10)
    space = Space(DEEP)
    budget = Budget(max_latency_ms=30.0)
    found = sample_within(space, budget, 0, tries=4)
    assert found.origin == "repaired"
    in_bounds(found, space, budget)


Timed = list[tuple[Op, tuple[Type, ...]]]


@pytest.fixture
def timed(monkeypatch: pytest.MonkeyPatch) -> Timed:
    """What was timed; each op takes a tenth of a millisecond for each channel, and 5 ms more."""
    calls: Timed = []

    def time_op(op: Op, inputs: tuple[Type, ...], target: Target) -> float:
        calls.append((op, inputs))
        return 5.0 + inputs[0].channels / 10

    monkeypatch.setattr(timing, "time_op", time_op)
    return calls


def test_a_latency_below_that_of_any_op_is_refused_after_one_op(timed: Timed) -> None:
    words = "no network of space 'deep' is within the budget; its fastest op alone: 5.4 milliseconds of latency are "
    with pytest.raises(ConfigError, match=words + "over the budget of 4; raise max_latency_ms, or use smaller images"):
        sample_within(Space(DEEP), Budget(max_latency_ms=4.0), 0)
    drawn, params = Space(DEEP).draw(random.Random(0))
    least = Space(DEEP).decode({name: ladder(Space(DEEP).holes[name])[0] for name in params})
    assert len(timed) == 1
    assert timed[0] in ops_of(least) - ops_of(drawn)


def ops_of(network: ins.Network) -> set[tuple[Op, tuple[Type, ...]]]:
    graph = ins.lower(network, aux=False)
    return {(node.op, graph.input_types(node)) for node in graph.nodes[1:]}


WIDE = """\
schema: inception-search/space
version: 1
name: wide
network:
  name: wide
  input: 64x32x32
  stages:
    body:
      repeat:
        times: {$int: [1, 9]}
        body: {conv: {kernel: 3x3, width: {$int: [1, 4096]}}}
"""


def test_an_op_that_widths_make_quick_is_no_reason_to_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "time_op", channels_of)
    space, budget = Space(WIDE), Budget(max_latency_ms=8.0)
    first = ops_of(space.draw(random.Random(0))[0])
    assert min(channels_of(*each, Target()) for each in first) > 8.0, "a network without a quick op"
    found = sample_within(space, budget, 0, tries=2)
    assert found.origin == "repaired"
    in_bounds(found, space, budget)


def channels_of(op: Op, inputs: tuple[Type, ...], target: Target) -> float:
    """A tenth of a millisecond for each channel; that of linear layers by what they read."""
    return max(inputs[0].channels, 0 if isinstance(op, Linear) else op.infer(inputs).channels) / 10


class Clock:
    """A clock that goes so many seconds further whenever it is read."""

    def __init__(self, step: float) -> None:
        self.now, self.step = 0.0, step

    def __call__(self) -> float:
        self.now += self.step
        return self.now


def out_of_time(monkeypatch: pytest.MonkeyPatch, step: float, budget: Budget, **asked: Any) -> str:
    monkeypatch.setattr(sample_module, "monotonic", Clock(step))
    with pytest.raises(ConfigError) as raised:
        sample_within(Space(DEEP), budget, 0, **asked)
    return str(raised.value)


def test_draws_and_repairs_end_with_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    text = out_of_time(monkeypatch, 1.0, Budget(max_params=100), seconds=20.0)
    start = "no network of space 'deep' that was tried in 20 seconds (11 drawn, 2 repaired) is within the budget; the "
    assert text.startswith(start)
    assert "parameters are over the budget of 100; raise max_params, raise seconds, use smaller images" in text
    assert "(61 drawn, " in out_of_time(monkeypatch, 1.0, Budget(max_params=100)), "the time there is by default"


def test_a_time_too_short_for_anything_is_enough_for_a_draw() -> None:
    assert sample_within(Space(DEEP), Budget(), 0, seconds=1e-9).tries == 1
    with pytest.raises(ConfigError, match=r"in 1e-09 seconds \(1 drawn, 0 repaired\) is within .* nearest: [1-9]"):
        sample_within(Space(DEEP), Budget(max_params=100), 0, seconds=1e-9)
    with pytest.raises(ShapeError, match="no network of space 'never' fits"):
        sample_within(Space(NEVER), Budget(), 0, shape=(1, 9, 9), seconds=1e-9)


def test_nothing_is_timed_once_it_is_late(timed: Timed, monkeypatch: pytest.MonkeyPatch) -> None:
    budget = Budget(max_latency_ms=6.0)
    text = out_of_time(monkeypatch, 1.0, budget, seconds=8.0)
    words = "the latency of no network of space 'deep' was measured in 8 seconds; raise seconds, use smaller images"
    assert text.startswith(words)
    assert len(timed) < 8
    timed.clear()
    text = out_of_time(monkeypatch, 1.0, budget, seconds=150.0)
    assert "milliseconds of latency are over the budget of 6; raise max_latency_ms" in text
    assert 8 < len(timed) < 150


def test_what_a_space_contains_leaves_time_for_repair(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sample_module, "monotonic", Clock(1.0))
    with pytest.raises(ConfigError, match=r"in 12 seconds \(7 drawn, 1 repaired\)"):
        sample_within(shipped_space("inception"), Budget(max_params=1), 0, seconds=12.0)


def test_no_time_limit_at_all() -> None:
    with pytest.raises(ConfigError, match="that was tried is within the budget"):
        sample_within(Space(DEEP), Budget(max_params=100), 0, tries=1, seconds=float("inf"))


def test_a_network_that_the_space_contains_is_found() -> None:
    space, budget = shipped_space("inception"), Budget(max_depth=10)
    found = sample_within(space, budget, 0, tries=5)
    assert (found.origin, found.tries) == ("canonical", 10)
    assert found.cost.depth == 9
    assert found.params == space.encode(ins.load("nin_cifar10"))
    in_bounds(found, space, budget)


CONTAINED = DEEP + "contains:\n  small: {network: nin_cifar10}\n"


def test_what_a_space_contains_in_vain_is_passed_by() -> None:
    with pytest.raises(ConfigError, match="over the budget of 100"):
        sample_within(Space(CONTAINED), Budget(max_params=100), 0, tries=2)
    with pytest.raises(ConfigError, match="over the budget of 100"):
        sample_within(Space(CONTAINED.replace("nin_cifar10", "nothing")), Budget(max_params=100), 0, tries=2)


def test_a_network_that_the_space_contains_is_where_repair_begins() -> None:
    space = shipped_space("inception")
    nin = space.decode(sample_within(space, Budget(max_depth=10), 0, tries=1).params)
    budget = Budget(max_depth=10, max_params=measures(nin)["params"] - 1)
    found = sample_within(space, budget, 0, tries=REPAIRS)
    assert found.origin == "repaired"
    in_bounds(found, space, budget)


NOT_REACHED: list[tuple[Space, dict[str, Any], str]] = [
    (MODULES, {"max_params": 100}, r"no network of space 'inception_modules' .* within the budget; the nearest: [\d,]+ "
     r"parameters are over the budget of 100; raise max_params, use smaller images, or a narrower space"),
    (MODULES, {"min_receptive_field": 999}, "pixels of receptive field are under the minimum of 999; lower min_recep"),
    (MODULES, {"max_depth": 5}, "1[26] layers of depth are over the budget of 5; raise max_depth"),
    (Space(DEEP), {"max_params": 100}, "1,[0-9]{3} parameters are over the budget of 100"),
    (Space(DEEP), {"max_macs": 100, "min_macs": 1}, "raise max_macs"),
    (Space(DEEP), {"max_params": 10_000, "min_depth": 19}, "raise max_params|lower min_depth"),
]  # fmt: skip


@pytest.mark.parametrize(("space", "limits", "words"), NOT_REACHED, ids=[" ".join(row[1]) for row in NOT_REACHED])
def test_a_budget_out_of_reach_is_told_with_the_nearest_value(space: Space, limits: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        sample_within(space, Budget(**limits), 0, tries=30)


REFUSED: list[tuple[dict[str, Any], type[InceptionSearchError], str]] = [
    ({"space": "inception_modules"}, ConfigError, "space: .*write space=load_space"),
    ({"budget": 10}, ConfigError, r"budget: .*got 10 \(int\); expected a Budget"),
    ({"tries": 0}, ConfigError, "tries: not a usable value, got 0; expected a whole number of 1 or more"),
    ({"tries": True}, ConfigError, "tries: not a usable argument"),
    ({"seed": "x"}, ConfigError, r"seed: .*expected a whole number or a random.Random"),
    ({"space": Space(NEVER), "shape": (1, 9, 9)}, ShapeError, "no network of space 'never' fits images of 1x9x9: .*ke"),
    ({"budget": Budget(max_latency_ms=1.0, device="cuda:99")}, ConfigError, "device 'cuda:99' is not there"),
    ({"shape": (1, 10**6, 9)}, SpecError, "none of 200 points of space .* is a valid network: height"),
    ({"seed": True}, ConfigError, r"seed: .*expected a whole number or a random.Random"),
    ({"seed": 1.0}, ConfigError, r"seed: .*expected a whole number or a random.Random"),
    ({"seed": None}, ConfigError, r"seed: .*expected a whole number or a random.Random"),
    ({"tries": 1.0}, ConfigError, "tries: not a usable argument"),
    ({"shape": (3, 1)}, ConfigError, r"shape: not a usable argument.*got \(3, 1\)"),
    ({"shape": (1, 0, 9)}, ConfigError, "shape: not a usable value"),
    ({"shape": (1, 9.0, 9)}, ConfigError, "shape: not a usable argument"),
    ({"shape": "abc"}, ConfigError, "shape: not a usable argument"),
    ({"shape": 9}, ConfigError, "shape: not a usable argument"),
    ({"classes": "10"}, ConfigError, "classes: .*write classes=10, without quotes"),
    ({"classes": -1}, ConfigError, "classes: not a usable value"),
    ({"classes": True}, ConfigError, "classes: not a usable argument"),
    ({"seconds": 0}, ConfigError, "seconds: not a usable value, got 0; expected a number greater than 0"),
    ({"seconds": "1"}, ConfigError, "seconds: not a usable argument"),
    ({"seconds": float("nan")}, ConfigError, "seconds: not a usable argument"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "error", "words"), REFUSED, ids=[str(row[0])[:30] for row in REFUSED])
def test_what_cannot_be_asked_is_told(changes: dict[str, Any], error: type[InceptionSearchError], words: str) -> None:
    asked = {"space": MODULES, "budget": Budget(), "seed": 0} | changes
    with pytest.raises(error, match=words):
        ins.sample_within(asked.pop("space"), asked.pop("budget"), asked.pop("seed"), **asked)


LADDERS: list[tuple[Hole, tuple[Any, ...]]] = [
    (Integer("a", 4, 12, 4), (4, 8, 12)),
    (Choice("a", {"16": 16, "8": 8, "100": 100}), ("8", "16", "100")),
    (Choice("a", {"true": True, "1": 1}), ()),
    (Choice("a", {"x": "max"}), ()),
    (Float("a", 0.0, 1.0), ()),
]


@pytest.mark.parametrize(("hole", "rungs"), LADDERS)
def test_the_values_of_a_hole_from_small_to_large(hole: Hole, rungs: tuple[Any, ...]) -> None:
    assert ladder(hole) == rungs


def test_the_former_name_of_the_origin_warns() -> None:
    found = sample_within(MODULES, Budget(), 0)
    with pytest.warns(DeprecationWarning, match="origin"):
        assert found.how == found.origin == "drawn"
